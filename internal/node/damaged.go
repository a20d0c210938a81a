package node

import (
	"cmp"
	"slices"
	"time"

	"stator/internal/jobs/rebalance"
)

// damage is a copy here that was found to be damaged, and when.
type damage struct {
	replica uint64
	since   time.Duration
}

// spoiled takes note of a copy that is out of service, so that the others hear of it: the node itself is well, and a group at rest would
// not miss one of its members for days.
func (c *cluster) spoiled(partition uint64) {
	g, ok := c.group(partition)
	if !ok {
		return
	}
	d := damage{replica: g.Status().Replica, since: c.node.steady()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.damaged[partition]; !known {
		c.damaged[partition] = d
	}
}

func (c *cluster) isDamaged(partition uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, damaged := c.damaged[partition]
	return damaged
}

func (c *cluster) damagedCount() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(len(c.damaged))
}

// damages lists the copies that are out of service, the oldest first.
func (c *cluster) damages() []rebalance.Damaged {
	now := c.node.steady()
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []rebalance.Damaged
	for partition, d := range c.damaged {
		all = append(all, rebalance.Damaged{Partition: partition, Replica: d.replica, ForMillis: (now - d.since).Milliseconds()})
	}
	slices.SortFunc(all, func(a, b rebalance.Damaged) int {
		return cmp.Or(cmp.Compare(b.ForMillis, a.ForMillis), cmp.Compare(a.Partition, b.Partition))
	})
	return all[:min(len(all), rebalance.DamagedMax)]
}
