package main

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"stator/internal/model/table"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// tableHolding is one table, or hidden table of a global index, as its partitions know it.
type tableHolding struct {
	id           uint64
	name, state  string
	items, bytes int64
	partitions   []partitionHolding
}

// partitionHolding is one partition. Sizes are in bytes: of its items in DynamoDB's accounting, of its data on disk, of
// its change log.
type partitionHolding struct {
	id                                uint64
	from                              string
	items, bytes, diskBytes, logBytes int64
}

// takeInventory reads the state of every partition in the store. A partition is the authority on what it holds, so the
// catalog is not asked.
func takeInventory(store *engine.Engine) ([]*tableHolding, error) {
	ids, err := partitionIDs(store)
	if err != nil {
		return nil, err
	}
	byID := map[uint64]*tableHolding{}
	for _, id := range ids {
		part, found, err := machine.Load(partReader{store}, id)
		if err != nil {
			return nil, fmt.Errorf("reading partition %d: %w", id, err)
		}
		if !found {
			continue
		}
		holding, err := partitionOf(store, &part)
		if err != nil {
			return nil, err
		}
		t := byID[part.Descriptor.Table]
		if t == nil {
			t = &tableHolding{id: part.Descriptor.Table, name: fmt.Sprintf("of id %d, not adopted yet", part.Descriptor.Table)}
			byID[t.id] = t
		}
		t.add(part.Table, holding)
	}
	tables := make([]*tableHolding, 0, len(byID))
	for _, t := range byID {
		slices.SortFunc(t.partitions, func(a, b partitionHolding) int { return cmp.Compare(a.from, b.from) })
		tables = append(tables, t)
	}
	slices.SortFunc(tables, func(a, b *tableHolding) int { return cmp.Compare(a.name, b.name) })
	return tables, nil
}

func (t *tableHolding) add(adopted *table.Table, p partitionHolding) {
	if adopted != nil {
		t.name, t.state = adopted.Name, adopted.State.String()
	}
	if t.id == machine.CatalogTable {
		t.name = "(the catalog)"
	}
	t.items += p.items
	t.bytes += p.bytes
	t.partitions = append(t.partitions, p)
}

func partitionOf(store *engine.Engine, part *machine.Part) (partitionHolding, error) {
	d := part.Descriptor
	p := partitionHolding{
		id: d.Partition, from: "the beginning",
		items: part.Applied.Stats.Items, bytes: part.Applied.Stats.Bytes, logBytes: part.Applied.LogBytes,
	}
	if len(d.Bounds.Lower) > 0 {
		p.from = "token " + hex.EncodeToString(d.Bounds.Lower[:min(len(d.Bounds.Lower), 4)])
	}
	for _, space := range []keys.Space{keys.SpaceData, keys.SpaceLocalIndex} {
		prefix := keys.Prefix(space, d.Table)
		lower, upper := append(keys.Prefix(space, d.Table), d.Bounds.Lower...), keys.SuccessorPrefix(prefix)
		if len(d.Bounds.Upper) > 0 {
			upper = append(prefix, d.Bounds.Upper...)
		}
		n, err := store.DiskUsage(lower, upper)
		if err != nil {
			return p, fmt.Errorf("measuring partition %d: %w", d.Partition, err)
		}
		p.diskBytes += n
	}
	return p, nil
}

// partReader reads the records of partitions' states.
type partReader struct{ store *engine.Engine }

// Get reads one of them.
func (r partReader) Get(key []byte) ([]byte, bool, error) { return r.store.Get(key, nil) }

func partitionIDs(store *engine.Engine) ([]uint64, error) {
	space := []byte{byte(keys.SpacePart)}
	it, err := store.Iter(space, keys.SuccessorPrefix(space))
	if err != nil {
		return nil, fmt.Errorf("listing partitions: %w", err)
	}
	defer it.Close()
	var ids []uint64
	for ok := it.First(); ok; {
		id := binary.BigEndian.Uint64(it.Key()[len(space):])
		ids = append(ids, id)
		ok = it.SeekGE(keys.SuccessorPrefix(keys.Prefix(keys.SpacePart, id)))
	}
	return ids, it.Err()
}
