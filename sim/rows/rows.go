// Package rows is all that stores hold of tables and partitions, held against itself: what is there twice, and what follows
// from something else. It does not know how it came to be there.
package rows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Rows is what was read at a moment when nothing was under way.
type Rows struct {
	Parts map[uint64]machine.Part
	// Data, local and sizes map a table id to its rows by suffix.
	Data  map[uint64]map[string]record.Item
	local map[uint64]map[string]record.Item
	sizes map[uint64]map[string]uint64
	// Locks and Transactions map a table id to what transactions left, by suffix.
	Locks        map[uint64]map[string]record.Lock
	Transactions map[uint64]map[string]record.Transaction
	// Changes are the change logs by partition, in order.
	Changes map[uint64][]record.Change
	// expiry are the indexes of expiry by partition.
	expiry map[uint64][]expiryEntry
}

// New returns no rows.
func New() *Rows {
	return &Rows{
		Parts: map[uint64]machine.Part{}, Data: map[uint64]map[string]record.Item{}, local: map[uint64]map[string]record.Item{},
		sizes: map[uint64]map[string]uint64{}, Changes: map[uint64][]record.Change{}, expiry: map[uint64][]expiryEntry{},
		Locks: map[uint64]map[string]record.Lock{}, Transactions: map[uint64]map[string]record.Transaction{},
	}
}

// Read adds what a snapshot holds in a range.
func (f *Rows) Read(snapshot *engine.Snapshot, within command.Bounds) error {
	it, err := snapshot.Iter(within.Lower, within.Upper)
	if err != nil {
		return err
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var value []byte
		if value, err = it.Value(); err == nil {
			err = f.add(snapshot, bytes.Clone(it.Key()), bytes.Clone(value))
		}
	}
	return errors.Join(err, it.Err(), it.Close())
}

// add files one row of the store.
func (f *Rows) add(snapshot *engine.Snapshot, key, value []byte) error {
	space := keys.Space(key[0])
	if space == keys.SpaceNode {
		return nil
	}
	id, rest := binary.BigEndian.Uint64(key[1:]), string(key[9:])
	switch space {
	case keys.SpaceData, keys.SpaceLocalIndex:
		item, err := record.ParseItem(value)
		into := f.Data
		if space == keys.SpaceLocalIndex {
			into = f.local
		}
		put(into, id, rest, item)
		return err
	case keys.SpaceSize:
		n, _ := binary.Uvarint(value)
		put(f.sizes, id, rest, n)
	case keys.SpaceLock:
		lock, err := record.ParseLock(value)
		put(f.Locks, id, rest, lock)
		return err
	case keys.SpaceTransaction:
		transaction, err := record.ParseTransaction(value)
		put(f.Transactions, id, rest, transaction)
		return err
	case keys.SpaceExpiry:
		f.expiry[id] = append(f.expiry[id], expiryEntry{suffix: rest[8:], second: binary.BigEndian.Uint64([]byte(rest))})
	case keys.SpaceLog:
		change, err := record.ParseChange(value)
		if change.Sequence != binary.BigEndian.Uint64([]byte(rest)) {
			return fmt.Errorf("the log of partition %d holds change %d at the place of %x", id, change.Sequence, rest)
		}
		f.Changes[id] = append(f.Changes[id], change)
		return err
	case keys.SpacePart:
		if _, known := f.Parts[id]; known {
			return nil
		}
		part, known, err := machine.Load(snapshot, id)
		if err == nil && !known {
			err = fmt.Errorf("partition %d has records and no descriptor", id)
		}
		f.Parts[id] = part
		return err
	default:
		return fmt.Errorf("a row in space %c", space)
	}
	return nil
}

// Check holds everything that is kept twice against each other.
func (f *Rows) Check(c *catalog.Catalog) error {
	if err := f.checkMap(c); err != nil {
		return err
	}
	for id, part := range f.Parts {
		if err := f.checkPart(id, part); err != nil {
			return fmt.Errorf("partition %d of table %d: %w", id, part.Descriptor.Table, err)
		}
	}
	for id := range f.Data {
		if err := f.checkTable(id); err != nil {
			return fmt.Errorf("table %d: %w", id, err)
		}
	}
	return nil
}

func put[V any](into map[uint64]map[string]V, id uint64, key string, value V) {
	if into[id] == nil {
		into[id] = map[string]V{}
	}
	into[id][key] = value
}

