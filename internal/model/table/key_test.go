package table

import (
	"strings"
	"testing"

	"stator/internal/model/attr"
)

func item(entries ...attr.Entry) attr.Map { return attr.NewMap(entries) }

func is(name string, v attr.Value) attr.Entry { return attr.Entry{Name: name, Value: v} }

// orders is a table with a sort key, a local index, and a global one of five key attributes.
func orders() *Table {
	return &Table{
		ID: 7, Name: "orders", UUID: "u", Version: 3, State: Active, Billing: OnDemandBilling,
		Key:         Key{Hash: []KeyAttribute{{"pk", attr.S}}, Range: []KeyAttribute{{"sk", attr.N}}},
		Definitions: []KeyAttribute{{"pk", attr.S}, {"sk", attr.N}, {"l", attr.B}, {"h1", attr.S}, {"h2", attr.N}, {"r1", attr.B}},
		Local: []Index{{
			ID: 1, Name: "b-local", Key: Key{Hash: []KeyAttribute{{"pk", attr.S}}, Range: []KeyAttribute{{"l", attr.B}}},
			Projection: Projection{Kind: Include, NonKey: []string{"x", "sk"}}, Status: IndexActive,
		}},
		Global: []Index{
			{
				ID: 8, Name: "c-global", Status: IndexActive, Projection: Projection{Kind: KeysOnly},
				Key: Key{Hash: []KeyAttribute{{"h1", attr.S}, {"h2", attr.N}}, Range: []KeyAttribute{{"r1", attr.B}, {"l", attr.B}, {"sk", attr.N}}},
			},
			{ID: 9, Name: "a-all", Status: IndexActive, Projection: Projection{Kind: All}, Key: Key{Hash: []KeyAttribute{{"h1", attr.S}}}},
		},
		Tags: map[string]string{"env": "test"}, CreatedMillis: 1772366400123,
	}
}

// full is an item of orders that is in every index.
func full() attr.Map {
	return item(is("pk", attr.String("p")), is("sk", attr.Int(5)), is("l", attr.Binary([]byte("l"))), is("h1", attr.String("h")),
		is("h2", attr.Int(2)), is("r1", attr.Binary([]byte("r"))), is("x", attr.Bool(true)), is("y", attr.Null()))
}

