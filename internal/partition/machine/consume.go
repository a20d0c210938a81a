package machine

import (
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// consume saves a consumer's cursor and trims what every consumer is done with. A cursor never goes back, nor into what
// this very pass records: nobody can have read that.
func (d *decision) consume(c *command.Command) Answer {
	partition := d.part.Descriptor.Partition
	if c.Sequence > d.recorded || c.Sequence <= d.part.Cursors[c.Consumer] {
		return Answer{}
	}
	d.part = d.part.withCursor(c.Consumer, c.Sequence)
	write := partJSON(partition, nameCursors, d.part.Cursors)
	d.put(write.Key, write.Value)
	done := c.Sequence
	for _, sequence := range d.part.Cursors {
		done = min(done, sequence)
	}
	applied := &d.part.Applied
	if done < applied.First {
		return Answer{}
	}
	// A range deletion stands before the batch's own writes, so none of them may be in it.
	d.ranges = append(d.ranges, Range{Lower: keys.Log(partition, applied.First), Upper: keys.Log(partition, done+1)})
	kept, all := applied.Sequence-done, applied.Sequence-applied.First+1
	applied.LogBytes = applied.LogBytes * int64(kept) / int64(all)
	applied.First = done + 1
	return Answer{}
}

// Cursor is the last change that a consumer is done with: of what was never kept there is nothing left to do.
func (p *Part) Cursor(consumer string) uint64 {
	return max(p.Cursors[consumer], p.Applied.First-1)
}