// checkPart recounts a partition's statistics and reads its change log.
func (f *Rows) checkPart(id uint64, part machine.Part) error {
	d := part.Descriptor
	truth := command.Stats{Local: map[uint32]command.Tally{}}
	for suffix, item := range f.Data[d.Table] {
		if !d.Bounds.Holds([]byte(suffix)) {
			continue
		}
		if item.Version > part.Applied.VersionMax {
			return fmt.Errorf("item %x has version %d above version-max %d", suffix, item.Version, part.Applied.VersionMax)
		}
		if !item.Deleted {
			truth.Items++
			truth.Bytes += int64(item.Size)
		}
	}
	for suffix, entry := range f.local[d.Table] {
		if d.Bounds.Holds([]byte(suffix)) {
			_, rest := keys.SplitSuffix([]byte(suffix), 1)
			index := binary.BigEndian.Uint32(rest)
			tally := truth.Local[index]
			truth.Local[index] = command.Tally{Items: tally.Items + 1, Bytes: tally.Bytes + int64(entry.Size)}
		}
	}
	locks := int64(0)
	for suffix := range f.Locks[d.Table] {
		if d.Bounds.Holds([]byte(suffix)) {
			locks++
		}
	}
	if locks != part.Applied.Locks {
		return fmt.Errorf("%d locks are counted, there are %d", part.Applied.Locks, locks)
	}
	have := part.Applied.Stats
	if have.Items != truth.Items || have.Bytes != truth.Bytes {
		return fmt.Errorf("statistics say %d items of %d bytes, there are %d of %d", have.Items, have.Bytes, truth.Items, truth.Bytes)
	}
	for _, index := range []uint32{1, 2} {
		if have.Local[index] != truth.Local[index] {
			return fmt.Errorf("statistics say %v of local index %d, there are %v", have.Local[index], index, truth.Local[index])
		}
	}
	return errors.Join(f.checkExpiry(id, part), f.checkLog(id, part))
}

// checkLog finds gaps in a change log, changes that do not follow from each other, and items that are not as their last
// change left them.
func (f *Rows) checkLog(id uint64, part machine.Part) error {
	log := f.Changes[id]
	applied := part.Applied
	if want := applied.Sequence + 1 - applied.First; uint64(len(log)) != want {
		return fmt.Errorf("the change log holds %d changes, from %d to %d there are %d", len(log), applied.First, applied.Sequence, want)
	}
	last := map[string]record.Change{}
	for i, change := range log {
		if change.Sequence != applied.First+uint64(i) {
			return fmt.Errorf("the change log has change %d at the place of %d", change.Sequence, applied.First+uint64(i))
		}
		if change.Table != part.Descriptor.Table {
			return fmt.Errorf("change %d is of table %d", change.Sequence, change.Table)
		}
		key := string(change.Suffix)
		if before, ok := last[key]; ok && !bytes.Equal(before.After, change.Before) {
			return fmt.Errorf("change %d of item %x does not begin where change %d ended", change.Sequence, key, before.Sequence)
		} else if ok && before.Version >= change.Version {
			return fmt.Errorf("change %d of item %x has version %d, change %d had %d", change.Sequence, key, change.Version, before.Sequence, before.Version)
		}
		last[key] = change
	}
	for key, change := range last {
		if !part.Descriptor.Bounds.Holds([]byte(key)) {
			continue // a split gave the item away; the other half's log goes on
		}
		item := f.Data[change.Table][key]
		if !bytes.Equal(item.Attributes, change.After) || len(change.After) > 0 && item.Version != change.Version {
			return fmt.Errorf("item %x is not as change %d left it", key, change.Sequence)
		}
	}
	return nil
}

// checkTable recomputes what is derived from a table's items: sizes, local indexes, item collections.
func (f *Rows) checkTable(id uint64) error {
	owner := f.partOf(id)
	if owner == nil || owner.Table == nil {
		return errors.New("items of a table that no partition knows")
	}
	local := map[string]attr.Map{}
	sizes := map[string]uint64{}
	for suffix, item := range f.Data[id] {
		if int(item.Size) != item.Attributes.Size() {
			return fmt.Errorf("item %x has size %d, not %d", suffix, item.Attributes.Size(), item.Size)
		}
		if len(owner.Table.Local) == 0 {
			continue
		}
		collection, sort := keys.SplitSuffix([]byte(suffix), 1)
		sizes[string(collection)] += uint64(item.Size)
		for i := range owner.Table.Local {
			ix := &owner.Table.Local[i]
			place, entry := projected(owner.Table, ix, item.Attributes)
			if place == nil {
				continue
			}
			at := keys.LocalIndex(id, collection, uint32(ix.ID), slices.Concat(place.range_, sort))
			local[string(at[9:])] = entry
			sizes[string(collection)] += uint64(entry.Size())
		}
	}
	if err := equalRows(local, f.local[id]); err != nil {
		return fmt.Errorf("local indexes: %w", err)
	}
	for collection, size := range sizes {
		if f.sizes[id][collection] != size {
			return fmt.Errorf("collection %x has size %d, stored is %d", collection, size, f.sizes[id][collection])
		}
	}
	if len(f.sizes[id]) != len(sizes) {
		return fmt.Errorf("%d collections have sizes, there are %d", len(f.sizes[id]), len(sizes))
	}
	return nil
}

// partOf is some partition of a table, with the description it has adopted.
func (f *Rows) partOf(tableID uint64) *machine.Part {
	for _, part := range f.Parts {
		if part.Descriptor.Table == tableID {
			return &part
		}
	}
	return nil
}

// equalRows holds the rows there should be against those there are, tombstones aside.
func equalRows(want map[string]attr.Map, have map[string]record.Item) error {
	for key, entry := range want {
		item, ok := have[key]
		if !ok || item.Deleted {
			return fmt.Errorf("entry %x is missing", key)
		}
		if !bytes.Equal(item.Attributes, entry) {
			return fmt.Errorf("entry %x shows another item", key)
		}
	}
	for key, item := range have {
		if _, ok := want[key]; !ok && !item.Deleted {
			return fmt.Errorf("entry %x should not be there", key)
		}
	}
	return nil
}
