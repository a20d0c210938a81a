package machine

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// Split is the batch that cuts a partition at a key suffix: the left half keeps the id, change log and cursors, the
// right half is a new partition. Nothing is in flight, so that the locks of each half can be counted in the store. A
// generation that moved on refuses it.
func Split(state Part, c *command.Command, rows Counter) (Batch, error) {
	d := state.Descriptor
	if d.Generation != c.Generation {
		return Batch{}, StaleRoute(d)
	}
	if len(c.At) == 0 {
		after := state
		after.Descriptor.Generation++
		after.Applied.Chain++
		return ofPart(Splits, state, after), nil
	}
	if !d.Bounds.Holds(c.At) || bytes.Equal(c.At, d.Bounds.Lower) {
		return Batch{}, StaleRoute(d)
	}
	// The entries of local indexes lie by collection: a cut within one would part them from their items.
	if state.Table != nil && len(state.Table.Local) > 0 && len(c.At) > keys.TokenBytes {
		return Batch{}, unfit("partition %d has local indexes and cannot be cut within an item collection", d.Partition)
	}
	if slices.ContainsFunc(d.Members, func(m command.Member) bool { return m.Learner }) {
		return Batch{}, unfit("a replica of partition %d is on its way: it can be split once that has caught up", d.Partition)
	}
	after, child := leftOf(state, c), rightOf(state, c)
	if state.Applied.Locks > 0 {
		left, err := rows(keys.Lock(d.Table, d.Bounds.Lower), keys.Lock(d.Table, c.At))
		if err != nil {
			return Batch{}, fmt.Errorf("counting the locks of partition %d: %w", d.Partition, err)
		}
		after.Applied.Locks, child.Applied.Locks = left, state.Applied.Locks-left
	}
	b := ofPart(Splits, state, after)
	b.Writes = append(b.Writes, child.Writes()...)
	b.Child = &child
	return b, nil
}

// Counter counts the rows of the engine range [lower, upper).
type Counter func(lower, upper []byte) (int64, error)

// leftOf is the parent after the split: it closes its shard and opens one of its new generation.
func leftOf(state Part, c *command.Command) Part {
	after := state
	generation, s := state.Descriptor.Generation, state.Applied.Sequence
	after.Descriptor.Generation++
	after.Descriptor.Bounds.Upper = c.At
	after.Applied.Chain++
	after.Applied.Stats = halved(state.Applied.Stats)
	after.Shards = slices.Clone(state.Shards)
	last := &after.Shards[len(after.Shards)-1]
	last.Last = s
	parent := command.ShardName{Partition: state.Descriptor.Partition, Generation: last.Generation}
	after.Shards = append(after.Shards, Shard{Generation: generation + 1, First: s + 1, Parents: []command.ShardName{parent}})
	return after
}

// rightOf is the child: its log begins after the parent's changes that also speak of its keys.
func rightOf(state Part, c *command.Command) Part {
	s := state.Applied.Sequence
	open := state.Shards[len(state.Shards)-1]
	child := Part{
		Descriptor: Descriptor{
			Partition: c.Child, Generation: 1, Table: state.Descriptor.Table,
			Bounds: command.Bounds{Lower: c.At, Upper: state.Descriptor.Bounds.Upper},
			Parent: state.Descriptor.Partition, ParentSequence: s,
			Members: membersOfRight(state), NextReplica: nextOfRight(state),
		},
		Table: state.Table,
		Applied: Applied{
			Epoch: SoloEpoch, Sequence: s, First: s + 1,
			VersionMax: state.Applied.VersionMax, LastDelete: state.Applied.LastDelete,
			Stats: rest(state.Applied.Stats, halved(state.Applied.Stats)),
		},
		Cursors: map[string]uint64{},
		Shards: []Shard{{Generation: 1, First: s + 1,
			Parents: []command.ShardName{{Partition: state.Descriptor.Partition, Generation: open.Generation}}}},
		Streams:   streamsOfRight(state),
		Backfills: maps.Clone(state.Backfills),
	}
	// The entries of its items lie under the parent's id, which drops them when it meets them.
	if timeToLive(state.Table) != "" {
		child.Expiry = &command.Backfill{}
	}
	// The child's own log is empty up to s: whoever reads it starts there, after having finished the parent's.
	for _, consumer := range child.consumers() {
		if _, saved := state.Cursors[consumer]; saved {
			child.Cursors[consumer] = s
		}
	}
	return child
}

// correct mends statistics that a split estimated. The difference found at the split holds for ever, as every write since
// moved the estimate as it would have moved the truth. But who counts a half anew, as the next leader of its parent does, raises
// its generation first: what was found before that is not added to it.
func (d *decision) correct(c *command.Command) Answer {
	if c.Generation != d.part.Descriptor.Generation {
		return Answer{Err: StaleRoute(d.part.Descriptor)}
	}
	stats := &d.part.Applied.Stats
	stats.Items += c.Correction.Items
	stats.Bytes += c.Correction.Bytes
	d.addLocal(c.Correction.Local)
	d.corrected = true
	return Answer{}
}

// halved estimates the left half's statistics; correct mends them.
func halved(s command.Stats) command.Stats {
	half := command.Stats{Items: s.Items / 2, Bytes: s.Bytes / 2}
	for index, tally := range s.Local {
		if half.Local == nil {
			half.Local = map[uint32]command.Tally{}
		}
		half.Local[index] = command.Tally{Items: tally.Items / 2, Bytes: tally.Bytes / 2}
	}
	return half
}

func rest(all, half command.Stats) command.Stats {
	other := command.Stats{Items: all.Items - half.Items, Bytes: all.Bytes - half.Bytes}
	for index, tally := range all.Local {
		if other.Local == nil {
			other.Local = map[uint32]command.Tally{}
		}
		left := half.Local[index]
		other.Local[index] = command.Tally{Items: tally.Items - left.Items, Bytes: tally.Bytes - left.Bytes}
	}
	return other
}

func unfit(format string, args ...any) error {
	return &command.Unfit{Text: fmt.Sprintf(format, args...)}
}
