package replica

import (
	"sync"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// bound keeps this copy to what one copy of a partition serves, and counts that. It stands behind the tokens of the table, which do not know
// where in the table its load falls.
type bound struct {
	now    func() time.Duration // nil: the copy serves what it can, and nobody counts
	report bool                 // it serves what it can, and what it would have refused is counted

	mu      sync.Mutex // guards what follows
	buckets [capacity.Kinds]capacity.Bucket
	tally   capacity.Tally // since the last Turn
}

func newBound(now func() time.Duration, report bool) *bound {
	b := &bound{now: now, report: report}
	if now != nil {
		for kind := range capacity.Kinds {
			b.buckets[kind] = capacity.NewBucket(capacity.PartitionBounds[kind], now())
		}
	}
	return b
}

// takes lets a request through that costs some units at the least.
func (b *bound) takes(kind capacity.Kind, units float64) bool { return b.takesAll(kind, units, 1) }

// takesAll is takes for several requests that come together.
func (b *bound) takesAll(kind capacity.Kind, units float64, requests int) bool {
	if b.now == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	bound := capacity.PartitionBounds[kind]
	if !b.buckets[kind].Take(bound, b.now(), units) {
		if !b.report {
			return false
		}
		b.tally.Refused[kind][bound.Limit] += uint64(requests)
	}
	b.tally.Consumed[kind] += units
	return true
}

// charge takes what it cost besides.
func (b *bound) charge(kind capacity.Kind, units float64) {
	if b.now == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buckets[kind].Charge(units)
	if b.report {
		b.buckets[kind].Forgive(capacity.PartitionBounds[kind]) // nobody slows down who owes
	}
	b.tally.Consumed[kind] += units
}

// Turn tells what this copy served since the last turn, and how many requests it only let through because it reports.
func (r *Replica) Turn() capacity.Tally {
	b := r.bound
	b.mu.Lock()
	defer b.mu.Unlock()
	turned := b.tally
	b.tally = capacity.Tally{}
	return turned
}

// takesWrite lets a command of a client through. What follows from it has been let through already, but for what it brings to indexes.
func (b *bound) takesWrite(c *command.Command) bool {
	least := leastOf(c)
	return least == 0 || b.takes(capacity.Writes, least)
}

// takesFeed lets the entries through that changes of a table bring to an index, each of which is a request; not those that a new index is
// filled with, which nobody asked for. What they cost is known once it is known which of them are new.
func (b *bound) takesFeed(c *command.Command) bool {
	return c.Action != command.Feed || c.Consumer != command.IndexConsumer || b.takesAll(capacity.Writes, 0, len(c.Entries))
}

// leastOf is what a command costs at the least: a unit for an item, two in a transaction, nothing where it is no client's.
func leastOf(c *command.Command) float64 {
	switch c.Action {
	case command.Put, command.Update, command.Delete:
		return 1
	case command.Transact, command.Begin, command.Prepare:
		return capacity.TransactFactor * float64(len(c.Transaction.Actions))
	default:
		return 0
	}
}

// cost is what the partition served for one item: its own write and those of the local indexes.
func cost(t *table.Table, r *command.Result) float64 {
	if r.Refusal == command.Throttled {
		return 0
	}
	units := capacity.WriteOver(r.Before, r.BeforeBytes, r.After)
	if r.Refusal != command.Accepted {
		return units
	}
	for i := range t.Local {
		units += capacity.IndexWrite(t, &t.Local[i], r.Before, r.After)
	}
	return units
}
