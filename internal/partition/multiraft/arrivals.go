package multiraft

import (
	"fmt"
	"slices"
	"sync"

	"stator/internal/partition/command"
)

// arrivalsMax is how many snapshots a node takes in at a time.
const arrivalsMax = 4

// arrivals are the replicas that are about to be on this node: by snapshots on their way, and by births.
//
// Invariant: no two of them are of one partition, and none lays out keys that another does. Two snapshots, of a parent
// before its split and of the child, would each find nobody here, and the later one would take away what the earlier one
// brought.
type arrivals struct {
	mu    sync.Mutex // guards under
	under []*place
}

// place is what one of them lays out.
type place struct {
	partition, table uint64
	bounds           command.Bounds
	isBirth          bool
}

// take enters one, unless something is in its way.
func (a *arrivals) take(p *place) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	snapshots := 0
	for _, o := range a.under {
		if o.partition == p.partition || o.table == p.table && overlap(o.bounds, p.bounds) {
			return fmt.Errorf("partition %d is on its way here", o.partition)
		}
		if !o.isBirth {
			snapshots++
		}
	}
	if !p.isBirth && snapshots >= arrivalsMax {
		return fmt.Errorf("%d snapshots are on their way here", snapshots)
	}
	a.under = append(a.under, p)
	return nil
}

// leave takes one out.
func (a *arrivals) leave(p *place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.under = slices.DeleteFunc(a.under, func(o *place) bool { return o == p })
}
