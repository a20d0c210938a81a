package machine

import (
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// feed brings entries to a global index. A lower version never overwrites a higher one and a deletion leaves a
// tombstone, so feeding twice, late, or beside a backfill gives the same index.
func (d *decision) feed(c *command.Command) (Answer, error) {
	if d.nowMillis-c.SentMillis > FeedAgeMillisMax {
		return Answer{Result: command.Result{Refusal: command.TooLate}}, nil
	}
	for _, entry := range c.Entries {
		if !d.part.Descriptor.Bounds.Holds(entry.Key) || c.Table != d.part.Descriptor.Table {
			return Answer{Err: StaleRoute(d.part.Descriptor)}, nil
		}
	}
	var a Answer
	for i, entry := range c.Entries {
		known, err := d.feedEntry(entry)
		if err != nil {
			return Answer{}, err
		}
		if known && a.Known == nil {
			a.Known = make([]bool, len(c.Entries))
		}
		if known {
			a.Known[i] = true
		}
	}
	return a, nil
}

func (d *decision) feedEntry(entry command.Entry) (known bool, err error) {
	key := keys.Data(d.part.Descriptor.Table, entry.Key)
	var before record.Item
	stored, found, err := d.Head(key)
	if err != nil {
		return false, err
	}
	if found {
		if before, err = record.ParseHead(stored); err != nil {
			return false, err
		}
		if before.Version >= entry.Version {
			return true, nil
		}
	}
	after := record.Item{Version: entry.Version, Deleted: entry.Item == nil, Attributes: entry.Item}
	if !after.Deleted {
		after.Size = uint32(entry.Item.Size())
	}
	d.put(key, after.Append(nil))
	was := found && !before.Deleted
	grown := int64(after.Size)
	if was {
		grown -= int64(before.Size)
	}
	d.count(was, !after.Deleted, grown)
	d.brought(entry.Version)
	return false, nil
}

// sweep removes tombstones that nothing under way can still meet. One that was overwritten since it was found stays.
func (d *decision) sweep(c *command.Command) (Answer, error) {
	for _, entry := range c.Tombstones {
		if !d.part.Descriptor.Bounds.Holds(entry.Key) {
			continue
		}
		key := keys.Data(d.part.Descriptor.Table, entry.Key)
		stored, found, err := d.Get(key)
		if err != nil {
			return Answer{}, err
		}
		if !found {
			continue
		}
		item, err := record.ParseItem(stored)
		if err != nil {
			return Answer{}, err
		}
		if item.Deleted && item.Version == entry.Version {
			d.delete(key)
		}
	}
	return Answer{}, nil
}
