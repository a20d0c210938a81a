package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// TransactWriteItems performs up to a hundred writes and checks of any tables, all or none of them.
func (o *Ops) TransactWriteItems(ctx context.Context, in *api.TransactWriteItemsInput) (*api.TransactWriteItemsOutput, error) {
	t, err := newTransaction(in)
	if err != nil {
		return nil, err
	}
	done, err := o.transact(ctx, t)
	if err != nil {
		return nil, err
	}
	used, err := o.transactConsumed(ctx, in.ReturnConsumedCapacity, done)
	return &api.TransactWriteItemsOutput{
		ConsumedCapacity:      used,
		ItemCollectionMetrics: t.collectionMetrics(in.ReturnItemCollectionMetrics, done),
	}, err
}

// newTransaction checks what needs only the request, action by action (semantics §20.8).
func newTransaction(in *api.TransactWriteItemsInput) (transaction, error) {
	t := transaction{actions: make([]transactAction, len(in.TransactItems)), token: value(in.ClientRequestToken)}
	requests := make([]actionRequest, len(in.TransactItems))
	bytes := 0
	for i := range in.TransactItems {
		var err error
		if requests[i], err = newActionRequest(&in.TransactItems[i]); err != nil {
			return t, err
		}
		if t.actions[i], err = requests[i].action(blind(nil, in.ReturnConsumedCapacity)); err != nil {
			return t, err
		}
		bytes += sizeOf(requests[i].item) + sizeOf(requests[i].values)
	}
	if bytes > transactBytesMax {
		return t, bare.refuse(transactPayload)
	}
	if t.token != "" {
		t.hash = parametersOf(requests, bytes)
	}
	return t, nil
}

// check is a wish that an item be as a condition says; it changes nothing.
type check struct {
	key       attr.Map
	condition *expr.Condition
}

func (c *check) plan(t *table.Table) (*command.Command, error) {
	suffix, err := keySuffix(t, c.key)
	if err != nil {
		return nil, err
	}
	if err := checkKeyPaths(t, c.condition.Paths()); err != nil {
		return nil, err
	}
	return &command.Command{Action: command.Check, Table: t.ID, TableVersion: t.Version, Key: suffix, Condition: c.condition}, nil
}

func sizeOf(m attr.Map) int {
	if len(m) == 0 {
		return 0
	}
	return m.Size()
}

// collectionMetrics are the sizes of the collections that a transaction wrote to, by the table's name.
func (t *transaction) collectionMetrics(kind *string, done transacted) map[string][]api.ItemCollectionMetrics {
	var metrics map[string][]api.ItemCollectionMetrics
	for i := range done.results {
		p := &done.planned[i]
		if p.command.Action == command.Check {
			continue
		}
		w := written{Result: done.results[i], table: p.table, name: p.name}
		m := w.collectionMetrics(kind, t.actions[i].key)
		if m == nil {
			continue
		}
		if metrics == nil {
			metrics = map[string][]api.ItemCollectionMetrics{}
		}
		metrics[p.name] = append(metrics[p.name], *m)
	}
	return metrics
}
