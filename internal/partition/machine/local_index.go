package machine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// CollectionBytesMax bounds the items of one partition key with their local index entries (semantics §4).
const CollectionBytesMax = 10 << 30

// growth is what a write changes in the local indexes.
type growth struct {
	bytes   int64
	writes  []Write
	tallies map[uint32]command.Tally
}

// localEntries computes the writes that bring every local index from before to after.
func (d *decision) localEntries(suffix []byte, before, after attr.Map) (growth, error) {
	var g growth
	for i := range d.part.Table.Local {
		index := &d.part.Table.Local[i]
		old, err := d.localEntry(index, suffix, before)
		if err != nil {
			return g, err
		}
		new, err := d.localEntry(index, suffix, after)
		if err != nil {
			return g, err
		}
		g.move(index, old, new)
	}
	return g, nil
}

// localEntry is one item's entry: its engine key, nil when the item is not in the index, with the stored attributes.
func (d *decision) localEntry(index *table.Index, suffix []byte, item attr.Map) (Write, error) {
	if len(item) == 0 {
		return Write{}, nil
	}
	entry, ok := index.Entry(d.part.Table, item)
	if !ok {
		return Write{}, nil
	}
	_, rng, ok := index.Key.Values(item)
	if !ok {
		return Write{}, fmt.Errorf("an entry of index %s has no key", index.Name)
	}
	collection, sort := keys.SplitSuffix(suffix, 1)
	var components []byte
	for _, v := range rng {
		components = keys.AppendComponent(components, v)
	}
	components = append(components, sort...)
	return Write{Key: keys.LocalIndex(d.part.Descriptor.Table, collection, uint32(index.ID), components), Value: entry}, nil
}

func (g *growth) move(index *table.Index, old, new Write) {
	if old.Key == nil && new.Key == nil {
		return
	}
	if g.tallies == nil {
		g.tallies = map[uint32]command.Tally{}
	}
	tally := g.tallies[uint32(index.ID)]
	if old.Key != nil {
		size := int64(attr.Map(old.Value).Size())
		g.bytes -= size
		tally.Items--
		tally.Bytes -= size
	}
	if new.Key != nil {
		size := int64(attr.Map(new.Value).Size())
		g.bytes += size
		tally.Items++
		tally.Bytes += size
	}
	g.tallies[uint32(index.ID)] = tally
	same := bytes.Equal(old.Key, new.Key)
	if old.Key != nil && !same {
		g.writes = append(g.writes, Write{Key: old.Key})
	}
	if new.Key != nil && !(same && bytes.Equal(old.Value, new.Value)) {
		g.writes = append(g.writes, new)
	}
}

// writeLocal performs a growth together with the collection's new size.
func (d *decision) writeLocal(g growth, suffix []byte, size int64) {
	if len(d.part.Table.Local) == 0 {
		return
	}
	for _, w := range g.writes {
		if w.Value == nil {
			d.delete(w.Key)
			continue
		}
		entry := attr.Map(w.Value)
		d.put(w.Key, record.Item{Size: uint32(entry.Size()), Attributes: entry}.Append(nil))
	}
	d.addLocal(g.tallies)
	collection, _ := keys.SplitSuffix(suffix, 1)
	key := keys.Size(d.part.Descriptor.Table, collection)
	if size == 0 {
		d.delete(key)
		return
	}
	d.put(key, binary.AppendUvarint(nil, uint64(size)))
}

// collection is the size of an item collection after grown more bytes; 0 where the table has no local index.
func (d *decision) collection(suffix []byte, grown int64) (int64, error) {
	if len(d.part.Table.Local) == 0 {
		return 0, nil
	}
	collection, _ := keys.SplitSuffix(suffix, 1)
	stored, found, err := d.Get(keys.Size(d.part.Descriptor.Table, collection))
	if err != nil || !found {
		return grown, err
	}
	size, width := binary.Uvarint(stored)
	if width <= 0 {
		return 0, fmt.Errorf("the size of an item collection is damaged")
	}
	return int64(size) + grown, nil
}

// addLocal moves the local indexes' tallies. The map of a Part is shared, so the first move of a pass copies it.
func (d *decision) addLocal(moved map[uint32]command.Tally) {
	stats := &d.part.Applied.Stats
	if len(moved) > 0 && !d.ownsLocal {
		stats.Local = maps.Clone(stats.Local)
		if stats.Local == nil {
			stats.Local = map[uint32]command.Tally{}
		}
		d.ownsLocal = true
	}
	for index, grown := range moved {
		tally := stats.Local[index]
		stats.Local[index] = command.Tally{Items: tally.Items + grown.Items, Bytes: tally.Bytes + grown.Bytes}
	}
}
