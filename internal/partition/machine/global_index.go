package machine

import (
	"bytes"
	"slices"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// IndexEntry is an item's entry in a global index of its table, with its key suffix there; no key where the item is not in the index.
func IndexEntry(t *table.Table, ix *table.Index, item attr.Map) ([]byte, attr.Map) {
	entry, ok := ix.Entry(t, item)
	if !ok {
		return nil, nil
	}
	hash, rng, ok := ix.EntryKey(t, entry)
	if !ok {
		return nil, nil
	}
	return keys.Suffix(hash, rng), entry
}

// IndexEntries are what one change does to a global index: nothing where the index shows the item as before.
func IndexEntries(t *table.Table, ix *table.Index, change *record.Change) []command.Entry {
	oldKey, old := IndexEntry(t, ix, change.Before)
	newKey, new := IndexEntry(t, ix, change.After)
	var entries []command.Entry
	if oldKey != nil && !bytes.Equal(oldKey, newKey) {
		entries = append(entries, command.Entry{Key: oldKey, Version: change.Version})
	}
	if newKey != nil && !(bytes.Equal(oldKey, newKey) && bytes.Equal(old, new)) {
		entries = append(entries, command.Entry{Key: newKey, Version: change.Version, Item: new})
	}
	return entries
}

// busyIndex is a global index to which a change would bring something where no more can be taken now; nil is none. The change has not been
// made yet: once it is, nobody can refuse what the index has to be told of it.
func (d *decision) busyIndex(before, after attr.Map) *table.Index {
	t := d.part.Table
	for i := range t.Global {
		ix := &t.Global[i]
		busy := d.view.Busy(ix.ID)
		if len(busy) == 0 {
			continue
		}
		for _, entry := range IndexEntries(t, ix, &record.Change{Before: before, After: after}) {
			if slices.ContainsFunc(busy, func(part command.Bounds) bool { return part.Holds(entry.Key) }) {
				return ix
			}
		}
	}
	return nil
}
