package replication

import (
	"fmt"
	"strings"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/sim/history"
)

// The attributes of items. No two writes share a tag, so an item tells which write made it.
const (
	attrHash   = "pk"
	attrRange  = "sk"
	attrTag    = history.Tag
	attrCount  = history.Count
	attrLocal  = "l"
	attrEnds   = "ends"
	attrFiller = "filler"
)

// ranges is how many items a collection has at most.
const ranges = 3

// key draws one of the few keys.
func (w *world) key() attr.Map {
	return attr.NewMap([]attr.Entry{
		{Name: attrHash, Value: attr.String(fmt.Sprintf("p%d", w.Random.IntN(w.habits.keys)))},
		{Name: attrRange, Value: attr.Int(int64(w.Random.IntN(ranges)))},
	})
}

// suffix is the key suffix of a key.
func suffix(key attr.Map) []byte {
	hash, _ := key.Get(attrHash)
	rng, _ := key.Get(attrRange)
	return keys.Suffix([]attr.Value{hash}, []attr.Value{rng})
}

func (w *world) tag() attr.Value {
	w.tags++
	return attr.Int(w.tags)
}

// item draws a whole item under a key.
func (w *world) item(key attr.Map) attr.Map {
	item := key.With(attrTag, w.tag()).With(attrCount, attr.Int(int64(w.Random.IntN(5))))
	if w.Chance(60) {
		item = item.With(attrLocal, attr.String(fmt.Sprintf("l%d", w.Random.IntN(4))))
	}
	if w.Chance(30) {
		item = item.With(attrEnds, attr.Int(4_000_000_000+w.Random.Int64N(4)))
	}
	if w.Chance(10) {
		item = item.With(attrFiller, attr.String(strings.Repeat("x", w.Random.IntN(3000))))
	}
	return item
}

// put, update and remove draw commands.
func (w *world) put() *command.Command {
	key := w.key()
	c := w.command(command.Put, key)
	c.Item, c.Blind = w.item(key), w.Chance(30)
	if w.Chance(25) {
		c.Condition = condition("attribute_not_exists(" + attrHash + ")")
	}
	return c
}

func (w *world) update() *command.Command {
	key := w.key()
	c := w.command(command.Update, key)
	c.Item = key
	texts := []string{"SET tag = :t ADD n :one", "SET tag = :t REMOVE l", "SET tag = :t REMOVE ends"}
	values := []attr.Entry{{Name: ":t", Value: w.tag()}}
	at := w.Random.IntN(len(texts))
	if at == 0 {
		values = append(values, attr.Entry{Name: ":one", Value: attr.Int(1)})
	}
	parsed, err := expr.ParseUpdate(texts[at], expr.NewNames(nil, attr.NewMap(values)))
	if err != nil {
		panic(err)
	}
	c.Update = parsed
	return c
}

func (w *world) remove() *command.Command {
	c := w.command(command.Delete, w.key())
	c.Blind = w.Chance(30)
	if w.Chance(30) {
		c.Condition = condition("attribute_exists(" + attrCount + ")")
	}
	return c
}

func (w *world) command(action command.Action, key attr.Map) *command.Command {
	return &command.Command{Action: action, Table: tableID, TableVersion: w.layout.table.Version, Key: suffix(key)}
}

func condition(text string) *expr.Condition {
	parsed, err := expr.ParseCondition(expr.ConditionExpression, text, expr.NewNames(nil, nil))
	if err != nil {
		panic(err)
	}
	return parsed
}
