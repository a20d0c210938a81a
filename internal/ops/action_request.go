package ops

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"stator/internal/base/wire"
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// actionRequest is one action of TransactWriteItems: what its four kinds have in common, which is nearly all.
type actionRequest struct {
	kind command.Action
	// item is a put's, or holds the key.
	item                     attr.Map
	table, update, condition *string
	names                    map[string]string
	values                   attr.Map
	onFailure                *string
}

func newActionRequest(i *api.TransactWriteItem) (r actionRequest, err error) {
	given := 0
	if c := i.ConditionCheck; c != nil {
		given++
		r = actionRequest{command.Check, c.Key, c.TableName, nil, c.ConditionExpression,
			c.ExpressionAttributeNames, c.ExpressionAttributeValues, c.ReturnValuesOnConditionCheckFailure}
	}
	if p := i.Put; p != nil {
		given++
		r = actionRequest{command.Put, p.Item, p.TableName, nil, p.ConditionExpression,
			p.ExpressionAttributeNames, p.ExpressionAttributeValues, p.ReturnValuesOnConditionCheckFailure}
	}
	if d := i.Delete; d != nil {
		given++
		r = actionRequest{command.Delete, d.Key, d.TableName, nil, d.ConditionExpression,
			d.ExpressionAttributeNames, d.ExpressionAttributeValues, d.ReturnValuesOnConditionCheckFailure}
	}
	if u := i.Update; u != nil {
		given++
		r = actionRequest{command.Update, u.Key, u.TableName, u.UpdateExpression, u.ConditionExpression,
			u.ExpressionAttributeNames, u.ExpressionAttributeValues, u.ReturnValuesOnConditionCheckFailure}
	}
	if given == 0 {
		return r, bare.refuse("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
	}
	if given > 1 {
		return r, bare.refuse("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	return r, nil
}

// action checks the request as that of the operation of its kind. blind tells that the answer says nothing of items as they
// were.
func (r *actionRequest) action(blind bool) (transactAction, error) {
	w, err := r.planner(blind)
	return transactAction{planner: w, name: *r.table, key: r.item, onFailure: r.onFailure}, err
}

// checkIdleNames checks names and values that come without an expression: within a transaction they have to be well formed and nothing else.
func checkIdleNames(names map[string]string, values attr.Map) error {
	return older.refuseExpression(newExpressions(older, names, values).err)
}

func (r *actionRequest) planner(blind bool) (planner, error) {
	if r.condition == nil && r.update == nil {
		if err := checkIdleNames(r.names, r.values); err != nil {
			return nil, err
		}
		r.names, r.values = nil, nil
	}
	switch r.kind {
	case command.Put:
		wish, err := older.put(&api.PutItemInput{
			Item: r.item, ConditionExpression: r.condition, ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values,
		})
		wish.blind = blind
		return &wish, err
	case command.Update:
		wish, err := older.change(&api.UpdateItemInput{
			Key: r.item, UpdateExpression: r.update, ConditionExpression: r.condition,
			ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values,
		})
		return &wish, err
	}
	wish, err := older.removal(&api.DeleteItemInput{
		Key: r.item, ConditionExpression: r.condition, ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values,
	})
	if r.kind == command.Check {
		return &check{key: wish.key, condition: wish.condition}, err
	}
	wish.blind = blind
	return &wish, err
}

// parametersOf is the hash by which a request is known again: what it only asks to be told does not count (semantics §12.6).
// Items and values are canonical as they are at hand, so that no order of attributes in the request matters. bytes is
// about how many there are.
func parametersOf(requests []actionRequest, bytes int) [16]byte {
	all := make([]byte, 0, bytes+len(requests)*parametersRoomBytes)
	for i := range requests {
		all = requests[i].append(all)
	}
	sum := sha256.Sum256(all)
	return [16]byte(sum[:])
}

// parametersRoomBytes is what an action mostly needs besides its item and values.
const parametersRoomBytes = 256

// append appends the request so that no two different ones look alike.
func (r *actionRequest) append(dst []byte) []byte {
	dst = append(dst, byte(r.kind))
	for _, text := range []*string{r.table, r.update, r.condition, r.onFailure} {
		if text == nil {
			dst = append(dst, 0)
			continue
		}
		dst = wire.AppendText(append(dst, 1), *text)
	}
	dst = wire.AppendBytes(wire.AppendBytes(dst, r.item), r.values)
	dst = binary.AppendUvarint(dst, uint64(len(r.names)))
	for _, name := range slices.Sorted(maps.Keys(r.names)) {
		dst = wire.AppendText(wire.AppendText(dst, name), r.names[name])
	}
	return dst
}
