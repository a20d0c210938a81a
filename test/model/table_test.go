package model_test

import (
	"slices"

	"pgregory.net/rapid"
)

// column is an attribute that may be part of a key, with the type that its table declares.
type column struct{ name, kind string }

// index is an index of the table, or, with no name, the table itself.
type index struct {
	name      string
	local     bool
	hash, rng []column
	// shown lists the attributes that entries hold; nil is all.
	shown []string
	kind  string // of the projection
}

// table is a table that the model drew.
type table struct {
	name    string
	self    index
	columns []column // h, r and a to f, whether or not they are in a key
	indexes []index
	// heavy tables have items of which few fit into a page.
	heavy bool
}

// The attributes besides columns: a counter, a note, and what makes items heavy.
const (
	counter = "n"
	note    = "x"
	filler  = "filler"
)

var pool = []string{"h", "r", "a", "b", "c", "d", "e", "f"}

// drawTable makes up a table with its indexes, so many global ones at most.
func drawTable(t *rapid.T, name string, globals int) *table {
	made := &table{name: name, heavy: rapid.IntRange(0, 9).Draw(t, "heavy") == 0}
	for _, name := range pool {
		made.columns = append(made.columns, column{name, rapid.SampledFrom(kinds).Draw(t, "type of "+name)})
	}
	made.self.hash = made.columns[:1]
	if rapid.IntRange(0, 3).Draw(t, "ranged") > 0 {
		made.self.rng = made.columns[1:2]
		for i := range rapid.IntRange(0, 2).Draw(t, "local indexes") {
			made.indexes = append(made.indexes, made.drawLocal(t, i))
		}
	}
	for i := range rapid.IntRange(0, globals).Draw(t, "global indexes") {
		made.indexes = append(made.indexes, made.drawGlobal(t, i))
	}
	return made
}

func (tb *table) drawLocal(t *rapid.T, i int) index {
	ix := index{name: "local" + string(rune('0'+i)), local: true, hash: tb.self.hash}
	ix.rng = []column{rapid.SampledFrom(tb.columns[2:]).Draw(t, "local range")}
	tb.drawProjection(t, &ix)
	return ix
}

// drawGlobal makes a global index of one attribute or two, or of up to four and four. It may use the table's own keys.
func (tb *table) drawGlobal(t *rapid.T, i int) index {
	ix := index{name: "global" + string(rune('0'+i))}
	free := slices.Clone(tb.columns)
	if len(tb.self.rng) == 0 {
		free = slices.Delete(free, 1, 2)
	}
	pick := func(label string) column {
		at := rapid.IntRange(0, len(free)-1).Draw(t, label)
		c := free[at]
		free = slices.Delete(free, at, at+1)
		return c
	}
	hashes, ranges := 1, rapid.IntRange(0, 1).Draw(t, "global range")
	if rapid.IntRange(0, 2).Draw(t, "many attributes") == 0 {
		hashes, ranges = rapid.IntRange(1, 3).Draw(t, "hashes"), rapid.IntRange(0, 4).Draw(t, "ranges")
	}
	for range hashes {
		ix.hash = append(ix.hash, pick("global hash"))
	}
	for range ranges {
		ix.rng = append(ix.rng, pick("global range attribute"))
	}
	tb.drawProjection(t, &ix)
	return ix
}

func (tb *table) drawProjection(t *rapid.T, ix *index) {
	ix.kind = rapid.SampledFrom([]string{"ALL", "KEYS_ONLY", "INCLUDE"}).Draw(t, "projection")
	if ix.kind == "ALL" {
		return
	}
	ix.shown = names(tb.self.hash, tb.self.rng, ix.hash, ix.rng)
	if ix.kind == "INCLUDE" {
		ix.shown = append(ix.shown, note)
	}
}

func names(lists ...[]column) (all []string) {
	for _, list := range lists {
		for _, c := range list {
			if !slices.Contains(all, c.name) {
				all = append(all, c.name)
			}
		}
	}
	return all
}

func (tb *table) index(name string) *index {
	for i := range tb.indexes {
		if tb.indexes[i].name == name {
			return &tb.indexes[i]
		}
	}
	return &tb.self
}

// keyed tells whether an attribute is part of the table's key or of an index's.
func (tb *table) keyed(name string) bool {
	if slices.Contains(names(tb.self.hash, tb.self.rng), name) {
		return true
	}
	for _, ix := range tb.indexes {
		if slices.Contains(names(ix.hash, ix.rng), name) {
			return true
		}
	}
	return false
}

// creation is the request that makes the table.
func (tb *table) creation() object {
	request := object{"TableName": tb.name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": schema(&tb.self)}
	used := [][]column{tb.self.hash, tb.self.rng}
	var local, global []object
	for i := range tb.indexes {
		ix := &tb.indexes[i]
		used = append(used, ix.hash, ix.rng)
		if ix.local {
			local = append(local, wish(ix))
		} else {
			global = append(global, wish(ix))
		}
	}
	if local != nil {
		request["LocalSecondaryIndexes"] = local
	}
	if global != nil {
		request["GlobalSecondaryIndexes"] = global
	}
	request["AttributeDefinitions"] = tb.definitions(names(used...))
	return request
}

func (tb *table) definitions(used []string) (list []object) {
	for _, c := range tb.columns {
		if slices.Contains(used, c.name) {
			list = append(list, object{"AttributeName": c.name, "AttributeType": c.kind})
		}
	}
	return list
}

func wish(ix *index) object {
	projection := object{"ProjectionType": ix.kind}
	if ix.kind == "INCLUDE" {
		projection["NonKeyAttributes"] = []string{note}
	}
	return object{"IndexName": ix.name, "KeySchema": schema(ix), "Projection": projection}
}

func schema(ix *index) (list []object) {
	for _, c := range ix.hash {
		list = append(list, object{"AttributeName": c.name, "KeyType": "HASH"})
	}
	for _, c := range ix.rng {
		list = append(list, object{"AttributeName": c.name, "KeyType": "RANGE"})
	}
	return list
}
