package node

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"stator/internal/jobs/rebalance"
)

// damages are the copies here that were found to be damaged, by their partitions.
type damages struct {
	mu sync.Mutex
	of map[uint64]damage
}

// damage is when a copy was found to be damaged, and as which replica of its group, 0 where it has none.
type damage struct {
	replica uint64
	since   time.Duration
}

// add takes note of a copy that is out of service, unless it is known.
func (d *damages) add(partition uint64, found damage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of == nil {
		d.of = map[uint64]damage{}
	}
	if _, known := d.of[partition]; !known {
		d.of[partition] = found
	}
}

// gone is told of a copy that is here no more, or is another one.
func (d *damages) gone(partition uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.of, partition)
}

func (d *damages) has(partition uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, damaged := d.of[partition]
	return damaged
}

func (d *damages) count() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(d.of))
}

// report lists them for the other nodes, the oldest first: the node itself is well, and a group at rest would not miss one of its members for
// days.
func (d *damages) report(now time.Duration) []rebalance.Damaged {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []rebalance.Damaged
	for partition, found := range d.of {
		all = append(all, rebalance.Damaged{Partition: partition, Replica: found.replica, ForMillis: (now - found.since).Milliseconds()})
	}
	slices.SortFunc(all, func(a, b rebalance.Damaged) int {
		return cmp.Or(cmp.Compare(b.ForMillis, a.ForMillis), cmp.Compare(a.Partition, b.Partition))
	})
	return all[:min(len(all), rebalance.DamagedMax)]
}
