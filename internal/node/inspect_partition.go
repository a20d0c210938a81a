package node

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// partitions reads every partition that has a state in the store.
func (i *inspection) partitions() error {
	i.tables, i.held = map[uint64]*TableReport{}, map[uint64]bool{}
	ids, err := replica.Stored(i.store)
	if err != nil {
		i.found(err, "the list of partitions cannot be read")
	}
	for _, id := range ids {
		if err := i.ctx.Err(); err != nil {
			return err
		}
		i.held[id] = true
		part, known, err := machine.Load(i.store, id)
		if err != nil {
			i.catalogPartial = i.catalogPartial || id == machine.CatalogPartition
			i.found(err, fmt.Sprintf("the state of partition %d cannot be read", id))
			continue
		}
		if !known {
			i.damaged("partition %d has lost its descriptor", id)
			continue
		}
		i.partition(part)
	}
	return nil
}

// partition reads one partition whole. A block that cannot be read ends the walk of its space, not the inspection.
func (i *inspection) partition(part machine.Part) {
	d := part.Descriptor
	w := &partitionWalk{
		inspection: i, part: part, local: map[uint32]command.Tally{},
		report: PartitionReport{
			ID: d.Partition, Generation: d.Generation, Lower: d.Bounds.Lower, Upper: d.Bounds.Upper, LogBytes: part.Applied.LogBytes,
		},
	}
	if err := walk(i.snapshot, keys.SpaceData, d, w.data); err != nil {
		i.found(err, fmt.Sprintf("the items of partition %d cannot all be read", d.Partition))
		w.partial = true
	}
	if err := walk(i.snapshot, keys.SpaceLocalIndex, d, w.localEntry); err != nil {
		i.found(err, fmt.Sprintf("the local index entries of partition %d cannot all be read", d.Partition))
		w.partial = true
	}
	w.transactions()
	w.changes()
	w.expiry()
	if err := w.sum(); err != nil {
		i.found(err, fmt.Sprintf("partition %d cannot be summed up", d.Partition))
	}
	w.enter()
}

// transactions verifies what transactions left: every lock and record is lawful, and the locks are as many as are counted.
func (w *partitionWalk) transactions() {
	d, locks := w.part.Descriptor, int64(0)
	err := walk(w.snapshot, keys.SpaceLock, d, func(suffix, value []byte) error {
		lock, err := record.ParseLock(value)
		if err == nil && len(lock.Item) > 0 {
			if err = attr.CheckMap(lock.Item); err == nil && w.part.Table != nil && !bytes.Equal(suffixOf(w.part.Table.Key, lock.Item), suffix) {
				err = errors.New("its key attributes are not those of its place")
			}
		}
		locks++
		w.lawful("lock", suffix, err)
		return nil
	})
	if err != nil {
		w.found(err, fmt.Sprintf("the locks of partition %d cannot all be read", d.Partition))
		return
	}
	if locks != w.part.Applied.Locks {
		w.damaged("partition %d keeps count of %d locks and holds %d", d.Partition, w.part.Applied.Locks, locks)
	}
	err = walk(w.snapshot, keys.SpaceTransaction, d, func(suffix, value []byte) error {
		_, err := record.ParseTransaction(value)
		w.lawful("transaction", suffix, err)
		return nil
	})
	if err != nil {
		w.found(err, fmt.Sprintf("the transactions of partition %d cannot all be read", d.Partition))
	}
}

// lawful counts a record, or enters what is wrong with it.
func (w *partitionWalk) lawful(kind string, suffix []byte, wrong error) {
	if wrong != nil {
		w.row(kind, suffix, wrong.Error())
		return
	}
	w.inspection.report.Records++
}

// partitionWalk is the reading of one partition.
type partitionWalk struct {
	*inspection
	part   machine.Part
	report PartitionReport
	local  map[uint32]command.Tally
	// expiring counts the items whose time to live ends some day.
	expiring int64
	// partial tells that not everything could be read, so that counts say nothing.
	partial bool
}

// enter adds the partition to its table.
func (w *partitionWalk) enter() {
	d := w.part.Descriptor
	t := w.tables[d.Table]
	if t == nil {
		t = &TableReport{ID: d.Table, Name: fmt.Sprintf("table %d", d.Table)}
		w.tables[d.Table] = t
	}
	if adopted := w.part.Table; adopted != nil {
		t.Name, t.State = "table "+adopted.Name, adopted.State.String()
		for i := range adopted.Local {
			t.addLocal(adopted.Local[i].Name, w.local[uint32(adopted.Local[i].ID)])
		}
	}
	t.Partitions = append(t.Partitions, w.report)
	w.catalogPartial = w.catalogPartial || w.partial && d.Partition == machine.CatalogPartition
	stats := w.part.Applied.Stats
	if !w.partial && (stats.Items != w.report.Items || stats.Bytes != w.report.Bytes) {
		w.remark("partition %d keeps count of %d items in %d bytes and holds %d in %d: a crash ended a split before it had counted",
			d.Partition, stats.Items, stats.Bytes, w.report.Items, w.report.Bytes)
	}
}

func (t *TableReport) addLocal(name string, tally command.Tally) {
	at := slices.IndexFunc(t.Local, func(l LocalReport) bool { return l.Name == name })
	if at < 0 {
		at = len(t.Local)
		t.Local = append(t.Local, LocalReport{Name: name})
	}
	t.Local[at].Items += tally.Items
	t.Local[at].Bytes += tally.Bytes
}

