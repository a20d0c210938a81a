package capacity

import (
	"bytes"
	"maps"

	"stator/internal/model/attr"
	"stator/internal/model/table"
)

// Usage is the units that a request consumed of one table and its indexes by name. An index that cost nothing has no entry (semantics
// §3.7).
type Usage struct {
	Table  float64
	Local  map[string]float64
	Global map[string]float64
}

// Total is the units of the table and all its indexes.
func (u Usage) Total() float64 {
	total := u.Table
	for _, units := range u.Local {
		total += units
	}
	for _, units := range u.Global {
		total += units
	}
	return total
}

// Plus is the usage of two requests together. Neither operand changes.
func (u Usage) Plus(v Usage) Usage {
	return Usage{Table: u.Table + v.Table, Local: sum(u.Local, v.Local), Global: sum(u.Global, v.Global)}
}

// OfRead is the usage of reading bytes evaluated bytes of t, or of one of its indexes by name. fetched is the rounded units of whole items
// that a local index's walk brought from the table (semantics §3.4).
func OfRead(t *table.Table, index string, r Reading) Usage {
	units := Read(r.Bytes, r.Consistent)
	if index == "" {
		return Usage{Table: units}
	}
	used := map[string]float64{index: units}
	if _, local := t.LocalIndex(index); local {
		return Usage{Table: Fetched(r.Fetched, r.Consistent), Local: used}
	}
	return Usage{Global: used}
}

// Reading is how much one page read.
type Reading struct {
	Bytes      int64 // sizes of all items or entries evaluated, before filter and projection
	Fetched    int64 // units of items brought from the table for entries that lack attributes
	Consistent bool
}

// OfWrite is the usage of a write that turned before into after, nil where there is no item (semantics §3.5, §3.6).
func OfWrite(t *table.Table, before, after attr.Map) Usage {
	u := Usage{Table: WriteItem(before, after)}
	for i := range t.Local {
		charge(&u.Local, &t.Local[i], IndexWrite(t, &t.Local[i], before, after))
	}
	for i := range t.Global {
		if t.Global[i].Status != table.IndexDeleting {
			charge(&u.Global, &t.Global[i], IndexWrite(t, &t.Global[i], before, after))
		}
	}
	return u
}

// WriteItem is what a write costs the table alone, nil being no item.
func WriteItem(before, after attr.Map) float64 { return Write(size(before), size(after)) }

// WriteOver is WriteItem where of an item that was there perhaps no more is known than its size.
func WriteOver(before attr.Map, beforeBytes int, after attr.Map) float64 {
	return max(WriteItem(before, after), Write(beforeBytes, 0))
}

// TransactFactor is how much more an item costs its table in a transaction (semantics §3.9).
const TransactFactor = 2

// IndexWrite is what a write costs one index: nothing when the stored entry stays as it is, one write when it appears, goes or changes,
// and two, a deletion and an insertion, when its key moves (semantics §3.6).
func IndexWrite(t *table.Table, ix *table.Index, before, after attr.Map) float64 {
	old, had := ix.Entry(t, before)
	now, has := ix.Entry(t, after)
	switch {
	case !had && !has:
		return 0
	case !had:
		return Write(0, now.Size())
	case !has:
		return Write(old.Size(), 0)
	case bytes.Equal(old, now):
		return 0
	case !sameKey(ix, old, now):
		return Write(old.Size(), 0) + Write(0, now.Size())
	default:
		return Write(old.Size(), now.Size())
	}
}

// sameKey compares the index keys of two entries. Their table keys are equal: both are of one item.
func sameKey(ix *table.Index, a, b attr.Map) bool {
	for _, name := range ix.Key.Names() {
		v, _ := a.Get(name)
		w, _ := b.Get(name)
		if !attr.Equal(v, w) {
			return false
		}
	}
	return true
}

func size(item attr.Map) int {
	if len(item) == 0 {
		return 0
	}
	return item.Size()
}

func charge(used *map[string]float64, ix *table.Index, units float64) {
	if units == 0 {
		return
	}
	if *used == nil {
		*used = map[string]float64{}
	}
	(*used)[ix.Name] += units
}

func sum(a, b map[string]float64) map[string]float64 {
	if len(a)+len(b) == 0 {
		return nil
	}
	both := make(map[string]float64, len(a)+len(b))
	maps.Copy(both, a)
	for name, units := range b {
		both[name] += units
	}
	return both
}
