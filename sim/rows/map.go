package rows

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// checkMap holds the catalog's map against what the partitions say of themselves: every row lies in exactly one.
func (f *Rows) checkMap(c *catalog.Catalog) error {
	listed := map[uint64]bool{machine.CatalogPartition: true}
	tables := map[uint64]bool{machine.CatalogTable: true}
	for _, entry := range c.Entries() {
		for id, partitions := range entry.Partitions {
			tables[id] = true
			for _, p := range partitions {
				listed[p.ID] = true
			}
			if err := f.checkBounds(id, partitions); err != nil {
				return fmt.Errorf("table %s, partitions of %d: %w", entry.Table.Name, id, err)
			}
		}
	}
	for id, part := range f.Parts {
		if !listed[id] {
			return fmt.Errorf("partition %d of table %d is in no map", id, part.Descriptor.Table)
		}
	}
	for id := range f.Changes {
		if !listed[id] {
			return fmt.Errorf("the change log of partition %d outlived it", id)
		}
	}
	for id := range f.expiry {
		if !listed[id] {
			return fmt.Errorf("the index of expiry of partition %d outlived it", id)
		}
	}
	return errors.Join(known(tables, f.Data), known(tables, f.local), known(tables, f.sizes))
}

func known[V any](tables map[uint64]bool, rows map[uint64]map[string]V) error {
	for id := range rows {
		if !tables[id] {
			return fmt.Errorf("rows of table %d outlived it", id)
		}
	}
	return nil
}

// checkBounds walks a table's partitions in key order: each begins where the one before ended.
func (f *Rows) checkBounds(tableID uint64, partitions []catalog.Partition) error {
	var at []byte
	for i, p := range partitions {
		d := f.Parts[p.ID].Descriptor
		switch {
		case d.Partition != p.ID || d.Table != tableID:
			return fmt.Errorf("partition %d is not in the store", p.ID)
		case !bytes.Equal(d.Bounds.Lower, p.Bounds.Lower) || !bytes.Equal(d.Bounds.Upper, p.Bounds.Upper):
			return fmt.Errorf("partition %d holds [%x, %x), the catalog says [%x, %x)",
				p.ID, d.Bounds.Lower, d.Bounds.Upper, p.Bounds.Lower, p.Bounds.Upper)
		case !bytes.Equal(d.Bounds.Lower, at):
			return fmt.Errorf("partition %d begins at %x, the one before ended at %x", p.ID, d.Bounds.Lower, at)
		case len(d.Bounds.Upper) == 0 && i+1 < len(partitions):
			return fmt.Errorf("partition %d has no upper bound and is not the last", p.ID)
		}
		at = d.Bounds.Upper
	}
	if len(at) > 0 {
		return fmt.Errorf("nothing holds the keys from %x on", at)
	}
	return nil
}

// CheckAtRest is Check with what is only true when nothing is left to do: every global index is the function of its table,
// and every change was consumed that no stream shows.
func (f *Rows) CheckAtRest(c *catalog.Catalog) error {
	if err := f.Check(c); err != nil {
		return err
	}
	for _, entry := range c.Entries() {
		for i := range entry.Table.Global {
			ix := &entry.Table.Global[i]
			want := map[string]attr.Map{}
			for _, item := range f.Data[entry.Table.ID] {
				if place, shown := projected(entry.Table, ix, item.Attributes); place != nil {
					want[string(place.suffix(entry.Table, item.Attributes))] = shown
				}
			}
			if err := equalRows(want, f.Data[ix.ID]); err != nil {
				return fmt.Errorf("index %s of table %s: %w", ix.Name, entry.Table.Name, err)
			}
		}
	}
	return f.checkConsumed()
}

func (f *Rows) checkConsumed() error {
	for id, part := range f.Parts {
		if part.Table != nil && len(part.Table.Streams) > 0 {
			continue
		}
		if id != machine.CatalogPartition && len(f.Changes[id]) > 0 {
			return fmt.Errorf("partition %d has %d changes that nobody will read, the last is %d", id, len(f.Changes[id]), part.Applied.Sequence)
		}
		if part.Descriptor.Table != machine.CatalogTable && part.Table == nil {
			return fmt.Errorf("partition %d has adopted nothing", id)
		}
	}
	return nil
}

// place is where an item stands in an index.
type place struct {
	hash, rng []attr.Value
	range_    []byte
}

// suffix is the key suffix of a global index's entry: the index key, made unique by the table's.
func (p *place) suffix(t *table.Table, item attr.Map) []byte {
	rng := slices.Clone(p.rng)
	for _, a := range t.Key.Attributes() {
		v, _ := item.Get(a.Name)
		rng = append(rng, v)
	}
	return keys.Suffix(p.hash, rng)
}

// projected is the index's view of an item, written down once more from the documentation: nil where the item is not in
// the index, since a key attribute is missing, of another type, empty or too long.
func projected(t *table.Table, ix *table.Index, item attr.Map) (*place, attr.Map) {
	p := &place{}
	for _, a := range ix.Key.Hash {
		v, ok := item.Get(a.Name)
		if !ok || v.Type() != a.Type || v.Size() > 2048 || len(v.Str()) == 0 && a.Type != attr.N {
			return nil, nil
		}
		p.hash = append(p.hash, v)
	}
	length := 0
	for _, a := range ix.Key.Range {
		v, ok := item.Get(a.Name)
		if !ok || v.Type() != a.Type || len(v.Str()) == 0 && a.Type != attr.N {
			return nil, nil
		}
		length += v.Size()
		p.rng = append(p.rng, v)
		p.range_ = keys.AppendComponent(p.range_, v)
	}
	if length > 1024 {
		return nil, nil
	}
	if ix.Projection.Kind == table.All {
		return p, item
	}
	shown := attr.EmptyMap
	for name, v := range item.All() {
		if t.Key.Has(name) || ix.Key.Has(name) || ix.Projection.Kind == table.Include && slices.Contains(ix.Projection.NonKey, name) {
			shown = shown.With(name, v)
		}
	}
	return p, shown
}
