package machine

import (
	"bytes"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
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
		oldKey, old := IndexEntry(t, ix, before)
		newKey, new := IndexEntry(t, ix, after)
		if bytes.Equal(oldKey, newKey) && bytes.Equal(old, new) {
			continue
		}
		for _, part := range busy {
			if oldKey != nil && part.Holds(oldKey) || newKey != nil && part.Holds(newKey) {
				return ix
			}
		}
	}
	return nil
}
