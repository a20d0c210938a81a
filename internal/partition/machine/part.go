// Package machine is the deciding core of one partition: from its state, what is stored and a queue of commands it makes
// one physical batch. It knows no clock, log, lock or goroutine.
package machine

import (
	"maps"

	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// CatalogTable is the id of the table of catalog items, CatalogPartition the one partition it has.
const (
	CatalogTable     = 1
	CatalogPartition = 1
)

// SoloEpoch is the epoch of a partition that one copy keeps by the engine's own log. It never changes, so that a later
// conversion to a replicated partition starts above it.
const SoloEpoch = 5

// Part is all that a partition knows of itself: its replicated state. It is a value: a decision makes a new one.
//
// Invariant: maps and slices of a Part that was handed out are never changed.
type Part struct {
	Descriptor Descriptor
	// Table is the adopted description; nil before the first adopt.
	Table   *table.Table
	Applied Applied
	// Cursors maps a consumer of the change log to the last sequence it is done with.
	Cursors map[string]uint64
	// Shards are the stretches of the change log by birth and split, oldest first.
	Shards []Shard
	// Streams are the stretches of the change log that belong to the table's streams, oldest first.
	Streams []Stream
	// Backfills maps an index id to its progress in this partition.
	Backfills map[uint64]command.Backfill
	// Expiry is how far the index of expiry is rebuilt; nil when it is whole, and where no item expires.
	Expiry *command.Backfill
}

// Descriptor is what makes a partition this one: who it is and which keys it answers for.
type Descriptor struct {
	Partition uint64
	// Generation counts changes of bounds, members and adopted table: what was decided under another is not performed.
	Generation uint64
	Table      uint64
	Bounds     command.Bounds
	// Parent and ParentSequence name the partition this one was split from and the last change of its log that also
	// speaks of this one's keys; zero by birth. Every consumer finishes that first.
	Parent, ParentSequence uint64
	// Members are the replicas, NextReplica the id that the next one gets, as none is ever used again. A partition that
	// one copy keeps alone has neither.
	Members     []command.Member `json:",omitempty"`
	NextReplica uint64           `json:",omitempty"`
}

// Applied is the part of the state that every batch moves.
type Applied struct {
	Epoch, Chain uint64
	// Sequence is the last change of the log, First the oldest one kept (Sequence+1 when there is none).
	Sequence, First uint64
	// VersionMax is at least every version ever given here; LastDelete the version of the newest deletion.
	VersionMax, LastDelete uint64
	// LogBytes is the size of the kept change log, UnfedBytes that of the part which the table's indexes have not seen.
	LogBytes, UnfedBytes int64
	Stats                command.Stats
	// Locks counts the items that transactions under way have locked: while there are none, no write looks for one.
	Locks int64
}

// Shard is one stretch of the change log: (partition, generation at its beginning), with its first and last sequence. The
// last one of a partition is open; one that ended before its first change has a Last below its First.
type Shard struct {
	Generation  uint64
	First, Last uint64
	Parents     []command.ShardName `json:",omitempty"`
}

// Born is the state of a new table's partition: nothing decided, nothing adopted.
func Born(partition, tableID uint64, bounds command.Bounds) Part {
	return Part{
		Descriptor: Descriptor{Partition: partition, Generation: 1, Table: tableID, Bounds: bounds},
		Applied:    Applied{Epoch: SoloEpoch, First: 1},
		Shards:     []Shard{{Generation: 1, First: 1}},
	}
}

// Records tells whether changes go to the change log: where someone reads it.
func (p *Part) Records() bool {
	if p.Descriptor.Table == CatalogTable || p.Indexed() {
		return true
	}
	if p.Table == nil {
		return false
	}
	_, streams := p.Table.Stream()
	return streams
}

// Indexed tells whether the table has global indexes, which are fed from the change log.
func (p *Part) Indexed() bool { return p.Table != nil && len(p.Table.Global) > 0 }

// Unfed is how many changes the table's indexes have not seen.
func (p *Part) Unfed() uint64 {
	if !p.Indexed() {
		return 0
	}
	return p.Applied.Sequence - p.Cursor(command.IndexConsumer)
}

// withCursor, withBackfill: a Part's maps are shared, so a change copies.
func (p Part) withCursor(consumer string, sequence uint64) Part {
	p.Cursors = maps.Clone(p.Cursors)
	if p.Cursors == nil {
		p.Cursors = map[string]uint64{}
	}
	p.Cursors[consumer] = sequence
	return p
}

func (p Part) withBackfill(index uint64, progress command.Backfill) Part {
	p.Backfills = maps.Clone(p.Backfills)
	if p.Backfills == nil {
		p.Backfills = map[uint64]command.Backfill{}
	}
	p.Backfills[index] = progress
	return p
}
