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

// ItemBytesMax is the largest item, in DynamoDB's accounting (semantics §2.1).
const ItemBytesMax = 409_600

// updateTooLarge is DynamoDB's text for an update whose item would pass ItemBytesMax (semantics §2.5).
const updateTooLarge = "Item size to update has exceeded the maximum allowed size"

// writeItem decides a Put, Update, Delete or an Expire that is due: read, condition, change, write.
func (d *decision) writeItem(c *command.Command) (Answer, error) {
	if err := d.routed(c, c.Key); err != nil {
		return Answer{Err: err}, nil
	}
	key := keys.Data(d.part.Descriptor.Table, c.Key)
	before, err := d.before(c, key)
	if err != nil {
		return Answer{}, err
	}
	result := command.Result{Before: before.Attributes, After: before.Attributes}
	if !c.Condition.Holds(before.Attributes) {
		result.Refusal = command.ConditionFailed
		return Answer{Result: result}, nil
	}
	if d.part.Applied.LogBytes > LogBytesMax {
		result.Refusal = command.Throttled
		return Answer{Result: result}, nil
	}
	after, refused := d.changed(c, before.Attributes)
	if refused != "" {
		result.Refusal, result.Text = command.Invalid, refused
		return Answer{Result: result}, nil
	}
	result.After = after
	return d.replace(c, before, result)
}

// changed is the item after the command, or DynamoDB's text for why there is none.
func (d *decision) changed(c *command.Command, before attr.Map) (after attr.Map, refused string) {
	switch c.Action {
	case command.Put:
		return c.Item, ""
	case command.Delete, command.Expire:
		return nil, ""
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
	if after.Size() > ItemBytesMax || c.Update.WriteCost(after) > ItemBytesMax {
		return nil, updateTooLarge
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

// replace writes the difference between before and result.After in every space that shows it.
func (d *decision) replace(c *command.Command, before record.Item, result command.Result) (Answer, error) {
	after := result.After
	existed, exists := before.Size > 0, len(after) > 0
	if existed == exists && bytes.Equal(before.Attributes, after) {
		size, err := d.collection(c.Key, 0)
		result.CollectionBytes = size
		return Answer{Result: result}, err
	}
	grown, err := d.localEntries(c.Key, before.Attributes, after)
	if err != nil {
		return Answer{}, err
	}
	beforeSize, afterSize := int64(before.Size), int64(0)
	if exists {
		afterSize = int64(after.Size())
	}
	size, err := d.collection(c.Key, grown.bytes+afterSize-beforeSize)
	if err != nil {
		return Answer{}, err
	}
	if size > CollectionBytesMax && afterSize > beforeSize {
		return Answer{Result: command.Result{Refusal: command.CollectionTooLarge, Before: before.Attributes}}, nil
	}
	result.CollectionBytes = size
	d.writeLocal(grown, c.Key, size)
	d.moveExpiry(c.Key, before.Attributes, after)
	version := d.nextVersion()
	d.writeData(c.Key, record.Item{Version: version, Size: uint32(afterSize), Attributes: after})
	d.count(existed, exists, afterSize-beforeSize)
	if d.part.Records() {
		d.record(record.Change{Version: version, Table: d.part.Descriptor.Table, Suffix: c.Key,
			Before: before.Attributes, After: after, Kind: author(c)})
	}
	return Answer{Result: result}, nil
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
	return !c.Blind || c.Action == command.Update || c.Condition != nil ||
		p.Table == nil || len(p.Table.Local) > 0 || p.Table.TimeToLive != "" || p.Records()
}

// before reads the item that a command meets; a missing one has no size.
func (d *decision) before(c *command.Command, key []byte) (record.Item, error) {
	if d.part.NeedsBefore(c) {
		return d.item(key)
	}
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

func (d *decision) writeData(suffix []byte, item record.Item) {
	key := keys.Data(d.part.Descriptor.Table, suffix)
	if len(item.Attributes) == 0 {
		d.part.Applied.LastDelete = item.Version
		d.delete(key)
		return
	}
	d.put(key, item.Append(nil))
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
	d.put(keys.Log(d.part.Descriptor.Partition, change.Sequence), value)
	d.changes++
}
