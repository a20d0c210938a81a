package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// DeleteItem removes one item; a missing one is removed silently.
func (o *Ops) DeleteItem(ctx context.Context, in *api.DeleteItemInput) (*api.DeleteItemOutput, error) {
	removal, err := newRemoval(in)
	if err != nil {
		return nil, err
	}
	removal.blind = blind(in.ReturnValues, in.ReturnConsumedCapacity)
	done, err := o.write(ctx, *in.TableName, &removal)
	if err != nil {
		return nil, err
	}
	if done.Refusal != command.Accepted {
		return nil, o.refused(done, in.ReturnValuesOnConditionCheckFailure)
	}
	return &api.DeleteItemOutput{
		Attributes:            done.oldAttributes(in.ReturnValues),
		ConsumedCapacity:      done.consumed(in.ReturnConsumedCapacity),
		ItemCollectionMetrics: done.collectionMetrics(in.ReturnItemCollectionMetrics, in.Key),
	}, nil
}

// removal is a wish to delete an item.
type removal struct {
	key       attr.Map
	condition *expr.Condition
	blind     bool // nobody asks for the item that is removed
}

// newRemoval checks what needs only the request.
func newRemoval(in *api.DeleteItemInput) (removal, error) { return enveloped.removal(in) }

// removal is newRemoval in the voice of any operation that deletes an item, in DynamoDB's order (semantics §16).
func (v voice) removal(in *api.DeleteItemInput) (removal, error) {
	guarded := guard{
		voice: v, expected: in.Expected, operator: in.ConditionalOperator, expression: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
	}
	if err := guarded.checkMix(); err != nil {
		return removal{}, err
	}
	if v == older {
		// In a transaction the condition comes first.
		condition, err := guarded.compile()
		if err != nil {
			return removal{}, err
		}
		return removal{key: in.Key, condition: condition}, v.checkValues(in.Key)
	}
	if err := v.checkValues(in.Key); err != nil {
		return removal{}, err
	}
	if err := v.checkReturnValues(in.ReturnValues); err != nil {
		return removal{}, err
	}
	condition, err := guarded.compile()
	return removal{key: in.Key, condition: condition}, err
}

func (r *removal) plan(t *table.Table) (*command.Command, error) {
	suffix, err := keySuffix(t, r.key)
	if err != nil {
		return nil, err
	}
	if err := checkKeyPaths(t, r.condition.Paths()); err != nil {
		return nil, err
	}
	return &command.Command{
		Action: command.Delete, Table: t.ID, TableVersion: t.Version, Key: suffix, Condition: r.condition,
		Blind: r.blind,
	}, nil
}
