package iam

import (
	"maps"
	"slices"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
)

// itemNeeds are those of operations on items; ok is false for another operation.
func (g *Guard) itemNeeds(r *Request) (needs []need, ok bool) {
	switch in := r.Input.(type) {
	case *api.GetItemInput:
		return g.one(r, in.TableName, nil, getItem(in)), true
	case *api.PutItemInput:
		return g.one(r, in.TableName, nil, putItem(in)), true
	case *api.UpdateItemInput:
		return g.one(r, in.TableName, nil, updateItem(in)), true
	case *api.DeleteItemInput:
		return g.one(r, in.TableName, nil, deleteItem(in)), true
	case *api.QueryInput:
		return g.one(r, in.TableName, in.IndexName, query(in)), true
	case *api.ScanInput:
		return g.one(r, in.TableName, in.IndexName, scan(in)), true
	case *api.BatchGetItemInput:
		return g.batchGet(r, in), true
	case *api.BatchWriteItemInput:
		return g.batchWrite(r, in), true
	case *api.TransactGetItemsInput:
		return g.transactGet(in), true
	case *api.TransactWriteItemsInput:
		return g.transactWrite(in), true
	}
	return nil, false
}

// one needs the operation's own action on one table or index.
func (g *Guard) one(r *Request, tableName, index *string, done items) []need {
	n := g.onTable(r.Action, *tableName, index)
	n.items = done
	return []need{n}
}

func getItem(in *api.GetItemInput) items {
	return items{
		keys: partitionKeys(in.Key),
		names: func(m *mentions) {
			m.with(in.ExpressionAttributeNames, nil).item(in.Key).projection(in.ProjectionExpression, in.AttributesToGet)
		},
		selected: selected(nil, in.ProjectionExpression != nil || in.AttributesToGet != nil, false),
		capacity: in.ReturnConsumedCapacity,
	}
}

func putItem(in *api.PutItemInput) items {
	return items{
		keys: partitionKeys(in.Item),
		names: func(m *mentions) {
			m.with(in.ExpressionAttributeNames, in.ExpressionAttributeValues).item(in.Item)
			mentionKeys(m.condition(expr.ConditionExpression, in.ConditionExpression), in.Expected)
		},
		returned: returned(in.ReturnValues, in.ReturnValuesOnConditionCheckFailure),
		capacity: in.ReturnConsumedCapacity,
	}
}

func updateItem(in *api.UpdateItemInput) items {
	return items{
		keys: partitionKeys(in.Key),
		names: func(m *mentions) {
			m.with(in.ExpressionAttributeNames, in.ExpressionAttributeValues).item(in.Key).update(in.UpdateExpression)
			mentionKeys(m.condition(expr.ConditionExpression, in.ConditionExpression), in.Expected)
			mentionKeys(m, in.AttributeUpdates)
		},
		returned: returned(in.ReturnValues, in.ReturnValuesOnConditionCheckFailure),
		capacity: in.ReturnConsumedCapacity,
	}
}

func deleteItem(in *api.DeleteItemInput) items {
	return items{
		keys: partitionKeys(in.Key),
		names: func(m *mentions) {
			m.with(in.ExpressionAttributeNames, in.ExpressionAttributeValues).item(in.Key)
			mentionKeys(m.condition(expr.ConditionExpression, in.ConditionExpression), in.Expected)
		},
		returned: returned(in.ReturnValues, in.ReturnValuesOnConditionCheckFailure),
		capacity: in.ReturnConsumedCapacity,
	}
}

func query(in *api.QueryInput) items {
	return items{
		keys: func(k table.Key) []string { return queriedKeys(in, k) },
		names: func(m *mentions) {
			m.with(in.ExpressionAttributeNames, in.ExpressionAttributeValues).keyCondition(in.KeyConditionExpression)
			m.condition(expr.FilterExpression, in.FilterExpression).projection(in.ProjectionExpression, in.AttributesToGet)
			mentionKeys(mentionKeys(m, in.KeyConditions), in.QueryFilter)
		},
		selected: selected(in.Select, in.ProjectionExpression != nil || in.AttributesToGet != nil, in.IndexName != nil),
		capacity: in.ReturnConsumedCapacity,
	}
}

// queriedKeys is the partition key that a query asks for. A query that asks for none is refused by the operation.
func queriedKeys(in *api.QueryInput, k table.Key) []string {
	name := k.Hash[0].Name
	if in.KeyConditionExpression == nil {
		return legacyKeys(in.KeyConditions[name])
	}
	condition, err := expr.ParseKeyCondition(*in.KeyConditionExpression, expr.NewNames(in.ExpressionAttributeNames, in.ExpressionAttributeValues))
	if err != nil {
		return nil
	}
	for _, part := range condition.Parts {
		if part.Name == name && part.Op == expr.EQ {
			return appendText(nil, part.Values[0])
		}
	}
	return nil
}

func legacyKeys(c api.Condition) (texts []string) {
	if c.ComparisonOperator != nil && *c.ComparisonOperator == api.ComparisonOperatorEq {
		for _, v := range c.AttributeValueList {
			texts = appendText(texts, v)
		}
	}
	return texts
}

func scan(in *api.ScanInput) items {
	return items{
		names: func(m *mentions) {
			m.with(in.ExpressionAttributeNames, in.ExpressionAttributeValues).condition(expr.FilterExpression, in.FilterExpression)
			mentionKeys(m.projection(in.ProjectionExpression, in.AttributesToGet), in.ScanFilter)
		},
		selected: selected(in.Select, in.ProjectionExpression != nil || in.AttributesToGet != nil, in.IndexName != nil),
		capacity: in.ReturnConsumedCapacity,
	}
}

// batchGet needs the batch's action on each of its tables, for all that it asks of the table together.
func (g *Guard) batchGet(r *Request, in *api.BatchGetItemInput) (needs []need) {
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		part := in.RequestItems[name]
		n := g.onTable(r.Action, name, nil)
		n.items = items{
			keys: partitionKeys(part.Keys...),
			names: func(m *mentions) {
				m.with(part.ExpressionAttributeNames, nil).projection(part.ProjectionExpression, part.AttributesToGet)
				for _, key := range part.Keys {
					m.item(key)
				}
			},
			selected: selected(nil, part.ProjectionExpression != nil || part.AttributesToGet != nil, false),
			capacity: in.ReturnConsumedCapacity,
		}
		needs = append(needs, n)
	}
	return needs
}

func (g *Guard) batchWrite(r *Request, in *api.BatchWriteItemInput) (needs []need) {
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		var written []attr.Map
		for _, w := range in.RequestItems[name] {
			if w.PutRequest != nil {
				written = append(written, w.PutRequest.Item)
			}
			if w.DeleteRequest != nil {
				written = append(written, w.DeleteRequest.Key)
			}
		}
		n := g.onTable(r.Action, name, nil)
		n.items = items{
			keys: partitionKeys(written...),
			names: func(m *mentions) {
				for _, item := range written {
					m.item(item)
				}
			},
			capacity: in.ReturnConsumedCapacity,
		}
		needs = append(needs, n)
	}
	return needs
}
