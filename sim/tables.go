package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
	"stator/sim/history"
)

// The attributes of simulated items. No two writes share a tag, so an item tells which write made it.
const (
	attrHash   = "pk"
	attrRange  = "sk"
	attrTag    = history.Tag
	attrCount  = history.Count
	attrGroup  = "g"    // key of a global index
	attrLocal  = "l"    // key of a local index
	attrEnds   = "ends" // time to live
	attrUntil  = "until"
	attrFiller = "filler"
)

// shape is a kind of table that a run may have.
type shape struct {
	name   string
	ranged bool
	local  bool
}

var shapes = []shape{
	{name: "plain"},
	{name: "ranged", ranged: true},
	{name: "local", ranged: true, local: true},
}

func (s shape) table() *table.Table {
	t := &table.Table{Name: s.name, UUID: "simulated", State: table.Creating, Billing: table.OnDemandBilling,
		Key: table.Key{Hash: []table.KeyAttribute{{Name: attrHash, Type: attr.S}}}}
	if s.ranged {
		t.Key.Range = []table.KeyAttribute{{Name: attrRange, Type: attr.N}}
	}
	if s.local {
		key := table.Key{Hash: t.Key.Hash, Range: []table.KeyAttribute{{Name: attrLocal, Type: attr.S}}}
		t.Local = []table.Index{
			{ID: 1, Name: "keys", Key: key, Projection: table.Projection{Kind: table.KeysOnly}, Status: table.IndexActive},
			{ID: 2, Name: "whole", Key: key, Projection: table.Projection{Kind: table.All}, Status: table.IndexActive},
		}
	}
	t.Definitions = definitions(t)
	return t
}

// definitions lists the key attributes of a table and its indexes once.
func definitions(t *table.Table) []table.KeyAttribute {
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

// globalIndexes are the indexes that come and go. The counter is a key whose place changes with every update.
func globalIndexes() []table.Index {
	group := []table.KeyAttribute{{Name: attrGroup, Type: attr.S}}
	count := []table.KeyAttribute{{Name: attrCount, Type: attr.N}}
	return []table.Index{
		{Name: "groups", Key: table.Key{Hash: group}, Projection: table.Projection{Kind: table.All}},
		{Name: "counts", Key: table.Key{Hash: group, Range: count}, Projection: table.Projection{Kind: table.KeysOnly}},
		{Name: "ranks", Key: table.Key{Hash: count}, Projection: table.Projection{Kind: table.Include, NonKey: []string{attrTag}}},
	}
}

// key draws one of the few keys of a table.
func (r *run) key(s shape) attr.Map {
	return s.key(r.random.IntN(r.habits.keys), r.random.IntN(r.habits.keys))
}

func (s shape) key(hash, rng int) attr.Map {
	entries := []attr.Entry{{Name: attrHash, Value: attr.String(fmt.Sprintf("p%d", hash))}}
	if s.ranged {
		entries = append(entries, attr.Entry{Name: attrRange, Value: attr.Int(int64(rng) - 2)})
	}
	return attr.NewMap(entries)
}

// suffix is the key suffix of a key.
func (s shape) suffix(key attr.Map) []byte {
	hash, _ := key.Get(attrHash)
	if rng, ok := key.Get(attrRange); ok && s.ranged {
		return keys.Suffix([]attr.Value{hash}, []attr.Value{rng})
	}
	return keys.Suffix([]attr.Value{hash}, nil)
}

// tag is a value that no other write has.
func (r *run) tag() attr.Value {
	r.tags++
	return attr.Int(r.tags)
}

// item draws a whole item under a key: index keys are there or not, of the right type and size or not.
func (r *run) item(key attr.Map) attr.Map {
	item := key.With(attrTag, r.tag())
	if value := group(r.random); value != nil {
		item = item.With(attrGroup, value)
	}
	switch r.random.IntN(8) {
	case 0:
	case 1:
		item = item.With(attrCount, attr.String("not a number"))
	default:
		item = item.With(attrCount, attr.Int(int64(r.random.IntN(5))))
	}
	if r.random.IntN(3) > 0 {
		item = item.With(attrLocal, attr.String(fmt.Sprintf("l%d", r.random.IntN(4))))
	}
	if r.random.IntN(2) == 0 {
		item = item.With(attrEnds, end(r.random)).With(attrUntil, end(r.random))
	}
	if r.random.IntN(4) == 0 {
		item = item.With(attrFiller, attr.String(strings.Repeat("x", r.random.IntN(2000))))
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
