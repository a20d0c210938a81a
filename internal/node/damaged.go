package node

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"stator/internal/jobs/rebalance"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
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

// removed is told of a copy that was taken off this node; a younger one may have come meanwhile.
func (d *damages) removed(partition, replica uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of[partition].replica == replica {
		delete(d.of, partition)
	}
}

// partitions lists those of which a copy is damaged.
func (d *damages) partitions() []uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.of))
}

// replica is which one of its group a damaged copy is.
func (d *damages) replica(partition uint64) (replica uint64, damaged bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, damaged := d.of[partition]
	return found.replica, damaged
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

// setAside takes a copy that cannot be read when the node starts for damaged, so that the others serve. It refuses where the node
// could not go on: nothing is found without the catalog, and what a group kept here can be made anew only once all of it can be
// removed, as the replica that it is.
func (n *Node) setAside(partition uint64, cause error) bool {
	found := damage{since: n.steady()}
	advice := "requests for its items fail, all others are served: restore the data directory from a copy, or delete the table; stator inspect says what is damaged"
	if n.cluster == nil {
		if partition == machine.CatalogPartition {
			return false
		}
	} else {
		d, err := machine.LoadDescriptor(n.engine, partition)
		if err != nil || partition == machine.CatalogPartition && len(d.Members) < 2 {
			return false
		}
		if found.replica, err = multiraft.Replica(n.engine, partition); err != nil || found.replica == 0 {
			return false
		}
		advice = "where others have a copy of it, this one is made anew before long; stator cluster status shows it, and stator inspect says what is damaged"
	}
	n.damaged.add(partition, found)
	n.options.Log.Error("a partition's copy cannot be read and is out of service", "partition", partition, "error", cause, "advice", advice)
	if n.options.Broken != nil {
		n.options.Broken(partition, cause)
	}
	return true
}
