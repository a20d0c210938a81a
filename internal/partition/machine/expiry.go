package machine

import (
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// The index of expiry lists a partition's items by the second at which they expire. It is derived from the items and read
// by nobody but who deletes them, so it may show too much for a while (after a split, until a rebuild is done), and an
// entry is believed only if its item says the same. Its entries have no content.

// moveExpiry brings the index from one state of an item to the next.
func (d *decision) moveExpiry(suffix []byte, before, after attr.Map) {
	if d.part.Table.TimeToLive == "" {
		return
	}
	was, had := d.part.Table.Expiry(before)
	is, has := d.part.Table.Expiry(after)
	if had == has && was == is {
		return
	}
	if had {
		d.delete(keys.Expiry(d.part.Descriptor.Partition, was, suffix))
	}
	if has {
		d.enterExpiry(is, suffix)
	}
}

func (d *decision) enterExpiry(second uint64, suffix []byte) {
	d.put(keys.Expiry(d.part.Descriptor.Partition, second, suffix), []byte{})
	if d.due == 0 || second < d.due {
		d.due = second
	}
}

// expire deletes an item that the index showed as expired. Whatever happened since it was found is looked at here: an
// entry that its item does not bear out goes alone, and an item that has got more time stays.
func (d *decision) expire(c *command.Command) (Answer, error) {
	if c.Generation != d.part.Descriptor.Generation {
		return Answer{Err: StaleRoute(d.part.Descriptor)}, nil
	}
	borne, err := d.expiresAt(c.Key, c.Second)
	if err != nil {
		return Answer{}, err
	}
	if !borne {
		d.delete(keys.Expiry(d.part.Descriptor.Partition, c.Second, c.Key))
		return Answer{}, nil
	}
	if first, last := table.Expired(d.nowMillis); c.Second < first || c.Second > last {
		return Answer{Result: command.Result{Refusal: command.NotDue}}, nil
	}
	return d.writeItem(c)
}

// expiresAt tells whether an item is this partition's and expires at a second.
func (d *decision) expiresAt(suffix []byte, second uint64) (bool, error) {
	if !d.part.Descriptor.Bounds.Holds(suffix) || d.part.Table == nil {
		return false, nil
	}
	item, err := d.item(keys.Data(d.part.Descriptor.Table, suffix))
	if err != nil {
		return false, err
	}
	is, ok := d.part.Table.Expiry(item.Attributes)
	return ok && is == second, nil
}

// rebuild enters items that are older than the index, as they are by now, and saves how far it is.
func (d *decision) rebuild(c *command.Command) (Answer, error) {
	if c.Generation != d.part.Descriptor.Generation || d.part.Expiry == nil {
		return Answer{Err: StaleRoute(d.part.Descriptor)}, nil
	}
	for i := range c.Entries {
		suffix := c.Entries[i].Key
		item, err := d.item(keys.Data(d.part.Descriptor.Table, suffix))
		if err != nil {
			return Answer{}, err
		}
		if second, ok := d.part.Table.Expiry(item.Attributes); ok {
			d.enterExpiry(second, suffix)
		}
	}
	id := d.part.Descriptor.Partition
	if c.Backfill.Done {
		d.part.Expiry = nil
		d.delete(keys.Part(id, nameExpiry))
		return Answer{}, nil
	}
	progress := c.Backfill
	d.part.Expiry = &progress
	write := partJSON(id, nameExpiry, progress)
	d.put(write.Key, write.Value)
	return Answer{}, nil
}

// expiryAfter is the progress of a rebuild once a partition has adopted a description: one that names another attribute
// than before begins it anew, since no item of before is in the index by that attribute.
func expiryAfter(state Part, t *table.Table) *command.Backfill {
	switch {
	case t.TimeToLive == timeToLive(state.Table):
		return state.Expiry
	case t.TimeToLive == "":
		return nil
	}
	return &command.Backfill{}
}

func timeToLive(t *table.Table) string {
	if t == nil {
		return ""
	}
	return t.TimeToLive
}