// data verifies one item.
func (w *partitionWalk) data(suffix, value []byte) error {
	item, err := record.ParseItem(value)
	switch {
	case err != nil:
		w.row("item", suffix, err.Error())
		return nil
	case item.Deleted:
		w.report.Tombstones++
		w.inspection.report.Records++
		return nil
	case attr.CheckMap(item.Attributes) != nil:
		w.row("item", suffix, "its attributes are malformed")
		return nil
	case item.Attributes.Size() != int(item.Size):
		w.row("item", suffix, fmt.Sprintf("it has %d bytes and says %d", item.Attributes.Size(), item.Size))
		return nil
	}
	if t := w.part.Table; t != nil && !bytes.Equal(suffixOf(t.Key, item.Attributes), suffix) {
		w.row("item", suffix, "its key attributes are not those of its place")
		return nil
	}
	if t := w.part.Table; t != nil {
		if _, ok := t.Expiry(item.Attributes); ok {
			w.expiring++
		}
	}
	w.report.Items++
	w.report.Bytes += int64(item.Size)
	w.inspection.report.Records++
	if w.part.Descriptor.Partition == machine.CatalogPartition {
		w.catalogItem(suffix, item.Attributes)
	}
	return nil
}

func (w *partitionWalk) catalogItem(suffix []byte, item attr.Map) {
	entry, err := catalog.Parse(item)
	if err != nil {
		w.row("item", suffix, err.Error())
		return
	}
	if entry != nil {
		w.entries = append(w.entries, entry)
	}
}

// localEntry verifies one entry of a local index: it must stand where its own attributes put it.
func (w *partitionWalk) localEntry(suffix, value []byte) error {
	entry, err := record.ParseItem(value)
	if err != nil || entry.Deleted || attr.CheckMap(entry.Attributes) != nil {
		w.row("local index entry", suffix, "it is malformed")
		return nil
	}
	if w.part.Table == nil {
		return nil
	}
	for i := range w.part.Table.Local {
		ix := &w.part.Table.Local[i]
		if !bytes.Equal(localSuffix(w.part.Table, ix, entry.Attributes), suffix) {
			continue
		}
		tally := w.local[uint32(ix.ID)]
		w.local[uint32(ix.ID)] = command.Tally{Items: tally.Items + 1, Bytes: tally.Bytes + int64(entry.Attributes.Size())}
		w.inspection.report.Records++
		return nil
	}
	w.row("local index entry", suffix, "no index puts it there")
	return nil
}

// changes verifies the change log: every change is there, in its place, and lawful.
func (w *partitionWalk) changes() {
	id, applied := w.part.Descriptor.Partition, w.part.Applied
	space := keys.Prefix(keys.SpaceLog, id)
	next := applied.First
	err := scan(w.snapshot, space, keys.SuccessorPrefix(space), func(key, value []byte) error {
		change, err := record.ParseChange(value)
		at := key[len(space):]
		switch {
		case err != nil:
			w.damaged("change %x of partition %d: %v", at, id, err)
		case change.Before != nil && attr.CheckMap(change.Before) != nil || change.After != nil && attr.CheckMap(change.After) != nil:
			w.damaged("change %d of partition %d is malformed", change.Sequence, id)
		case len(at) != 8 || binary.BigEndian.Uint64(at) != change.Sequence || change.Sequence != next:
			w.damaged("change %d of partition %d stands where change %d should", change.Sequence, id, next)
			next = change.Sequence
		default:
			w.inspection.report.Records++
		}
		next++
		w.report.Changes++
		return nil
	})
	switch {
	case err != nil:
		w.found(err, fmt.Sprintf("the change log of partition %d cannot be read", id))
	case next != applied.Sequence+1:
		w.damaged("the change log of partition %d ends at change %d and should end at %d", id, next-1, applied.Sequence)
	}
}

// row enters a damaged record by the token of its key: a key itself may be nobody's business.
func (w *partitionWalk) row(kind string, suffix []byte, what string) {
	w.damaged("%s at token %s of partition %d: %s", kind, hex.EncodeToString(suffix[:min(len(suffix), keys.TokenBytes)]),
		w.part.Descriptor.Partition, what)
	w.partial = true
}

// suffixOf is where an item stands; nil when it lacks a key attribute. Bounds of key values do not matter here: the key
// of a hidden table is longer than one that a client may name.
func suffixOf(key table.Key, item attr.Map) []byte {
	hash, ok := valuesOf(key.Hash, item)
	rng, too := valuesOf(key.Range, item)
	if !ok || !too {
		return nil
	}
	return keys.Suffix(hash, rng)
}

// localSuffix is where a local index's entry stands.
func localSuffix(t *table.Table, ix *table.Index, entry attr.Map) []byte {
	hash, ok := valuesOf(t.Key.Hash, entry)
	sort, too := valuesOf(slices.Concat(ix.Key.Range, t.Key.Range), entry)
	if !ok || !too {
		return nil
	}
	suffix := binary.BigEndian.AppendUint32(keys.Suffix(hash, nil), uint32(ix.ID))
	for _, v := range sort {
		suffix = keys.AppendComponent(suffix, v)
	}
	return suffix
}

func valuesOf(attributes []table.KeyAttribute, item attr.Map) ([]attr.Value, bool) {
	values := make([]attr.Value, 0, len(attributes))
	for _, a := range attributes {
		v, ok := item.Get(a.Name)
		if !ok || v.Type() != a.Type {
			return nil, false
		}
		values = append(values, v)
	}
	return values, true
}
