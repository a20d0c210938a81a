package machine

import (
	"maps"
	"math/bits"
	"slices"

	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// consumers are those who read this partition's change log: what one of them is not done with is kept.
func (p *Part) consumers() []string {
	var all []string
	if p.Descriptor.Table == CatalogTable {
		all = append(all, command.CatalogConsumer)
	}
	if p.Indexed() {
		all = append(all, command.IndexConsumer)
	}
	if len(p.Streams) > 0 {
		all = append(all, command.StreamConsumer)
	}
	return all
}

// consume saves a consumer's cursor and trims what every consumer is done with. A cursor never goes back, nor into what
// this very pass records: nobody can have read that. One whose reading has ended meanwhile holds nothing any more.
func (d *decision) consume(c *command.Command) Answer {
	partition := d.part.Descriptor.Partition
	if c.Sequence > d.recorded || c.Sequence <= d.part.Cursor(c.Consumer) || !slices.Contains(d.part.consumers(), c.Consumer) {
		return Answer{}
	}
	unfed := d.part.Unfed()
	d.part = d.part.withCursor(c.Consumer, c.Sequence)
	if left := d.part.Unfed(); left < unfed {
		d.part.Applied.UnfedBytes = share(d.part.Applied.UnfedBytes, left, unfed)
	}
	d.putPart(partJSON(partition, nameCursors, d.part.Cursors))
	shards := len(d.part.Shards)
	// A range deletion stands before the batch's own writes, and none of them is in it: they are newer than all cursors.
	d.ranges = append(d.ranges, d.part.trim()...)
	if len(d.part.Shards) != shards {
		d.putPart(partJSON(partition, nameShards, d.part.Shards))
	}
	return Answer{}
}

func (d *decision) putPart(w Write) { d.put(w.Key, w.Value) }

// trim lets go of the changes that every consumer is done with, all of them where there is no consumer, and of shards
// that ended before that. A shard whose last change is the last one to go stays: its readers learn there that it ended.
func (p *Part) trim() []Range {
	done := p.Applied.Sequence
	for _, consumer := range p.consumers() {
		done = min(done, p.Cursor(consumer))
	}
	applied := &p.Applied
	if done < applied.First {
		return nil
	}
	id := p.Descriptor.Partition
	gone := Range{Lower: keys.Log(id, applied.First), Upper: keys.Log(id, done+1)}
	applied.LogBytes = share(applied.LogBytes, applied.Sequence-done, applied.Sequence-applied.First+1)
	applied.First = done + 1
	old := 0
	for old < len(p.Shards)-1 && p.Shards[old].Last+1 < applied.First {
		old++
	}
	p.Shards = p.Shards[old:]
	return []Range{gone}
}

// share is the part of bytes that is estimated to lie in some of all changes. Their product is beyond 64 bits where a busy
// partition keeps a day of changes for a stream.
func share(bytes int64, some, all uint64) int64 {
	high, low := bits.Mul64(uint64(max(0, bytes)), min(some, all))
	part, _ := bits.Div64(high, low, all)
	return int64(part)
}

// Cursor is the last change that a consumer is done with: of what was never kept there is nothing left to do.
func (p *Part) Cursor(consumer string) uint64 {
	return max(p.Cursors[consumer], p.Applied.First-1)
}

// cursors are those of the consumers that go on. One that begins has nothing to do with the changes there are already.
func cursors(state, after *Part) map[string]uint64 {
	kept := maps.Clone(state.Cursors)
	before, now := state.consumers(), after.consumers()
	maps.DeleteFunc(kept, func(consumer string, _ uint64) bool { return !slices.Contains(now, consumer) })
	for _, consumer := range now {
		if state.Applied.First > state.Applied.Sequence || slices.Contains(before, consumer) {
			continue
		}
		if kept == nil {
			kept = map[string]uint64{}
		}
		kept[consumer] = state.Applied.Sequence
	}
	return kept
}
