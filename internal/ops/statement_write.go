package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/partiql"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// writeStatement is the planner of an INSERT, UPDATE, DELETE or, in a transaction, EXISTS.
func writeStatement(b *partiql.Bound) (planner, error) {
	switch b.Verb {
	case partiql.Insert:
		return &insertion{b.Item}, checkItemSize(b.Item)
	case partiql.Update:
		return &statementChange{b}, nil
	case partiql.Exists:
		return &statementCheck{b}, nil
	default:
		return &statementRemoval{b}, nil
	}
}

// insertion is a wish to put an item where there is none.
type insertion struct{ item attr.Map }

func (i *insertion) plan(t *table.Table) (*command.Command, error) {
	var b expr.ConditionBuilder
	absent, err := b.Condition(b.Leaf("attribute_not_exists", b.Path(expr.Path{{Name: t.Key.Hash[0].Name}})))
	if err != nil {
		return nil, err
	}
	p := put{item: i.item, condition: absent, wording: putKey}
	return p.plan(t)
}

// statementChange is a wish to update an item that there is.
type statementChange struct{ *partiql.Bound }

func (s *statementChange) plan(t *table.Table) (*command.Command, error) {
	pin, err := onlyItem(s.Where, t)
	if err != nil {
		return nil, err
	}
	condition, err := pin.Condition(t.Key.Hash[0].Name)
	if err != nil {
		return nil, refuseStatement(err)
	}
	c := change{key: pin.Key, update: s.Changes, condition: condition}
	return c.plan(t)
}

// statementRemoval is a wish to delete an item; without further conditions a missing one is removed silently.
type statementRemoval struct{ *partiql.Bound }

func (s *statementRemoval) plan(t *table.Table) (*command.Command, error) {
	pin, err := onlyItem(s.Where, t)
	if err != nil {
		return nil, err
	}
	condition, err := pin.Condition("")
	if err != nil {
		return nil, refuseStatement(err)
	}
	r := removal{key: pin.Key, condition: condition}
	return r.plan(t)
}

// statementCheck is a wish that there be an item as an EXISTS says. Of two values for one key attribute the first counts, and the second cannot hold.
type statementCheck struct{ *partiql.Bound }

func (s *statementCheck) plan(t *table.Table) (*command.Command, error) {
	pin := s.Where.Pin(t.Key.Names())
	condition, err := pin.Condition(t.Key.Hash[0].Name)
	if err != nil {
		return nil, refuseStatement(err)
	}
	c := check{key: pin.Key, condition: condition}
	return c.plan(t)
}

// executeWrite performs an INSERT, UPDATE or DELETE.
func (o *Ops) executeWrite(ctx context.Context, in *api.ExecuteStatementInput, b *partiql.Bound) (*api.ExecuteStatementOutput, error) {
	if in.NextToken != nil {
		return nil, bare.refuse(foreignToken)
	}
	w, err := writeStatement(b)
	if err != nil {
		return nil, err
	}
	done, err := o.write(ctx, b.Table, w)
	if err != nil {
		return nil, err
	}
	if done.Refusal != command.Accepted {
		return nil, o.refusedStatement(b, done, in.ReturnValuesOnConditionCheckFailure)
	}
	out := &api.ExecuteStatementOutput{Items: []attr.Map{}, ConsumedCapacity: done.consumed(in.ReturnConsumedCapacity)}
	if shown := returned(b, done); len(shown) > 0 {
		out.Items = append(out.Items, shown)
	}
	return out, nil
}

// refusedStatement is refused with the one refusal that is another in PartiQL: an INSERT whose item is there.
func (o *Ops) refusedStatement(b *partiql.Bound, done written, onFailure *string) error {
	if b.Verb == partiql.Insert && done.Refusal == command.ConditionFailed {
		return api.NewDuplicateItemException(duplicateItem)
	}
	return o.refused(done, onFailure)
}

const duplicateItem = "Duplicate primary key exists in table"

// returned is what RETURNING asks for, nil when there is nothing to show.
func returned(b *partiql.Bound, done written) attr.Map {
	if !b.Returning.Given {
		return nil
	}
	item := done.Before
	if b.Returning.New {
		item = done.After
	}
	if b.Returning.All || len(item) == 0 {
		return item
	}
	return b.Changes.Touched(item)
}
