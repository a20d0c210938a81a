package machine

import (
	"stator/internal/base/must"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// lock finds the transaction that has locked an item. While nothing is locked it does not look.
func (d *decision) lock(suffix []byte) (held record.Lock, locked bool, err error) {
	if d.part.Applied.Locks == 0 {
		return held, false, nil
	}
	stored, found, err := d.Get(keys.Lock(d.part.Descriptor.Table, suffix))
	if err != nil || !found {
		return held, false, err
	}
	held, err = record.ParseLock(stored)
	return held, err == nil, err
}

// heldBy tells a command's sender whose lock it met.
func heldBy(l record.Lock) *command.Held {
	return &command.Held{
		ID: command.TransactionID(l.ID), Record: command.Place{Table: l.Table, Suffix: l.Suffix}, SinceMillis: l.Millis,
	}
}

// prepare locks every item of a partition's part in a transaction, with what is to become of it, or none of them.
func (d *decision) prepare(c *command.Command) (command.Result, error) {
	t := c.Transaction
	if d.nowMillis-t.SentMillis > PrepareAgeMillisMax {
		return command.Result{Refusal: command.TooLate}, nil
	}
	wishes, result, err := d.wishes(t)
	if err != nil || result.Refusal != command.Accepted {
		return result, err
	}
	for i := range wishes {
		if wishes[i].prepared {
			continue
		}
		d.put(keys.Lock(d.part.Descriptor.Table, wishes[i].key), record.Lock{
			ID: t.ID, Table: t.Record.Table, Suffix: t.Record.Suffix, Kind: byte(t.Actions[i].Action),
			Millis: d.nowMillis, Item: wishes[i].result.After,
		}.Append(nil))
		d.part.Applied.Locks++
	}
	// Whatever is written to these items from now on, by this transaction or after it, has a higher version.
	result.Version = d.nextVersion()
	return result, nil
}

// pendingWish is a wish of a transaction; prepared tells that the transaction has its lock already.
type pendingWish struct {
	wish
	prepared bool
}

// wishes works out all actions of a transaction's part. When one is refused, the result tells of each.
func (d *decision) wishes(t *command.Transaction) ([]pendingWish, command.Result, error) {
	wishes := make([]pendingWish, len(t.Actions))
	result := command.Result{Results: make([]command.Result, len(t.Actions))}
	for i, action := range t.Actions {
		w := &wishes[i]
		var err error
		if w.wish, err = d.wish(action); err != nil {
			return nil, result, err
		}
		if held := w.result.Held; held != nil && held.ID == t.ID {
			if err := d.again(w); err != nil {
				return nil, result, err
			}
		}
		result.Results[i] = w.result
		if w.result.Refusal != command.Accepted {
			result.Refusal = command.Cancelled
		}
	}
	return wishes, result, nil
}

// again is the answer to an action that has been prepared already.
func (d *decision) again(w *pendingWish) error {
	held, _, err := d.lock(w.key)
	if err != nil {
		return err
	}
	before, err := d.item(w.place)
	w.prepared = true
	w.result = command.Result{Before: before.Attributes, After: held.Item}
	return err
}

// apply performs what a transaction left pending on the items of this partition. Those that it has not locked, or not
// any more, stay as they are. It tells whether some are another partition's by now.
func (d *decision) apply(t *command.Transaction) (elsewhere bool, err error) {
	return d.unlock(t, func(held record.Lock, suffix []byte) error {
		d.brought(t.Version)
		if command.Action(held.Kind) == command.Check {
			return nil
		}
		read := d.item
		if !d.part.derives() {
			read = d.headOf
		}
		w := wish{key: suffix, place: keys.Data(d.part.Descriptor.Table, suffix), result: command.Result{After: held.Item}}
		before, err := read(w.place)
		if err != nil {
			return err
		}
		must.That(before.Version < t.Version, "a locked item has version %d, its transaction %d", before.Version, t.Version)
		w.before = before
		if err := d.measure(&w); err != nil {
			return err
		}
		if w.changes() {
			d.write(&w, t.Version)
		}
		return nil
	})
}

// release takes back what a transaction left pending.
func (d *decision) release(t *command.Transaction) (elsewhere bool, err error) {
	return d.unlock(t, func(record.Lock, []byte) error { return nil })
}

// unlock removes the locks that a transaction has on its items here, each after first.
func (d *decision) unlock(t *command.Transaction, first func(held record.Lock, suffix []byte) error) (elsewhere bool, err error) {
	for _, suffix := range t.Keys {
		if !d.part.Descriptor.Bounds.Holds(suffix) {
			elsewhere = true
			continue
		}
		held, locked, err := d.lock(suffix)
		if err != nil {
			return elsewhere, err
		}
		if !locked || held.ID != t.ID {
			continue
		}
		if err := first(held, suffix); err != nil {
			return elsewhere, err
		}
		d.delete(keys.Lock(d.part.Descriptor.Table, suffix))
		d.part.Applied.Locks--
	}
	return elsewhere, nil
}
