package iam

import (
	"stator/internal/model/api"
	"stator/internal/model/expr"
)

// A transaction needs no action of its own: each of its parts needs the action it would need alone, and conditions can ask
// what it is part of.

func (g *Guard) transactGet(in *api.TransactGetItemsInput) (needs []need) {
	for i := range in.TransactItems {
		get := in.TransactItems[i].Get
		if get == nil {
			continue
		}
		n := g.onTable("dynamodb:GetItem", *get.TableName, nil)
		n.items = getItem(&api.GetItemInput{
			Key: get.Key, ProjectionExpression: get.ProjectionExpression, ExpressionAttributeNames: get.ExpressionAttributeNames,
			ReturnConsumedCapacity: in.ReturnConsumedCapacity,
		})
		n.items.enclosing = "TransactGetItems"
		needs = append(needs, n)
	}
	return needs
}

func (g *Guard) transactWrite(in *api.TransactWriteItemsInput) (needs []need) {
	add := func(action string, tableName *string, done items) {
		n := g.onTable("dynamodb:"+action, *tableName, nil)
		done.enclosing, done.capacity = "TransactWriteItems", in.ReturnConsumedCapacity
		n.items = done
		needs = append(needs, n)
	}
	for i := range in.TransactItems {
		part := &in.TransactItems[i]
		if c := part.ConditionCheck; c != nil {
			add("ConditionCheckItem", c.TableName, conditionCheck(c))
		}
		if p := part.Put; p != nil {
			add("PutItem", p.TableName, putItem(&api.PutItemInput{
				Item: p.Item, ConditionExpression: p.ConditionExpression, ExpressionAttributeNames: p.ExpressionAttributeNames,
				ExpressionAttributeValues:           p.ExpressionAttributeValues,
				ReturnValuesOnConditionCheckFailure: p.ReturnValuesOnConditionCheckFailure,
			}))
		}
		if d := part.Delete; d != nil {
			add("DeleteItem", d.TableName, deleteItem(&api.DeleteItemInput{
				Key: d.Key, ConditionExpression: d.ConditionExpression, ExpressionAttributeNames: d.ExpressionAttributeNames,
				ExpressionAttributeValues:           d.ExpressionAttributeValues,
				ReturnValuesOnConditionCheckFailure: d.ReturnValuesOnConditionCheckFailure,
			}))
		}
		if u := part.Update; u != nil {
			add("UpdateItem", u.TableName, updateItem(&api.UpdateItemInput{
				Key: u.Key, UpdateExpression: u.UpdateExpression, ConditionExpression: u.ConditionExpression,
				ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
				ReturnValuesOnConditionCheckFailure: u.ReturnValuesOnConditionCheckFailure,
			}))
		}
	}
	return needs
}

func conditionCheck(in *api.ConditionCheck) items {
	return items{
		keys: partitionKeys(in.Key),
		names: func(m *mentions) {
			m.with(in.ExpressionAttributeNames, in.ExpressionAttributeValues).item(in.Key).condition(expr.ConditionExpression, in.ConditionExpression)
		},
		returned: returned(nil, in.ReturnValuesOnConditionCheckFailure),
	}
}
