package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// PutItem replaces or creates one item.
func (o *Ops) PutItem(ctx context.Context, in *api.PutItemInput) (*api.PutItemOutput, error) {
	put, err := newPut(in)
	if err != nil {
		return nil, err
	}
	put.blind = blind(in.ReturnValues, in.ReturnConsumedCapacity)
	done, err := o.write(ctx, *in.TableName, &put)
	if err != nil {
		return nil, err
	}
	if done.Refusal != command.Accepted {
		return nil, o.refused(done, in.ReturnValuesOnConditionCheckFailure)
	}
	return &api.PutItemOutput{
		Attributes:            done.oldAttributes(in.ReturnValues),
		ConsumedCapacity:      done.consumed(in.ReturnConsumedCapacity),
		ItemCollectionMetrics: done.collectionMetrics(in.ReturnItemCollectionMetrics, put.item),
	}, nil
}

// put is a wish to replace an item.
type put struct {
	item      attr.Map
	condition *expr.Condition
	wording   keyWording
	blind     bool // nobody asks for the item that is replaced
}

// newPut checks what needs only the request.
func newPut(in *api.PutItemInput) (put, error) { return enveloped.put(in) }

// put is newPut in the voice of any operation that puts an item, in DynamoDB's order (semantics §16).
func (v voice) put(in *api.PutItemInput) (put, error) {
	p := put{item: in.Item, wording: putKey}
	guarded := guard{
		voice: v, expected: in.Expected, operator: in.ConditionalOperator, expression: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
	}
	if err := guarded.checkMix(); err != nil {
		return put{}, err
	}
	if err := v.checkValues(in.Item); err != nil {
		return put{}, err
	}
	if err := v.checkReturnValues(in.ReturnValues); err != nil {
		return put{}, err
	}
	if err := checkItemSize(in.Item); err != nil {
		return put{}, err
	}
	var err error
	p.condition, err = guarded.compile()
	return p, err
}

func (p *put) plan(t *table.Table) (*command.Command, error) {
	suffix, err := suffixOf(t, p.item, p.wording)
	if err != nil {
		return nil, err
	}
	if text := table.CheckIndexKeys(t, p.item); text != "" {
		return nil, api.NewValidationException(text)
	}
	if err := checkKeyPaths(t, p.condition.Paths()); err != nil {
		return nil, err
	}
	return &command.Command{
		Action: command.Put, Table: t.ID, TableVersion: t.Version, Key: suffix, Item: p.item, Condition: p.condition,
		Blind: p.blind,
	}, nil
}

// checkItemSize refuses an item over the limit.
func checkItemSize(item attr.Map) error {
	if item.Size() > table.ItemBytesMax {
		return api.NewValidationException(itemTooLarge)
	}
	return nil
}
