package node

import (
	"encoding/binary"
	"fmt"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Counted takes a snapshot now and returns the count of a partition's range in it.
func (h *host) Counted(d machine.Descriptor) func() (command.Stats, error) {
	snapshot := h.node.engine.Snapshot()
	return func() (command.Stats, error) {
		defer snapshot.Close()
		stats := command.Stats{Local: map[uint32]command.Tally{}}
		err := walk(snapshot, keys.SpaceData, d, func(_, value []byte) error {
			item, err := record.ParseItem(value)
			if err == nil && !item.Deleted {
				stats.Items++
				stats.Bytes += int64(item.Size)
			}
			return err
		})
		if err != nil {
			return stats, err
		}
		return stats, walk(snapshot, keys.SpaceLocalIndex, d, func(suffix, value []byte) error {
			entry, err := record.ParseItem(value)
			if err != nil {
				return err
			}
			_, rest := keys.SplitSuffix(suffix, 1)
			tally := stats.Local[binary.BigEndian.Uint32(rest)]
			stats.Local[binary.BigEndian.Uint32(rest)] = command.Tally{
				Items: tally.Items + 1, Bytes: tally.Bytes + int64(entry.Attributes.Size()),
			}
			return nil
		})
	}
}

// Middle is the key suffix in the middle of a partition's rows: the beginning of an item collection where there is one
// to cut at, else, unless whole, a key within one.
func (h *host) Middle(d machine.Descriptor, whole bool) ([]byte, error) {
	snapshot := h.node.engine.Snapshot()
	defer snapshot.Close()
	rows := 0
	if err := walk(snapshot, keys.SpaceData, d, func(_, _ []byte) error { rows++; return nil }); err != nil {
		return nil, err
	}
	var first, middle, later []byte
	at := 0
	err := walk(snapshot, keys.SpaceData, d, func(suffix, _ []byte) error {
		token := suffix[:keys.TokenBytes]
		switch {
		case at == 0:
			first = append(first, token...)
		case at == rows/2:
			middle = append(middle, suffix...)
		case at > rows/2 && later == nil && string(token) > string(middle[:keys.TokenBytes]):
			later = append(later, token...)
		}
		at++
		return nil
	})
	switch {
	case err != nil || middle == nil:
		return nil, err
	case string(middle[:keys.TokenBytes]) > string(first):
		return middle[:keys.TokenBytes], nil
	case later != nil && whole:
		return later, nil
	case whole:
		return nil, nil
	}
	return middle, nil
}

// walk visits a partition's rows in one space, in key order; suffix and value live until each returns.
func walk(snapshot *engine.Snapshot, space keys.Space, d machine.Descriptor, each func(suffix, value []byte) error) error {
	prefixBytes := len(keys.Prefix(space, d.Table))
	lower, upper := keys.Span(space, d.Table, d.Bounds.Lower, d.Bounds.Upper)
	err := scan(snapshot, lower, upper, func(key, value []byte) error { return each(key[prefixBytes:], value) })
	if err != nil {
		return fmt.Errorf("walking partition %d: %w", d.Partition, err)
	}
	return nil
}

// scan visits the rows of [lower, upper) in key order; key and value live until each returns.
func scan(snapshot *engine.Snapshot, lower, upper []byte, each func(key, value []byte) error) error {
	it, err := snapshot.Iter(lower, upper)
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.Value()
		if err != nil {
			return err
		}
		if err := each(it.Key(), value); err != nil {
			return err
		}
	}
	return it.Err()
}
