package table

import (
	"slices"

	"stator/internal/model/attr"
)

// Projection says which attributes an entry holds besides the keys; NonKey only with Include.
type Projection struct {
	Kind   ProjectionKind `json:"kind"`
	NonKey []string       `json:"nonKey,omitempty"`
}

// Index describes one secondary index.
type Index struct {
	ID          uint64      `json:"id"` // local: ordinal ≥ 1 within its table; global: the id of its hidden table; 0 = not yet assigned
	Name        string      `json:"name"`
	Key         Key         `json:"key"`
	Projection  Projection  `json:"projection"`
	Status      IndexStatus `json:"status"`                // local indexes are always active
	Backfilling bool        `json:"backfilling,omitempty"` // entries of items older than the index are being written
	Added       bool        `json:"added,omitempty"`       // created by UpdateTable: it is backfilled and says so while it is created
	Throughput  Throughput  `json:"throughput"`
	OnDemand    OnDemand    `json:"onDemand"`
	Warm        Warm        `json:"warm"`

	CreatedMillis int64    `json:"createdMillis,omitempty"` // epoch milliseconds
	Insights      Insights `json:"insights,omitzero"`
}

// Entry is the index's view of one of t's items: the projected attributes. ok is false when the item is not in the index: an index key
// attribute is missing, of another type, empty or over its bound (semantics §7.2, §20.11).
func (ix *Index) Entry(t *Table, item attr.Map) (entry attr.Map, ok bool) {
	if len(item) == 0 {
		return nil, false
	}
	if _, _, ok := ix.Key.Values(item); !ok {
		return nil, false
	}
	if ix.Projection.Kind == All {
		return item, true
	}
	return item.Only(ix.Projected(t)...), true
}

// Projected lists the names of the attributes that entries hold; nil means every attribute.
func (ix *Index) Projected(t *Table) []string {
	if ix.Projection.Kind == All {
		return nil
	}
	names := ix.Key.Names()
	for _, name := range append(t.Key.Names(), ix.Projection.NonKey...) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// EntryKey is the full key of an entry: the index key, made unique by t's key attributes, which follow the index's range attributes.
// So entries with equal index keys are all kept and are ordered by table key (semantics §7.3). A local index's entry has t's partition
// key in hash already, but keeps the same form: its caller cuts it.
func (ix *Index) EntryKey(t *Table, entry attr.Map) (hash, rng []attr.Value, ok bool) {
	hash, rng, ok = ix.Key.Values(entry)
	if !ok {
		return nil, nil, false
	}
	tableHash, tableRange, ok := t.Key.Values(entry)
	if !ok {
		return nil, nil, false
	}
	return hash, append(append(slices.Clip(rng), tableHash...), tableRange...), true
}
