package model_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stator/internal/jobs/split"
)

// splitsMax bounds the splits of one table.
const splitsMax = 8

// model is one table with what must be in it: a map.
type model struct {
	db    *database
	table *table
	items map[string]item // by the text of their keys
	// splits counts those made; negative, none are.
	splits int
	added  int
}

// Random tables get random writes and are asked random questions, and answer as a map would: on the usual partitions, on
// many, and on ones that are split meanwhile.
func TestTablesAnswerAsAMapWould(t *testing.T) {
	for name, c := range map[string]struct{ partitions, splits, globals int }{
		"default":       {partitions: 0, splits: -1, globals: 3},
		"64 partitions": {partitions: 64, splits: -1, globals: 1}, // of each index, too
		"splits":        {partitions: 1, splits: 0, globals: 3},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, c.partitions)
			steps := 0
			rapid.Check(t, func(t *rapid.T) {
				db.made++
				m := &model{db: db, table: drawTable(t, fmt.Sprint("table", db.made), c.globals), items: map[string]item{}, splits: c.splits}
				db.must(t, "CreateTable", m.table.creation())
				db.active(t, m.table.name)
				t.Repeat(map[string]func(*rapid.T){
					"put": m.put, "put again": m.put, "put more": m.put, "update": m.update, "update again": m.update, "delete": m.delete,
					"batch write": m.batchWrite, "get": m.get, "batch get": m.batchGet, "query": m.query, "query again": m.query,
					"query more": m.query, "scan": m.scan, "change indexes": m.changeIndexes,
					"": func(t *rapid.T) { steps++; m.unrest(t) },
				})
				m.end(t)
			})
			t.Logf("%d steps", steps)
		})
	}
}

// unrest splits a partition now and then, also between two pages.
func (m *model) unrest(t *rapid.T) {
	if m.splits < 0 || m.splits >= splitsMax || rapid.IntRange(0, 5).Draw(t, "split") > 0 {
		return
	}
	m.splits++
	if _, err := m.db.node.Split(context.Background(), m.table.name, nil); err != nil && !errors.Is(err, split.ErrNothing) {
		t.Fatalf("splitting: %v", err)
	}
}

func (m *model) drawKey(t *rapid.T) item {
	key := item{"h": anyOf(t, m.table.self.hash[0].kind, 3, "h")}
	if len(m.table.self.rng) > 0 {
		key["r"] = anyOf(t, m.table.self.rng[0].kind, 10, "r")
	}
	return key
}

// drawItem makes up an item. What is in no key may have any type; an index that is added later passes over it.
func (m *model) drawItem(t *rapid.T) item {
	made := m.drawKey(t)
	for _, c := range m.table.columns[2:] {
		switch kind := rapid.IntRange(0, 5).Draw(t, "has "+c.name); {
		case kind == 0 && !m.table.keyed(c.name):
			made[c.name] = anyOf(t, rapid.SampledFrom(kinds).Draw(t, "another type"), 4, c.name)
		case kind > 1:
			made[c.name] = anyOf(t, c.kind, 3, c.name)
		}
	}
	if len(m.table.self.rng) == 0 && rapid.Bool().Draw(t, "has r") {
		made["r"] = anyOf(t, "S", 4, "r")
	}
	if rapid.Bool().Draw(t, "has counter") {
		made[counter] = number(rapid.Int64Range(-3, 3).Draw(t, "counter"))
	}
	if rapid.Bool().Draw(t, "has note") {
		made[note] = anyOf(t, "S", 4, "note")
	}
	if m.table.heavy {
		made[filler] = value{"S", strings.Repeat("f", 70_000)}
	}
	return made
}

func (m *model) keyOf(i item) item { return i.only(names(m.table.self.hash, m.table.self.rng)) }

func (m *model) put(t *rapid.T) {
	made := m.drawItem(t)
	key := m.keyOf(made)
	request := object{"TableName": m.table.name, "Item": made, "ReturnValues": "ALL_OLD"}
	before, there := m.items[key.String()]
	refusal := ""
	switch rapid.IntRange(0, 5).Draw(t, "put how") {
	case 0:
		request["ConditionExpression"] = "attribute_not_exists(h)"
		if there {
			refusal = "ConditionalCheckFailedException"
		}
	case 1:
		if c := m.indexed(t); c.name != "" {
			made[c.name] = value{map[string]string{"S": "N", "N": "B", "B": "S"}[c.kind], "1"}
			refusal = "ValidationException"
		}
	}
	r, refused := m.db.ask(t, "PutItem", request)
	if refused != "" || refusal != "" {
		if refusal == "" || !strings.HasPrefix(refused, refusal) {
			t.Fatalf("putting %v is refused: %q, want %q", made, refused, refusal)
		}
		return
	}
	if r.Attributes.String() != before.String() {
		t.Fatalf("putting %v replaces %v, want %v", made, r.Attributes, before)
	}
	m.items[key.String()] = made
}

