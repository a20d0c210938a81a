package machine

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// After is the partition's state once b is performed, and that of the right half if it splits. A copy that did not decide
// the batch reads both from the records of space part that are among the batch's own writes.
func After(state Part, b *Batch) (after Part, child *Part, err error) {
	after = state
	id := state.Descriptor.Partition
	for _, w := range b.Writes {
		partition, name, ok := partRecord(w.Key)
		switch {
		case !ok:
			continue
		case partition == id:
			err = after.take(name, w.Value)
		case b.Kind != Splits:
			err = fmt.Errorf("it writes the state of partition %d", partition)
		default:
			if child == nil {
				child = &Part{Descriptor: Descriptor{Partition: partition}}
			}
			if child.Descriptor.Partition != partition {
				return after, nil, fmt.Errorf("a batch of partition %d has two children", id)
			}
			err = child.take(name, w.Value)
		}
		if err != nil {
			return after, nil, fmt.Errorf("reading a batch of partition %d: %w", id, err)
		}
	}
	return after, child, nil
}

// partRecord takes the key of a part record apart.
func partRecord(key []byte) (partition uint64, name string, ok bool) {
	prefix := len(keys.Prefix(keys.SpacePart, 0))
	if len(key) < prefix || key[0] != byte(keys.SpacePart) {
		return 0, "", false
	}
	return binary.BigEndian.Uint64(key[1:]), string(key[prefix:]), true
}

// take reads one record into p; a nil value is a record that goes.
func (p *Part) take(name string, value []byte) (err error) {
	switch name {
	case nameApplied:
		p.Applied, err = ParseApplied(value)
	case nameDescriptor:
		p.Descriptor, err = ParseDescriptor(value)
	case nameTable:
		p.Table, err = table.Decode(value)
	case nameCursors:
		p.Cursors, err = taken[map[string]uint64](value)
	case nameShards:
		p.Shards, err = taken[[]Shard](value)
	case nameStreams:
		p.Streams, err = taken[[]Stream](value)
	case nameBackfills:
		p.Backfills, err = taken[map[uint64]command.Backfill](value)
	case nameExpiry:
		p.Expiry, err = taken[*command.Backfill](value)
	default:
		err = fmt.Errorf("record %q is unknown", name)
	}
	return err
}

func taken[T any](value []byte) (v T, err error) {
	if value == nil {
		return v, nil
	}
	if err = json.Unmarshal(value, &v); err != nil {
		return v, fmt.Errorf("part state: %w", err)
	}
	return v, nil
}
