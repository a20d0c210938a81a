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
	for _, entry := range c.Entries {
		if err := d.feedEntry(entry); err != nil {
			return Answer{}, err
		}
	}
	return Answer{}, nil
}

func (d *decision) feedEntry(entry command.Entry) error {
	key := keys.Data(d.part.Descriptor.Table, entry.Key)
	var before record.Item
	stored, found, err := d.Head(key)
	if err != nil {
		return err
	}
	if found {
		if before, err = record.ParseHead(stored); err != nil {
			return err
		}
		if before.Version >= entry.Version {
			return nil
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
	return nil
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
