package ops

import (
	"context"
	"errors"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/partiql"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// BatchExecuteStatement performs up to 25 statements, all reads of single items or all writes, each on its own: what is wrong with one is told in its
// place and stops no other. A fault fails them all.
func (o *Ops) BatchExecuteStatement(ctx context.Context, in *api.BatchExecuteStatementInput) (*api.BatchExecuteStatementOutput, error) {
	members := make([]batchStatement, len(in.Statements))
	for i := range members {
		members[i].compile(&in.Statements[i])
	}
	if err := checkBatchVerbs(members); err != nil {
		return nil, err
	}
	o.fan.run(len(members), func(i int) {
		if m := &members[i]; m.err == nil {
			m.err = m.run(ctx, o)
		}
	})
	out := &api.BatchExecuteStatementOutput{Responses: make([]api.BatchStatementResponse, len(members))}
	for i := range members {
		m := &members[i]
		refused, ok := errors.AsType[*api.Error](m.err)
		if m.err != nil && !ok {
			return nil, m.err
		}
		out.Responses[i] = m.response(refused)
	}
	out.ConsumedCapacity = batchCapacity(in.ReturnConsumedCapacity, members)
	return out, nil
}

// batchStatement is one statement of a batch, and what became of it.
type batchStatement struct {
	*partiql.Bound

	strong bool
	err    error
	ran    bool     // it reached its table
	item   attr.Map // what it shows, absent when that is nothing
	used   capacity.Usage
}

func (m *batchStatement) compile(request *api.BatchStatementRequest) {
	m.strong = value(request.ConsistentRead)
	if m.Bound, m.err = newStatement(*request.Statement, request.Parameters); m.err != nil {
		return
	}
	request.Table = m.Table
	switch {
	case m.Verb == partiql.Exists:
		m.err = bare.refuse(existsOutside)
	case request.Denied != nil:
		m.err = request.Denied
	}
}

// checkBatchVerbs refuses reads and writes together. What is not going to be performed is neither.
func checkBatchVerbs(members []batchStatement) error {
	reads, writes := false, false
	for i := range members {
		if members[i].err == nil {
			reads = reads || members[i].Verb.Reads()
			writes = writes || !members[i].Verb.Reads()
		}
	}
	if reads && writes {
		return bare.refuse("Read and write requests together in the same batch is not supported.")
	}
	return nil
}

func (m *batchStatement) run(ctx context.Context, o *Ops) error {
	if m.Verb.Reads() {
		return m.read(ctx, o)
	}
	w, err := writeStatement(m.Bound)
	if err != nil {
		return err
	}
	planned, err := o.planWrite(ctx, m.Table, w)
	if err != nil {
		return err
	}
	m.ran = true
	done, err := o.send(ctx, planned)
	if err != nil {
		return err
	}
	if done.Refusal != command.Accepted {
		// ReturnValuesOnConditionCheckFailure has no effect in a batch (semantics §8).
		return o.refusedStatement(m.Bound, done, nil)
	}
	m.item, m.used = returned(m.Bound, done), capacity.OfWrite(done.table, done.Before, done.After)
	return nil
}

func (m *batchStatement) read(ctx context.Context, o *Ops) error {
	key, err := planFor(ctx, o, m.Bound.Table, m.lookedUp)
	if err != nil {
		return err
	}
	planned, err := o.planRead(ctx, m.Table, lookup{key: key, projection: m.Columns, strong: m.strong})
	if err != nil {
		return err
	}
	m.ran = true
	found, err := o.read(ctx, planned)
	if err != nil {
		return err
	}
	m.item, m.used = projected(m.Columns, found.Item), planned.usage(found.Size)
	return nil
}

// lookedUp is the key of the one item that a SELECT asks for: nothing else is allowed here.
func (m *batchStatement) lookedUp(t *table.Table) (attr.Map, error) {
	r := statementRead{Bound: m.Bound}
	s, err := r.source(t)
	if err != nil {
		return nil, err
	}
	if err := m.CheckColumns(); err != nil {
		return nil, refuseStatement(err)
	}
	if _, err := m.Where.Branches(s.key().Hash[0].Name, sortName(s.key())); err != nil {
		return nil, refuseStatement(err)
	}
	key, ok := m.Where.Lookup(t.Key.Names())
	if !ok || s.index != nil {
		return nil, api.NewValidationException("Select statements within BatchExecuteStatement must specify the primary key in the where clause.")
	}
	return key, nil
}

func (m *batchStatement) response(refused *api.Error) api.BatchStatementResponse {
	var r api.BatchStatementResponse
	if m.ran {
		r.TableName = &m.Table
	}
	if refused != nil {
		code := batchCode(refused.Type)
		r.Error = &api.BatchStatementError{Code: &code, Message: &refused.Message}
		return r
	}
	r.Item = m.item
	return r
}

// batchCode is an error's short name.
func batchCode(kind string) string {
	switch kind {
	case "ValidationException":
		return api.BatchStatementErrorCodeEnumValidationError
	case "ThrottlingException":
		return api.BatchStatementErrorCodeEnumThrottlingError
	}
	return strings.TrimSuffix(kind, "Exception")
}

// batchCapacity is what the statements cost that were performed, one entry a table.
func batchCapacity(kind *string, members []batchStatement) []api.ConsumedCapacity {
	var tables []string
	used := map[string]capacity.Usage{}
	for i := range members {
		m := &members[i]
		if m.err != nil || !wantsCapacity(kind) {
			continue
		}
		before, known := used[m.Table]
		if !known {
			tables = append(tables, m.Table)
		}
		used[m.Table] = before.Plus(m.used)
	}
	var all []api.ConsumedCapacity
	for _, name := range tables {
		all = append(all, *consumed(kind, name, used[name]))
	}
	return all
}