// indexed draws an attribute that only an index has in its key, none if there is none.
func (m *model) indexed(t *rapid.T) column {
	var all []column
	for _, c := range m.table.columns[1:] {
		if m.table.keyed(c.name) && !slices.Contains(names(m.table.self.hash, m.table.self.rng), c.name) {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return column{}
	}
	return rapid.SampledFrom(all).Draw(t, "indexed attribute")
}

// update changes or removes an attribute, or counts.
func (m *model) update(t *rapid.T) {
	key := m.drawKey(t)
	c := rapid.SampledFrom(m.table.columns[2:]).Draw(t, "attribute")
	set := anyOf(t, c.kind, 3, "new value")
	before, there := m.items[key.String()]
	after := maps.Clone(before)
	if !there {
		after = maps.Clone(key)
	}
	request := object{"TableName": m.table.name, "Key": key, "ReturnValues": "ALL_NEW"}
	counted := number(1)
	if was, ok := after[counter]; ok {
		counted = number(count(was) + 1)
	}
	switch rapid.IntRange(0, 2).Draw(t, "update how") {
	case 0:
		request["UpdateExpression"] = "SET #c = :v ADD n :one"
		request["ExpressionAttributeNames"] = object{"#c": c.name}
		request["ExpressionAttributeValues"] = object{":v": set, ":one": number(1)}
		after[c.name], after[counter] = set, counted
	case 1:
		request["UpdateExpression"] = "ADD n :one"
		request["ExpressionAttributeValues"] = object{":one": number(1)}
		after[counter] = counted
	default:
		request["UpdateExpression"] = "REMOVE #c"
		request["ExpressionAttributeNames"] = object{"#c": c.name}
		delete(after, c.name)
		if !there {
			after = nil
		}
	}
	r := m.db.must(t, "UpdateItem", request)
	if r.Attributes.String() != after.String() {
		t.Fatalf("updating %v by %v makes %v, want %v", before, request, r.Attributes, after)
	}
	if after != nil {
		m.items[key.String()] = after
	}
}

func count(v value) (n int64) {
	if _, err := fmt.Sscan(v.text, &n); err != nil {
		panic(err)
	}
	return n
}

func (m *model) delete(t *rapid.T) {
	key := m.drawKey(t)
	r := m.db.must(t, "DeleteItem", object{"TableName": m.table.name, "Key": key, "ReturnValues": "ALL_OLD"})
	if before := m.items[key.String()]; r.Attributes.String() != before.String() {
		t.Fatalf("deleting %v takes %v, want %v", key, r.Attributes, before)
	}
	delete(m.items, key.String())
}

func (m *model) batchWrite(t *rapid.T) {
	var requests []object
	touched := map[string]bool{}
	for range rapid.IntRange(1, 8).Draw(t, "writes") {
		made := m.drawItem(t)
		key := m.keyOf(made)
		if touched[key.String()] {
			continue
		}
		touched[key.String()] = true
		if rapid.IntRange(0, 3).Draw(t, "batched delete") == 0 {
			requests = append(requests, object{"DeleteRequest": object{"Key": key}})
			delete(m.items, key.String())
		} else {
			requests = append(requests, object{"PutRequest": object{"Item": made}})
			m.items[key.String()] = made
		}
	}
	m.db.must(t, "BatchWriteItem", object{"RequestItems": object{m.table.name: requests}})
}

// changeIndexes adds a global index to the table with its items, or takes one away.
func (m *model) changeIndexes(t *rapid.T) {
	globals := slices.IndexFunc(m.table.indexes, func(ix index) bool { return !ix.local })
	if m.added >= 2 {
		t.Skip("enough")
	}
	m.added++
	change := object{}
	if globals >= 0 && rapid.Bool().Draw(t, "take away") {
		change["Delete"] = object{"IndexName": m.table.indexes[globals].name}
		m.table.indexes = slices.Delete(m.table.indexes, globals, globals+1)
	} else {
		ix := m.table.drawGlobal(t, 5+m.added)
		change["Create"] = wish(&ix)
		m.table.indexes = append(m.table.indexes, ix)
	}
	m.db.must(t, "UpdateTable", object{"TableName": m.table.name, "GlobalSecondaryIndexUpdates": []object{change},
		"AttributeDefinitions": m.table.creation()["AttributeDefinitions"]})
	eventually(t, func() error {
		have := m.db.must(t, "DescribeTable", object{"TableName": m.table.name}).Table.GlobalSecondaryIndexes
		for _, ix := range have {
			if ix.IndexStatus != "ACTIVE" || m.table.index(ix.IndexName) == &m.table.self {
				return fmt.Errorf("index %s is %s", ix.IndexName, ix.IndexStatus)
			}
		}
		return nil
	})
	m.db.active(t, m.table.name)
}

// end reads everything once more, and the counts that the table says of itself.
func (m *model) end(t *rapid.T) {
	sources := []*index{&m.table.self}
	want := map[string]int{"": len(m.items)}
	for i := range m.table.indexes {
		sources = append(sources, &m.table.indexes[i])
	}
	for _, ix := range sources {
		q := &question{index: ix, shown: ix.shown, names: object{}, values: object{}}
		m.ask(t, q, 0)
		_, want[ix.name] = q.answer(m.items)
	}
	eventually(t, func() error {
		said := m.db.must(t, "DescribeTable", object{"TableName": m.table.name}).Table
		got := map[string]int{"": said.ItemCount}
		for _, ix := range append(said.LocalSecondaryIndexes, said.GlobalSecondaryIndexes...) {
			got[ix.IndexName] = ix.ItemCount
		}
		if !maps.Equal(got, want) {
			return fmt.Errorf("the table says it holds %v, want %v", got, want)
		}
		return nil
	})
	m.db.drop(t, m.table.name)
}
