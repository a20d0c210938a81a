// Package shapes is the tables and items of simulated databases, and the writes that are made of them. It does not know who
// asks for them.
package shapes

import (
	"fmt"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
	"stator/sim/history"
)

// The attributes of simulated items. No two writes share a tag, so an item tells which write made it.
const (
	Hash   = "pk"
	Range  = "sk"
	Tag    = history.Tag
	Count  = history.Count
	Group  = "g"    // key of a global index
	Local  = "l"    // key of a local index
	Ends   = "ends" // time to live
	Until  = "until"
	Filler = "filler"
)

// Shape is a kind of table that a run may have.
type Shape struct {
	Name   string
	Ranged bool
	Local  bool
}

// All are the shapes of an ordinary run.
var All = []Shape{
	{Name: "plain"},
	{Name: "ranged", Ranged: true},
	{Name: "local", Ranged: true, Local: true},
}

// Table is a new table of the shape.
func (s Shape) Table() *table.Table {
	t := &table.Table{Name: s.Name, UUID: "simulated", State: table.Creating, Billing: table.OnDemandBilling,
		Key: table.Key{Hash: []table.KeyAttribute{{Name: Hash, Type: attr.S}}}}
	if s.Ranged {
		t.Key.Range = []table.KeyAttribute{{Name: Range, Type: attr.N}}
	}
	if s.Local {
		key := table.Key{Hash: t.Key.Hash, Range: []table.KeyAttribute{{Name: Local, Type: attr.S}}}
		t.Local = []table.Index{
			{ID: 1, Name: "keys", Key: key, Projection: table.Projection{Kind: table.KeysOnly}, Status: table.IndexActive},
			{ID: 2, Name: "whole", Key: key, Projection: table.Projection{Kind: table.All}, Status: table.IndexActive},
		}
	}
	t.Definitions = Definitions(t)
	return t
}

// Definitions lists the key attributes of a table and its indexes once.
func Definitions(t *table.Table) []table.KeyAttribute {
	all := t.Key.Attributes()
	for _, indexes := range [][]table.Index{t.Local, t.Global} {
		for i := range indexes {
			all = append(all, indexes[i].Key.Attributes()...)
		}
	}
	var once []table.KeyAttribute
	seen := map[string]bool{}
	for _, a := range all {
		if !seen[a.Name] {
			seen[a.Name] = true
			once = append(once, a)
		}
	}
	return once
}

// GlobalIndexes are the indexes that come and go. The counter is a key whose place changes with every update.
func GlobalIndexes() []table.Index {
	group := []table.KeyAttribute{{Name: Group, Type: attr.S}}
	count := []table.KeyAttribute{{Name: Count, Type: attr.N}}
	return []table.Index{
		{Name: "groups", Key: table.Key{Hash: group}, Projection: table.Projection{Kind: table.All}},
		{Name: "counts", Key: table.Key{Hash: group, Range: count}, Projection: table.Projection{Kind: table.KeysOnly}},
		{Name: "ranks", Key: table.Key{Hash: count}, Projection: table.Projection{Kind: table.Include, NonKey: []string{Tag}}},
	}
}

// Key is one of a table's keys.
func (s Shape) Key(hash, rng int) attr.Map {
	entries := []attr.Entry{{Name: Hash, Value: attr.String(fmt.Sprintf("p%d", hash))}}
	if s.Ranged {
		entries = append(entries, attr.Entry{Name: Range, Value: attr.Int(int64(rng) - 2)})
	}
	return attr.NewMap(entries)
}

// Suffix is the key suffix of a key, or of an item.
func (s Shape) Suffix(key attr.Map) []byte {
	hash, _ := key.Get(Hash)
	if rng, ok := key.Get(Range); ok && s.Ranged {
		return keys.Suffix([]attr.Value{hash}, []attr.Value{rng})
	}
	return keys.Suffix([]attr.Value{hash}, nil)
}
