package ops

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"

	"stator/internal/model/api"
	"stator/internal/model/partiql"
	"stator/internal/model/table"
)

// ExecuteTransaction performs up to a hundred statements, all reads of single items or all writes and checks, together or not at all.
func (o *Ops) ExecuteTransaction(ctx context.Context, in *api.ExecuteTransactionInput) (*api.ExecuteTransactionOutput, error) {
	t, err := newStatementTransaction(in)
	if err != nil {
		return nil, err
	}
	if t[0].Verb.Reads() {
		together, err := o.transactGet(ctx, func() ([]plannedRead, error) { return o.planStatementReads(t) })
		if err != nil {
			return nil, err
		}
		return &api.ExecuteTransactionOutput{
			Responses: together.responses(), ConsumedCapacity: together.consumed(in.ReturnConsumedCapacity),
		}, nil
	}
	wish, err := t.writes(in)
	if err != nil {
		return nil, err
	}
	wish.plan = func(actions []transactAction) ([]plannedWrite, error) { return o.planStatementWrites(t, actions) }
	done, err := o.transact(ctx, wish)
	if err != nil {
		return nil, err
	}
	used, err := o.transactConsumed(ctx, in.ReturnConsumedCapacity, done)
	return &api.ExecuteTransactionOutput{Responses: []api.ItemResponse{}, ConsumedCapacity: used}, err
}

// statementTransaction is the statements of a transaction, which are all reads or all none.
type statementTransaction []*partiql.Bound

// newStatementTransaction checks what needs only the request: the parameters of all statements, then each statement.
func newStatementTransaction(in *api.ExecuteTransactionInput) (statementTransaction, error) {
	for i := range in.TransactStatements {
		if err := checkParameters(in.TransactStatements[i].Parameters); err != nil {
			return nil, err
		}
	}
	t := make(statementTransaction, len(in.TransactStatements))
	for i := range in.TransactStatements {
		var err error
		if t[i], err = newStatement(*in.TransactStatements[i].Statement, in.TransactStatements[i].Parameters); err != nil {
			return nil, refuseTransacted(i, err)
		}
		in.TransactStatements[i].Table = t[i].Table
	}
	for _, b := range t[1:] {
		if b.Verb.Reads() != t[0].Verb.Reads() {
			return nil, bare.refuse("ExecuteTransaction API does not support both read and write operations in the same request.")
		}
	}
	return t, nil
}

// refuseTransacted says which of the statements is refused; what is no refusal passes.
func refuseTransacted(at int, err error) error {
	if refused, ok := errors.AsType[*api.Error](err); ok {
		return bare.refuse("Validation failed in TransactStatements[" + strconv.Itoa(at) + "]: " + refused.Message)
	}
	return err
}

// writes is the transaction as one of actions.
func (t statementTransaction) writes(in *api.ExecuteTransactionInput) (transaction, error) {
	wish := transaction{actions: make([]transactAction, len(t)), token: value(in.ClientRequestToken)}
	bytes := 0
	for i, b := range t {
		w, err := writeStatement(b)
		if err != nil {
			return wish, refuseTransacted(i, err)
		}
		request := &in.TransactStatements[i]
		wish.actions[i] = transactAction{
			planner: w, name: b.Table, onFailure: request.ReturnValuesOnConditionCheckFailure, inserts: b.Verb == partiql.Insert,
		}
		bytes += sizeOf(b.Item)
		for _, p := range request.Parameters {
			bytes += p.Size()
		}
	}
	if bytes > transactBytesMax {
		return wish, bare.refuse(transactTooLarge)
	}
	if wish.token != "" {
		asked := api.ExecuteTransactionInput{TransactStatements: in.TransactStatements}
		sum := sha256.Sum256(asked.AppendJSON(nil))
		wish.hash = [16]byte(sum[:])
	}
	return wish, nil
}

