package machine

import (
	"bytes"
	"errors"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// wish is an item's command worked out: the item before and after, or why not, and what the change does to the local
// indexes of the table.
type wish struct {
	// key is the item's suffix, place its engine key.
	key, place []byte
	// by is who wishes: command.ByUser or command.ByExpiry.
	by     byte
	before record.Item
	result command.Result
	grown  growth
	// bytes is how much the collection grows, local index entries included.
	bytes int64
}

// writeItem decides a Put, Update, Delete or an Expire that is due: read, condition, change, write.
func (d *decision) writeItem(c *command.Command) (Answer, error) {
	if err := d.routed(c, c.Key); err != nil {
		return Answer{Err: err}, nil
	}
	w, err := d.wish(c)
	if err == nil && w.result.Refusal == command.Accepted && w.changes() {
		w.result.Version = d.nextVersion()
		d.write(&w, w.result.Version)
	}
	return Answer{Result: w.result}, err
}

// wish works a command out. It writes nothing.
func (d *decision) wish(c *command.Command) (wish, error) {
	w := wish{key: c.Key, place: keys.Data(d.part.Descriptor.Table, c.Key), by: author(c)}
	held, locked, err := d.lock(c.Key)
	if err != nil || locked {
		w.result.Refusal, w.result.Held = command.Locked, heldBy(held)
		return w, err
	}
	if w.before, err = d.before(c, w.place); err != nil {
		return w, err
	}
	before := w.before.Attributes
	w.result.Before, w.result.After = before, before
	if len(before) == 0 {
		w.result.BeforeBytes = int(w.before.Size)
	}
	if !c.Condition.Holds(before) {
		w.result.Refusal = command.ConditionFailed
		return w, nil
	}
	if d.part.Applied.UnfedBytes > UnfedBytesMax {
		w.result.Refusal = command.Throttled
		return w, nil
	}
	after, refused := d.changed(c, before)
	if refused != "" {
		w.result.Refusal, w.result.Text = command.Invalid, refused
		return w, nil
	}
	w.result.After = after
	if err := d.measure(&w); err != nil {
		return w, err
	}
	if w.result.CollectionBytes > CollectionBytesMax && sizeOf(after) > int(w.before.Size) {
		w.result = command.Result{Refusal: command.CollectionTooLarge, Before: before}
		return w, nil
	}
	if ix := d.busyIndex(before, after); ix != nil && w.by == command.ByUser {
		w.result.Refusal, w.result.Text = command.Throttled, ix.Name
	}
	return w, nil
}

// changes tells whether there is anything to write. Of an item that is replaced unseen it is only known that it is there.
func (w *wish) changes() bool {
	return w.existed() != w.exists() || !bytes.Equal(w.before.Attributes, w.result.After)
}

func (w *wish) existed() bool { return w.before.Size > 0 }
func (w *wish) exists() bool  { return len(w.result.After) > 0 }

// changed is the item after the command, or DynamoDB's text for why there is none.
func (d *decision) changed(c *command.Command, before attr.Map) (after attr.Map, refused string) {
	switch c.Action {
	case command.Put:
		return c.Item, ""
	case command.Delete, command.Expire:
		return nil, ""
	case command.Check:
		return before, ""
	}
	if len(before) == 0 && !c.Update.CreatesItem() {
		return nil, ""
	}
	after, err := c.Update.Apply(before, c.Item)
	if err != nil {
		var invalid *expr.Error
		if errors.As(err, &invalid) {
			return nil, invalid.Text
		}
		return nil, err.Error()
	}
	if after.Size() > table.ItemBytesMax {
		return nil, table.UpdateTooLarge
	}
	// An item older than an index may hold what the index refuses: it can still be updated in other ways.
	if text := table.CheckUpdatedIndexKeys(d.part.Table, after); text != "" {
		if text = table.CheckUpdatedIndexKeys(d.part.Table, written(before, after)); text != "" {
			return nil, text
		}
	}
	if after.Depth() > DepthMax {
		return nil, nestedTooDeep
	}
	return after, ""
}

// written is the part of after that before does not have.
func written(before, after attr.Map) attr.Map {
	var changed []attr.Entry
	for name, value := range after.All() {
		if was, ok := before.Get(name); !ok || !attr.Equal(was, value) {
			changed = append(changed, attr.Entry{Name: name, Value: value})
		}
	}
	return attr.NewMap(changed)
}

// DepthMax is how deep an item's containers may nest (semantics §4).
const DepthMax = 32

const nestedTooDeep = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"

// measure works out what a change does to the local indexes and to the size of its collection.
func (d *decision) measure(w *wish) (err error) {
	if w.changes() {
		if w.grown, err = d.localEntries(w.key, w.before.Attributes, w.result.After); err != nil {
			return err
		}
		w.bytes = w.grown.bytes + int64(sizeOf(w.result.After)) - int64(w.before.Size)
	}
	w.result.CollectionBytes, err = d.collection(w.key, w.bytes)
	return err
}

// write performs a change in every space that shows it.
func (d *decision) write(w *wish, version uint64) {
	before, after := w.before, w.result.After
	size := sizeOf(after)
	d.writeLocal(w.grown, w.key, w.result.CollectionBytes)
	d.moveExpiry(w.key, before.Attributes, after)
	d.writeData(w.place, record.Item{Version: version, Size: uint32(size), Attributes: after})
	d.count(w.existed(), w.exists(), int64(size)-int64(before.Size))
	if d.part.Records() {
		d.record(record.Change{Version: version, Table: d.part.Descriptor.Table, Suffix: w.key,
			Before: before.Attributes, After: after, Kind: w.by})
	}
}

// sizeOf is an item's size, 0 where there is none.
func sizeOf(item attr.Map) int {
	if len(item) == 0 {
		return 0
	}
	return item.Size()
}

// author tells who wishes for a command.
func author(c *command.Command) byte {
	if c.Action == command.Expire {
		return command.ByExpiry
	}
	return command.ByUser
}

// NeedsBefore tells whether a command depends on what is in the item that it meets, or shows it: of an item that is
// replaced unseen it is enough to know that it is there, and its size.
func (p *Part) NeedsBefore(c *command.Command) bool {
	replaces := c.Action == command.Put || c.Action == command.Delete
	return !c.Blind || !replaces || c.Condition != nil || p.Table == nil || p.derives()
}

// derives tells whether more than its place depends on an item: index entries, changes, or when it expires.
func (p *Part) derives() bool {
	return len(p.Table.Local) > 0 || p.Table.TimeToLive != "" || p.Records()
}

// before reads the item that a command meets; a missing one has no size.
func (d *decision) before(c *command.Command, key []byte) (record.Item, error) {
	if d.part.NeedsBefore(c) {
		return d.item(key)
	}
	return d.headOf(key)
}

// headOf reads an item without its attributes; a missing one has no size.
func (d *decision) headOf(key []byte) (record.Item, error) {
	return parsed(record.ParseHead)(d.Head(key))
}

// item reads the item under an engine key; a missing one has no attributes.
func (d *decision) item(key []byte) (record.Item, error) {
	return parsed(record.ParseItem)(d.Get(key))
}

// parsed reads a stored item, of which a missing or deleted one is the zero Item.
func parsed(parse func([]byte) (record.Item, error)) func([]byte, bool, error) (record.Item, error) {
	return func(stored []byte, found bool, err error) (record.Item, error) {
		if err != nil || !found {
			return record.Item{}, err
		}
		item, err := parse(stored)
		if err != nil || item.Deleted {
			return record.Item{}, err
		}
		return item, nil
	}
}

func (d *decision) writeData(place []byte, item record.Item) {
	if len(item.Attributes) == 0 {
		d.part.Applied.LastDelete = max(d.part.Applied.LastDelete, item.Version)
		d.delete(place)
		return
	}
	d.put(place, item.Append(nil))
}

func (d *decision) count(was, is bool, bytes int64) {
	stats := &d.part.Applied.Stats
	stats.Bytes += bytes
	if is && !was {
		stats.Items++
	}
	if was && !is {
		stats.Items--
	}
}

// record appends a change to the partition's log.
func (d *decision) record(change record.Change) {
	d.part.Applied.Sequence++
	change.Sequence = d.part.Applied.Sequence
	value := change.Append(nil)
	d.part.Applied.LogBytes += int64(len(value))
	if d.part.Indexed() {
		d.part.Applied.UnfedBytes += int64(len(value))
	}
	d.bytes += len(value)
	// No command reads the log, so the place of the key needs no remembering.
	d.writes = append(d.writes, Write{Key: keys.Log(d.part.Descriptor.Partition, change.Sequence), Value: value})
	d.changes++
}
