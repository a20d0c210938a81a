package node

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Missing takes a snapshot now and returns the count of a partition's range in it, less what the partition says there.
func (h *host) Missing(d machine.Descriptor) func() (command.Stats, error) {
	snapshot := h.node.engine.Snapshot()
	return func() (command.Stats, error) {
		defer snapshot.Close()
		applied, err := machine.LoadApplied(snapshot, d.Partition)
		if err != nil {
			return command.Stats{}, err
		}
		stats := command.Stats{Local: map[uint32]command.Tally{}}
		err = walk(snapshot, keys.SpaceData, d, func(_, value []byte) error {
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
		err = walk(snapshot, keys.SpaceLocalIndex, d, func(suffix, value []byte) error {
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
		return stats.Minus(applied.Stats), err
	}
}

// Rows visits a partition's rows from a key suffix on, with their bytes, until so many are read, and returns where to go on;
// nil at the end.
func (h *host) Rows(d machine.Descriptor, from []byte, bytesMax int, each func(suffix []byte, bytes int)) (next []byte, err error) {
	snapshot := h.node.engine.Snapshot()
	defer snapshot.Close()
	d.Bounds.Lower = from
	read := 0
	err = walk(snapshot, keys.SpaceData, d, func(suffix, value []byte) error {
		if read >= bytesMax {
			next = append(next, suffix...)
			return errEnough
		}
		read += len(suffix) + len(value)
		each(suffix, len(suffix)+len(value))
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return next, err
}

var errEnough = errors.New("enough was read")

// Large lists the partitions of more than so many bytes that are led here, with all their replicas at hand.
func (h *host) Large(bytes int64) (ids []uint64) {
	for id, r := range h.all() {
		if leads, _ := r.Leads(); leads && r.State().Applied.Stats.Bytes > bytes && h.complete(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// complete tells whether all replicas of a partition that is led here vote and keep up.
func (h *host) complete(partition uint64) bool {
	c := h.node.cluster
	if c == nil {
		return true
	}
	g, ok := c.group(partition)
	if !ok {
		return false
	}
	s := g.Status()
	lags := func(m multiraft.MemberStatus) bool { return m.Learner || !c.near(&s, m) }
	return !s.Joint && !slices.ContainsFunc(s.Members, lags)
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
