package shapes

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/partition/command"
)

// Draw draws items, and writes to them.
type Draw struct {
	Random *rand.Rand
	// Keys is how many partition keys there are, and how many sort keys of each.
	Keys int

	tags int64
}

// Key draws one of the few keys of a table.
func (d *Draw) Key(s Shape) attr.Map { return s.Key(d.Random.IntN(d.Keys), d.Random.IntN(d.Keys)) }

// Tag is a number that no other write has.
func (d *Draw) Tag() int64 {
	d.tags++
	return d.tags
}

// item draws a whole item under a key: index keys are there or not, of the right type and size or not.
func (d *Draw) item(key attr.Map) attr.Map {
	item := key.With(Tag, attr.Int(d.Tag()))
	if value := group(d.Random); value != nil {
		item = item.With(Group, value)
	}
	switch d.Random.IntN(8) {
	case 0:
	case 1:
		item = item.With(Count, attr.String("not a number"))
	default:
		item = item.With(Count, attr.Int(int64(d.Random.IntN(5))))
	}
	if d.Random.IntN(3) > 0 {
		item = item.With(Local, attr.String(fmt.Sprintf("l%d", d.Random.IntN(4))))
	}
	if d.Random.IntN(2) == 0 {
		item = item.With(Ends, end(d.Random)).With(Until, end(d.Random))
	}
	if d.Random.IntN(4) == 0 {
		item = item.With(Filler, attr.String(strings.Repeat("x", d.Random.IntN(2000))))
	}
	return item
}

// end draws a time to live, far behind the end of every run: what no client asks for would have no place in a history.
// Some are no times.
func end(random *rand.Rand) attr.Value {
	switch random.IntN(6) {
	case 0:
		return attr.String("4000000000")
	case 1:
		return attr.Int(0)
	default:
		return attr.Int(4_000_000_000 + random.Int64N(4))
	}
}

// group draws a key of the global indexes, nil for none. Some are of the wrong type, some are too long.
func group(random *rand.Rand) attr.Value {
	switch random.IntN(12) {
	case 0, 1:
		return nil
	case 2:
		return attr.Int(7)
	case 3:
		return attr.String(strings.Repeat("long", 600))
	default:
		return attr.String(fmt.Sprintf("g%d", random.IntN(4)))
	}
}

// Put draws a put.
func (d *Draw) Put(s Shape) command.Command {
	key := d.Key(s)
	c := command.Command{Action: command.Put, Key: s.Suffix(key), Item: d.item(key), Blind: d.Random.IntN(2) == 0}
	if d.Random.IntN(4) == 0 {
		c.Condition = Condition("attribute_not_exists(" + Hash + ")")
	}
	return c
}

// Update draws an update.
func (d *Draw) Update(s Shape) command.Command {
	key := d.Key(s)
	texts := []string{"SET tag = :t ADD n :one", "SET tag = :t REMOVE g", "SET tag = :t, g = :g", "SET tag = :t, l = :l", "SET tag = :t REMOVE l",
		"SET tag = :t, ends = :e", "SET tag = :t REMOVE ends"}
	text := texts[d.Random.IntN(len(texts))]
	values := map[string]attr.Value{":t": attr.Int(d.Tag())}
	switch text {
	case texts[0]:
		values[":one"] = attr.Int(1)
	case texts[2]:
		if values[":g"] = group(d.Random); values[":g"] == nil {
			values[":g"] = attr.String("g0")
		}
	case texts[3]:
		values[":l"] = attr.String(fmt.Sprintf("l%d", d.Random.IntN(4)))
	case texts[5]:
		values[":e"] = end(d.Random)
	}
	var entries []attr.Entry
	for _, name := range []string{":t", ":one", ":g", ":l", ":e"} {
		if v, ok := values[name]; ok {
			entries = append(entries, attr.Entry{Name: name, Value: v})
		}
	}
	return command.Command{Action: command.Update, Key: s.Suffix(key), Item: key, Update: update(text, entries)}
}

// Remove draws a delete.
func (d *Draw) Remove(s Shape) command.Command {
	c := command.Command{Action: command.Delete, Key: s.Suffix(d.Key(s)), Blind: d.Random.IntN(2) == 0}
	if d.Random.IntN(3) == 0 {
		c.Condition = Condition("attribute_exists(" + Count + ")")
	}
	return c
}

// Action draws one of the actions of a transaction: of so many kinds, the fifth of which is a check.
func (d *Draw) Action(s Shape, kinds int) command.Command {
	switch d.Random.IntN(kinds) {
	case 0:
		return d.Put(s)
	case 1, 2:
		return d.Update(s)
	case 3:
		return d.Remove(s)
	}
	c := d.Remove(s)
	c.Action = command.Check
	return c
}

// Condition is a condition without values.
func Condition(text string) *expr.Condition { return condition(text, nil) }

func condition(text string, values attr.Map) *expr.Condition {
	parsed, err := expr.ParseCondition(expr.ConditionExpression, text, expr.NewNames(nil, values))
	if err != nil {
		panic(fmt.Sprintf("parsing %q: %v", text, err))
	}
	return parsed
}

func update(text string, values []attr.Entry) *expr.Update {
	parsed, err := expr.ParseUpdate(text, expr.NewNames(nil, attr.NewMap(values)))
	if err != nil {
		panic(fmt.Sprintf("parsing %q: %v", text, err))
	}
	return parsed
}
