package node

import (
	"context"
	"time"

	"stator/internal/jobs/drop"
	"stator/internal/partition/machine"
)

// equip gives the jobs what they need to know of partitions that are led elsewhere.
func (c *cluster) equip(j *jobs) {
	n := c.node
	j.adopt.Node, j.adopt.Leaders, j.adopt.Unready = c.self, n.router, c.unready
	j.backfill.Leaders, j.trim.Leaders, j.split.Leaders = n.router, n.router, n.router
	j.settle.Empties = true
	j.drop.Elsewhere = &drop.Elsewhere{Leaders: n.router, Copies: copies{c}}
}

// unreadyPause is the wait before another look at a table that waits for partitions led elsewhere.
const unreadyPause = 50 * time.Millisecond

func (c *cluster) unready() { c.node.options.After(unreadyPause, c.node.controlling.raise) }

// led is told when a copy here begins to lead, by a worker that must not wait: what a leader has to look after is put down
// for others.
func (c *cluster) led(state machine.Part) {
	n := c.node
	n.expects(state, 0)
	if state.Unfed() > 0 {
		n.feeds.add(state.Descriptor.Partition)
	}
	n.controlling.raise()
	if state.Descriptor.Partition == machine.CatalogPartition {
		c.meeting.raise()
	}
}

// copies are the replicas of this node, for the job that drops them.
type copies struct{ *cluster }

// Partitions lists the partitions that are here.
func (c copies) Partitions() []uint64 { return c.kept() }

// Remove ends the replica of a partition that is of no table any more.
func (c copies) Remove(ctx context.Context, partition uint64) error {
	here, ok := c.copyHere(partition)
	if !ok {
		return nil
	}
	return layout(c).Remove(ctx, here)
}