func names(m attr.Map) string {
	var all []string
	for name := range m.All() {
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestEntryIsTheProjectedPart(t *testing.T) {
	orders := orders()
	for index, want := range map[string]string{
		"b-local":  "l pk sk x",
		"c-global": "h1 h2 l pk r1 sk",
		"a-all":    "h1 h2 l pk r1 sk x y",
	} {
		ix, ok := orders.GlobalIndex(index)
		if !ok {
			ix, _ = orders.LocalIndex(index)
		}
		entry, ok := ix.Entry(orders, full())
		if !ok || names(entry) != want {
			t.Errorf("%s: %v [%s], want [%s]", index, ok, names(entry), want)
		}
		if _, ok := ix.Entry(orders, nil); ok {
			t.Errorf("%s holds an entry of no item", index)
		}
	}
}

// Every one of an index's key attributes decides whether an item is in it.
func TestEntryIsSparse(t *testing.T) {
	orders := orders()
	ix, _ := orders.GlobalIndex("c-global")
	for _, a := range ix.Key.Attributes() {
		if _, ok := ix.Entry(orders, full().Without(a.Name)); ok {
			t.Errorf("an entry without %s", a.Name)
		}
		if _, ok := ix.Entry(orders, full().With(a.Name, attr.Bool(true))); ok {
			t.Errorf("an entry with a boolean %s", a.Name)
		}
		if a.Type == attr.N {
			continue
		}
		if _, ok := ix.Entry(orders, full().With(a.Name, text(a.Type, 0))); ok {
			t.Errorf("an entry with an empty %s", a.Name)
		}
	}
	if _, ok := ix.Entry(orders, full().With("h1", text(attr.S, HashBytesMax))); !ok {
		t.Error("no entry with the largest hash attribute")
	}
	if _, ok := ix.Entry(orders, full().With("h1", text(attr.S, HashBytesMax+1))); ok {
		t.Error("an entry with a hash attribute that is too large")
	}
	// The range attributes are bounded together: r1, and l with one byte, and sk with two.
	if _, ok := ix.Entry(orders, full().With("r1", text(attr.B, RangeBytesMax-3))); !ok {
		t.Error("no entry with the largest range attributes")
	}
	if _, ok := ix.Entry(orders, full().With("r1", text(attr.B, RangeBytesMax-2))); ok {
		t.Error("an entry with range attributes that are too large together")
	}
}

func text(kind attr.Type, size int) attr.Value {
	s := strings.Repeat("a", size)
	if kind == attr.B {
		return attr.Binary([]byte(s))
	}
	return attr.String(s)
}

func TestEntryKeyEndsWithTheTableKey(t *testing.T) {
	orders := orders()
	ix, _ := orders.GlobalIndex("c-global")
	entry, _ := ix.Entry(orders, full())
	hash, rng, ok := ix.EntryKey(orders, entry)
	if !ok || len(hash) != 2 || len(rng) != 5 {
		t.Fatalf("ok %v, %d and %d values", ok, len(hash), len(rng))
	}
	for i, name := range []string{"h1", "h2"} {
		if v, _ := full().Get(name); !attr.Equal(hash[i], v) {
			t.Errorf("hash %d is not %s", i, name)
		}
	}
	for i, name := range []string{"r1", "l", "sk", "pk", "sk"} {
		if v, _ := full().Get(name); !attr.Equal(rng[i], v) {
			t.Errorf("range %d is not %s", i, name)
		}
	}
}

func TestCheckIndexKeys(t *testing.T) {
	const unsupported = "The update expression attempted to update the secondary index key to unsupported type"
	const (
		cannot  = "The AttributeValue for a key attribute cannot contain an empty "
		bad     = "One or more parameter values were invalid: "
		unfit   = "One or more parameter values are not valid. "
		put     = unfit + "A value specified for a secondary index key is not supported. " + cannot
		updated = unfit + "The update expression attempted to update a secondary index key to a value that is not supported. " + cannot
	)
	for _, c := range []struct {
		what         string
		item         attr.Map
		put, updated string
	}{
		{"a full item", full(), "", ""},
		{"an item in no index", item(is("pk", attr.String("p")), is("sk", attr.Int(1))), "", ""},
		{"the alphabetically first index is named", full().With("h1", attr.Int(1)),
			bad + "Type mismatch for Index Key h1 Expected: S Actual: N IndexName: a-all", unsupported},
		{"a document", full().With("r1", attr.NewList(nil)),
			bad + "Type mismatch for Index Key r1 Expected: B Actual: L IndexName: c-global", unsupported},
		{"an empty string", full().With("h1", text(attr.S, 0)),
			put + "string value. IndexName: a-all, IndexKey: h1", updated + "string value."},
		{"an empty binary", full().With("l", text(attr.B, 0)),
			put + "binary value. IndexName: b-local, IndexKey: l", updated + "binary value."},
		{"a long hash", full().With("h1", text(attr.S, HashBytesMax+1)), textHashSize, textHashSize},
		{"a long range", full().With("l", text(attr.B, RangeBytesMax+1)), textRangeSize, textRangeSize},
	} {
		if got := CheckIndexKeys(orders(), c.item); got != c.put {
			t.Errorf("%s, put: got %q, want %q", c.what, got, c.put)
		}
		if got := CheckUpdatedIndexKeys(orders(), c.item); got != c.updated {
			t.Errorf("%s, updated: got %q, want %q", c.what, got, c.updated)
		}
	}
	leaving := orders()
	for i := range leaving.Global {
		leaving.Global[i].Status = IndexDeleting
	}
	if got := CheckIndexKeys(leaving, full().With("h1", attr.Int(1))); got != "" {
		t.Errorf("an index on its way out still refuses: %s", got)
	}
}

func TestCheckOfAFittingItemAllocatesNothing(t *testing.T) {
	described, fitting := orders(), full()
	if n := testing.AllocsPerRun(100, func() { CheckIndexKeys(described, fitting) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