// serving finds the statements' tables. A statement that its table cannot perform in a transaction is told before a table that is missing, and all the
// missing ones are told together.
func (t statementTransaction) serving(o *Ops) ([]*table.Table, error) {
	tables := make([]*table.Table, len(t))
	reasons := make([]api.CancellationReason, len(t))
	missing := false
	for i, b := range t {
		reasons[i] = reason(reasonNone, "")
		var err error
		tables[i], err = o.serving(b.Table)
		if _, refused := errors.AsType[*api.Error](err); refused {
			reasons[i], missing = reason(reasonNoTable, noTable), true
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := checkTransacted(b, tables[i]); err != nil {
			return nil, refuseTransacted(i, err)
		}
	}
	if missing {
		return nil, cancelled(reasons)
	}
	return tables, nil
}

// checkTransacted refuses what no statement of a transaction may do.
func checkTransacted(b *partiql.Bound, t *table.Table) error {
	if err := b.CheckColumns(); err != nil {
		return refuseStatement(err)
	}
	switch {
	case b.Returning.Given:
		return bare.refuse("RETURNING clause is not supported in ExecuteTransaction.")
	case b.Index != "":
		return bare.refuse("Reads on indices are not supported within transactions.")
	case b.Verb == partiql.Exists:
		if pin := b.Where.Pin(t.Key.Names()); pin.Key.Len() < t.Key.Len() || pin.Bare() {
			return bare.refuse("EXISTS() must contain a single item read with additional condition")
		}
	case b.Verb == partiql.Select:
		branches, err := b.Where.Branches(t.Key.Hash[0].Name, sortName(t.Key))
		if err != nil {
			return refuseStatement(err)
		}
		// A key that does not fit the table is no fault yet: it cancels the transaction.
		if all, err := (source{table: t}).branched(branches); err == nil {
			if err := checkOverlaps(all); err != nil {
				return err
			}
		}
		if _, ok := b.Where.Lookup(t.Key.Names()); !ok {
			return bare.refuse("Select statements within ExecuteTransaction must specify the primary key in the where clause.")
		}
	}
	return nil
}

// planStatementReads plans lookups. Every one that does not fit its table is told, and only then that two are of one item.
func (o *Ops) planStatementReads(t statementTransaction) ([]plannedRead, error) {
	tables, err := t.serving(o)
	if err != nil {
		return nil, err
	}
	planned := make([]plannedRead, len(t))
	faults := make([]error, len(t))
	seen, repeated := seenKeys{}, false
	for i, b := range t {
		key, _ := b.Where.Lookup(tables[i].Key.Names())
		p := plannedRead{lookup: lookup{key: key, projection: b.Columns, strong: true}, name: b.Table, table: tables[i]}
		if p.get, faults[i] = p.plan(p.table); faults[i] == nil {
			repeated = !seen.add(p.table, p.get.Key) || repeated
		}
		planned[i] = p
	}
	return planned, checkPlanned(faults, repeated)
}

// planStatementWrites is planStatementReads for writes and checks.
func (o *Ops) planStatementWrites(t statementTransaction, actions []transactAction) ([]plannedWrite, error) {
	tables, err := t.serving(o)
	if err != nil {
		return nil, err
	}
	planned := make([]plannedWrite, len(t))
	faults := make([]error, len(t))
	seen, repeated := seenKeys{}, false
	for i, b := range t {
		p := plannedWrite{planner: actions[i].planner, name: b.Table, table: tables[i]}
		if namesItem(b, p.table) {
			p.command, faults[i] = p.plan(p.table)
		} else {
			faults[i] = bare.refuse(keyMismatch)
		}
		if faults[i] == nil {
			repeated = !seen.add(p.table, p.command.Key) || repeated
		}
		planned[i] = p
	}
	return planned, checkPlanned(faults, repeated)
}

// namesItem tells whether a write says what its one item is. What a transaction calls a key that does not fit, a statement alone has other words for.
func namesItem(b *partiql.Bound, t *table.Table) bool {
	if b.Verb != partiql.Update && b.Verb != partiql.Delete {
		return true
	}
	_, err := onlyItem(b.Where, t)
	return err == nil
}

// checkPlanned cancels a transaction for all statements that have a fault, else refuses one that names an item twice.
func checkPlanned(faults []error, repeated bool) error {
	reasons := make([]api.CancellationReason, len(faults))
	invalid := false
	for i, err := range faults {
		reasons[i] = reason(reasonNone, "")
		if err == nil {
			continue
		}
		refused, ok := errors.AsType[*api.Error](err)
		if !ok {
			return err
		}
		reasons[i], invalid = reason(reasonValidation, refused.Message), true
	}
	switch {
	case invalid:
		return cancelled(reasons)
	case repeated:
		return bare.refuse(transactDuplicate)
	}
	return nil
}
