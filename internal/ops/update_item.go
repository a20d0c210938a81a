package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// UpdateItem changes one item, or creates it.
func (o *Ops) UpdateItem(ctx context.Context, in *api.UpdateItemInput) (*api.UpdateItemOutput, error) {
	change, err := newChange(in)
	if err != nil {
		return nil, err
	}
	done, err := o.write(ctx, *in.TableName, loneChange{&change})
	if err != nil {
		return nil, err
	}
	if done.Refusal != command.Accepted {
		return nil, o.refused(done, in.ReturnValuesOnConditionCheckFailure)
	}
	return &api.UpdateItemOutput{
		Attributes:            change.attributes(in.ReturnValues, done),
		ConsumedCapacity:      done.consumed(in.ReturnConsumedCapacity),
		ItemCollectionMetrics: done.collectionMetrics(in.ReturnItemCollectionMetrics, in.Key),
	}, nil
}

// change is a wish to update an item.
type change struct {
	key       attr.Map
	update    *expr.Update
	condition *expr.Condition
}

// newChange checks what needs only the request.
func newChange(in *api.UpdateItemInput) (change, error) { return enveloped.change(in) }

// change is newChange in the voice of any operation that updates an item, in DynamoDB's order (semantics §16).
func (v voice) change(in *api.UpdateItemInput) (change, error) {
	err := mixture{
		expressions: []parameter{{"UpdateExpression", in.UpdateExpression != nil}, {"ConditionExpression", in.ConditionExpression != nil}},
		legacy: []parameter{{"AttributeUpdates", in.AttributeUpdates != nil}, {"Expected", in.Expected != nil},
			{"ConditionalOperator", in.ConditionalOperator != nil}},
		names:  in.ExpressionAttributeNames,
		values: in.ExpressionAttributeValues,
	}.check(v)
	if err != nil {
		return change{}, err
	}
	if err := v.checkValues(in.Key); err != nil {
		return change{}, err
	}
	c := change{key: in.Key}
	if in.UpdateExpression == nil && in.ConditionExpression == nil {
		return c, c.compileLegacy(in)
	}
	x := newExpressions(v, in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	c.update = x.update(in.UpdateExpression)
	c.condition = x.condition(expr.ConditionExpression, in.ConditionExpression)
	if err := x.finish(); err != nil {
		return change{}, err
	}
	return c, c.fillUpdate()
}

func (c *change) compileLegacy(in *api.UpdateItemInput) error {
	var err error
	if c.update, err = enveloped.updates(in.AttributeUpdates); err != nil {
		return err
	}
	c.condition, err = enveloped.expected(in.Expected, in.ConditionalOperator)
	return err
}

// fillUpdate gives an update without clauses its meaning: it creates the item when it is missing and changes nothing else (semantics
// §20.2), which is what an empty AttributeUpdates does too.
func (c *change) fillUpdate() error {
	if c.update != nil {
		return nil
	}
	var err error
	c.update, err = enveloped.updates(nil)
	return err
}

func (c *change) plan(t *table.Table) (*command.Command, error) {
	suffix, err := keySuffix(t, c.key)
	if err != nil {
		return nil, err
	}
	if err := checkKeyUntouched(t, c.update.Attributes()); err != nil {
		return nil, err
	}
	if text := table.CheckIndexKeyTypes(t, c.update.Types()); text != "" {
		return nil, api.NewValidationException(text)
	}
	if err := checkKeyPaths(t, c.update.Paths()); err != nil {
		return nil, err
	}
	if err := checkKeyPaths(t, c.update.Sources()); err != nil {
		return nil, err
	}
	if err := checkKeyPaths(t, c.condition.Paths()); err != nil {
		return nil, err
	}
	return &command.Command{
		Action: command.Update, Table: t.ID, TableVersion: t.Version, Key: suffix, Item: c.key,
		Condition: c.condition, Update: c.update,
	}, nil
}

// loneChange is a change that UpdateItem makes. Of it alone the UpdateExpression is weighed, whatever item and condition there are; within a transaction
// and in PartiQL only the finished item is (semantics §2.5, §2.6).
type loneChange struct{ *change }

func (c loneChange) plan(t *table.Table) (*command.Command, error) {
	planned, err := c.change.plan(t)
	if err == nil && c.update.WriteCost() > table.ItemBytesMax {
		return nil, api.NewValidationException(table.UpdateTooLarge)
	}
	return planned, err
}

// attributes is what ReturnValues asks for. An update that wrote nothing that is still there answers without the member.
func (c *change) attributes(kind *string, done written) attr.Map {
	switch value(kind) {
	case api.ReturnValueAllOld:
		return done.Before
	case api.ReturnValueAllNew:
		return done.After
	case api.ReturnValueUpdatedOld:
		return c.touched(done.Before)
	case api.ReturnValueUpdatedNew:
		return c.touched(done.After)
	default:
		return nil
	}
}

func (c *change) touched(item attr.Map) attr.Map {
	if len(item) == 0 {
		return nil
	}
	return c.update.Touched(item)
}
