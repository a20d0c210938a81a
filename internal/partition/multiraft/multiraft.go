// Package multiraft is the log that the replicas of a partition keep together: it hosts a node's raft groups over the
// node's one engine. It does not know how a message travels, what time it is but by being told, or which partitions a
// table has.
package multiraft

import (
	"time"

	"stator/internal/storage/engine"
)

// How groups run. All bytes of one pass share an engine commit.
const (
	// TickDefault is the unit of the times below. A follower that hears nothing campaigns after electionTicks to twice as
	// many.
	TickDefault    = 50 * time.Millisecond
	heartbeatTicks = 4
	electionTicks  = 20

	messageBytesMax     = 1 << 20
	inflightMessagesMax = 256
	inflightBytesMax    = 8 << 20
	uncommittedBytesMax = 32 << 20
	committedBytesMax   = 16 << 20
	// commitBytesMax ends one engine commit of a pass; what follows goes into the next.
	commitBytesMax = 32 << 20
	// entryBytesMax is the largest batch that is proposed: a larger one might be in the log of its leader and get to nobody. All
	// but those of the largest transactions have a few megabytes (machine.BatchBytesMax).
	entryBytesMax = 96 << 20
)

// A group is born as if entries up to birthIndex had been there and gone. No such entry exists anywhere, so a replica
// without the data below can only begin with a snapshot.
const (
	birthIndex = 10
	birthTerm  = 5
)

// Options are a host's surroundings.
type Options struct {
	Engine *engine.Engine
	// Node is this node's id, by which it finds its replicas among a partition's members.
	Node uint64
	// Workers is how many callers step the host, each its own share of the groups.
	Workers int
	// Tick is how often Tick is called, TickDefault if zero: leases are counted in it.
	Tick time.Duration
	// Retention is how much of each raft log is kept.
	Retention Retention
	// Now is a monotonic clock.
	Now func() time.Duration
	// Wake asks for a Step of a worker soon, from any goroutine.
	Wake func(worker int)
	// Send gives a message to the network. It never blocks; false tells that the message was dropped.
	Send func(node uint64, m Message) bool
	// SendSnapshot has a header, and then all chunks of source, sent to a node. It does not block; whoever sends tells source
	// that it is Done. At the other end are Host.Incoming, Write and Close. Without it no snapshot is ever sent.
	SendSnapshot func(node uint64, header []byte, source *Outgoing)
	// Born is told of a group that can be opened here since a split or a snapshot. It is called by a worker and must not
	// block.
	Born func(group uint64)
	// Removed is told, once for each start, of a replica that is no member of its group any more, as its own state says: it
	// can be taken off the node (see Host.Remove). It must not block. One that was removed while it was away is not told by
	// anybody here: whoever knows the catalog finds it.
	Removed func(group, replica uint64)
	// Broken is told of a copy that broke an invariant: it takes part in nothing any more.
	Broken func(group uint64, err error)
}

func (o Options) withDefaults() Options {
	if o.Workers == 0 {
		o.Workers = 1
	}
	if o.Tick == 0 {
		o.Tick = TickDefault
	}
	o.Retention = o.Retention.withDefaults()
	return o
}
