package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// TransactGetItems reads up to a hundred items of any tables as they were together at one moment.
func (o *Ops) TransactGetItems(ctx context.Context, in *api.TransactGetItemsInput) (*api.TransactGetItemsOutput, error) {
	reads := make([]transactLookup, len(in.TransactItems))
	for i := range in.TransactItems {
		var err error
		if reads[i], err = newTransactLookup(in.TransactItems[i].Get); err != nil {
			return nil, err
		}
	}
	together, err := o.transactGet(ctx, func() ([]plannedRead, error) { return o.planTransactGet(reads) })
	if err != nil {
		return nil, err
	}
	return &api.TransactGetItemsOutput{
		Responses: together.responses(), ConsumedCapacity: together.consumed(in.ReturnConsumedCapacity),
	}, nil
}

// readTogether is what a transaction that reads saw.
type readTogether struct {
	planned []plannedRead
	seen    []command.Seen
}

func (r *readTogether) responses() []api.ItemResponse {
	responses := make([]api.ItemResponse, len(r.seen))
	for i := range r.seen {
		// A projection that matches nothing leaves no item here (semantics §8.19).
		if item := projected(r.planned[i].projection, r.seen[i].Item); item.Len() > 0 {
			responses[i].Item = item
		}
	}
	return responses
}

func (r *readTogether) consumed(kind *string) []api.ConsumedCapacity {
	if !wantsCapacity(kind) {
		return nil
	}
	var used transactUsage
	for i := range r.seen {
		used.add(r.planned[i].table, r.planned[i].name, readInTransaction(r.seen[i].Size))
	}
	return used.consumed(kind, true)
}

// transactLookup is one read of a transaction, which passed every check that needs only the request.
type transactLookup struct {
	lookup
	name string // the table as the request gave it
}

func newTransactLookup(g *api.Get) (transactLookup, error) {
	names := g.ExpressionAttributeNames
	if g.ProjectionExpression == nil {
		if err := checkIdleNames(names, nil); err != nil {
			return transactLookup{}, err
		}
		names = nil
	}
	projection, err := older.projection(&api.GetItemInput{
		Key: g.Key, ProjectionExpression: g.ProjectionExpression, ExpressionAttributeNames: names,
	})
	return transactLookup{lookup: lookup{key: g.Key, projection: projection, strong: true}, name: *g.TableName}, err
}

// transactGet reads the items of a transaction.
func (o *Ops) transactGet(ctx context.Context, plan func() ([]plannedRead, error)) (readTogether, error) {
	for plans := 1; ; plans++ {
		planned, err := confirmed(ctx, o, plan)
		if err != nil {
			return readTogether{}, err
		}
		if err := o.admitTogether(planned); err != nil {
			return readTogether{}, err
		}
		gets := make([]command.Get, len(planned))
		for i := range planned {
			gets[i] = planned[i].get
		}
		seen, moving, err := o.transactions.Read(ctx, gets)
		err = o.settleTogether(planned, seen, err)
		switch {
		case o.replan(ctx, err, plans):
			continue
		case err != nil:
			return readTogether{}, err
		case moving != nil:
			return readTogether{}, conflicting(moving)
		}
		return readTogether{planned, seen}, checkReadTogether(seen)
	}
}

// planTransactGet is planTransaction for a transaction that reads.
func (o *Ops) planTransactGet(reads []transactLookup) ([]plannedRead, error) {
	planned := make([]plannedRead, len(reads))
	for i := range reads {
		t, err := o.serving(reads[i].name)
		if err != nil {
			return nil, err
		}
		planned[i] = plannedRead{lookup: reads[i].lookup, name: reads[i].name, table: t}
	}
	return planned, planTogether(len(planned), func(i int) (*table.Table, attr.Map) {
		return planned[i].table, planned[i].key
	}, func(i int) (suffix []byte, err error) {
		p := &planned[i]
		p.get, err = p.plan(p.table)
		return p.get.Key, err
	})
}

// checkReadTogether refuses more items than a transaction answers with.
func checkReadTogether(seen []command.Seen) error {
	bytes := 0
	for i := range seen {
		bytes += seen[i].Size
	}
	if bytes > transactBytesMax {
		return bare.refuse(transactTooLarge)
	}
	return nil
}

// conflicting is the answer to a read of items that did not keep still.
func conflicting(moving []bool) error {
	reasons := make([]api.CancellationReason, len(moving))
	for i, moved := range moving {
		reasons[i] = reason(reasonNone, "")
		if moved {
			reasons[i] = reason(reasonConflict, transactionOngoing)
		}
	}
	return cancelled(reasons)
}
