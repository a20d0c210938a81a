package ops

import (
	"context"
	"crypto/sha256"

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
	bytes := 0
	for i := range in.TransactItems {
		var err error
		if t.actions[i], err = newTransactAction(&in.TransactItems[i], blind(nil, in.ReturnConsumedCapacity)); err != nil {
			return t, err
		}
		bytes += payloadBytes(&in.TransactItems[i])
	}
	if bytes > transactBytesMax {
		return t, bare.refuse(transactTooLarge)
	}
	if t.token != "" {
		t.hash = parametersOf(in)
	}
	return t, nil
}

// parametersOf is the hash by which a request is known again: what it only asks to be told does not count (semantics §12.6).
func parametersOf(in *api.TransactWriteItemsInput) [16]byte {
	asked := api.TransactWriteItemsInput{TransactItems: in.TransactItems}
	sum := sha256.Sum256(asked.AppendJSON(nil))
	return [16]byte(sum[:])
}

// newTransactAction checks one action. blind tells that the answer says nothing of items as they were.
func newTransactAction(i *api.TransactWriteItem, blind bool) (transactAction, error) {
	given := 0
	for _, is := range []bool{i.ConditionCheck != nil, i.Put != nil, i.Delete != nil, i.Update != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return transactAction{}, bare.refuse("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	switch {
	case i.ConditionCheck != nil:
		return newCheckAction(i.ConditionCheck)
	case i.Put != nil:
		return newPutAction(i.Put, blind)
	case i.Delete != nil:
		return newDeleteAction(i.Delete, blind)
	}
	return newUpdateAction(i.Update)
}

func newPutAction(p *api.Put, blind bool) (transactAction, error) {
	wish, err := bare.put(&api.PutItemInput{
		Item: p.Item, ConditionExpression: p.ConditionExpression,
		ExpressionAttributeNames: p.ExpressionAttributeNames, ExpressionAttributeValues: p.ExpressionAttributeValues,
	})
	wish.blind = blind
	return transactAction{
		planner: &wish, name: *p.TableName, key: p.Item, onFailure: p.ReturnValuesOnConditionCheckFailure,
	}, err
}

func newDeleteAction(d *api.Delete, blind bool) (transactAction, error) {
	wish, err := bare.removal(&api.DeleteItemInput{
		Key: d.Key, ConditionExpression: d.ConditionExpression,
		ExpressionAttributeNames: d.ExpressionAttributeNames, ExpressionAttributeValues: d.ExpressionAttributeValues,
	})
	wish.blind = blind
	return transactAction{
		planner: &wish, name: *d.TableName, key: d.Key, onFailure: d.ReturnValuesOnConditionCheckFailure,
	}, err
}

func newUpdateAction(u *api.Update) (transactAction, error) {
	wish, err := bare.change(&api.UpdateItemInput{
		Key: u.Key, UpdateExpression: u.UpdateExpression, ConditionExpression: u.ConditionExpression,
		ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
	})
	return transactAction{
		planner: &wish, name: *u.TableName, key: u.Key, onFailure: u.ReturnValuesOnConditionCheckFailure,
	}, err
}

func newCheckAction(c *api.ConditionCheck) (transactAction, error) {
	wish, err := bare.removal(&api.DeleteItemInput{
		Key: c.Key, ConditionExpression: c.ConditionExpression,
		ExpressionAttributeNames: c.ExpressionAttributeNames, ExpressionAttributeValues: c.ExpressionAttributeValues,
	})
	return transactAction{
		planner: &check{key: wish.key, condition: wish.condition}, name: *c.TableName, key: c.Key,
		onFailure: c.ReturnValuesOnConditionCheckFailure,
	}, err
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

// payloadBytes is what one action carries: the item or key, and the values of its expressions.
func payloadBytes(i *api.TransactWriteItem) int {
	switch {
	case i.Put != nil:
		return sizeOf(i.Put.Item) + sizeOf(i.Put.ExpressionAttributeValues)
	case i.Update != nil:
		return sizeOf(i.Update.Key) + sizeOf(i.Update.ExpressionAttributeValues)
	case i.Delete != nil:
		return sizeOf(i.Delete.Key) + sizeOf(i.Delete.ExpressionAttributeValues)
	}
	return sizeOf(i.ConditionCheck.Key) + sizeOf(i.ConditionCheck.ExpressionAttributeValues)
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
