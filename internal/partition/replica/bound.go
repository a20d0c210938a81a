package replica

import (
	"sync"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// bound keeps this copy to what one copy of a partition serves. It stands behind the tokens of the table, which do not know where in the
// table its load falls.
type bound struct {
	now func() time.Duration // nil: the copy serves what it can

	mu      sync.Mutex // guards buckets
	buckets [capacity.Kinds]capacity.Bucket
}

func newBound(now func() time.Duration) *bound {
	b := &bound{now: now}
	if now != nil {
		for kind := range capacity.Kinds {
			b.buckets[kind] = capacity.NewBucket(capacity.PartitionBounds[kind], now())
		}
	}
	return b
}

// takes lets something through that costs some units at the least.
func (b *bound) takes(kind capacity.Kind, units float64) bool {
	if b.now == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buckets[kind].Take(capacity.PartitionBounds[kind], b.now(), units)
}

// charge takes what it cost besides.
func (b *bound) charge(kind capacity.Kind, units float64) {
	if b.now == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buckets[kind].Charge(units)
}

// takesWrite lets a command through. Only what clients ask for is held to the bound: what follows from it has been let through already.
func (b *bound) takesWrite(c *command.Command) bool {
	least := leastOf(c)
	return least == 0 || b.takes(capacity.Writes, least)
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
	units := capacity.WriteOver(r.Before, r.BeforeBytes, r.After)
	if r.Refusal != command.Accepted {
		return units
	}
	for i := range t.Local {
		units += capacity.IndexWrite(t, &t.Local[i], r.Before, r.After)
	}
	return units
}
