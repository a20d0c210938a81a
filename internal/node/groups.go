package node

import (
	"context"
	"maps"
	"slices"

	"stator/internal/jobs/rebalance"
	"stator/internal/partition/multiraft"
)

// open opens a partition's group, which the node remembers for what is asked of it besides batches.
func (c *cluster) open(partition uint64) (keeper, error) {
	g, err := c.groups.Open(partition)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.opened[partition] = g
	c.mu.Unlock()
	c.node.damaged.gone(partition)
	return g, nil
}

// group finds a group that is open here.
func (c *cluster) group(partition uint64) (*multiraft.Group, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g, ok := c.opened[partition]
	return g, ok
}

// forget lets go of the group of a replica that was removed.
func (c *cluster) forget(gone rebalance.Copy) {
	c.node.damaged.removed(gone.Partition, gone.Replica)
	g, ok := c.group(gone.Partition)
	if !ok || g.Status().Replica != gone.Replica {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened[gone.Partition] == g {
		delete(c.opened, gone.Partition)
	}
}

// copyHere is the replica of a partition that is here, one that could not be opened too.
func (c *cluster) copyHere(partition uint64) (rebalance.Copy, bool) {
	if g, ok := c.group(partition); ok {
		return rebalance.Copy{Partition: partition, Replica: g.Status().Replica}, true
	}
	replica, ok := c.node.damaged.replica(partition)
	return rebalance.Copy{Partition: partition, Replica: replica}, ok
}

// kept lists in order the partitions of which something may be here: one whose removal was given up half way is still to go, and so may
// be one that could not be opened.
func (c *cluster) kept() []uint64 {
	ids := c.node.damaged.partitions()
	c.mu.Lock()
	ids = slices.AppendSeq(ids, maps.Keys(c.opened))
	c.mu.Unlock()
	slices.Sort(ids)
	return slices.Compact(ids)
}

// leave takes this node out of the others' way: they lead what it led, and what they ask now is refused as not done.
func (c *cluster) leave() {
	if c.ready.Load() {
		c.handOver(context.Background())
	}
	if c.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainMax)
	defer cancel()
	if err := c.server.Close(ctx); err != nil {
		c.node.options.Log.Warn("leaving the other nodes", "error", err)
	}
}

// end stops the groups, whose workers run no more: everything that waits for them is answered.
func (c *cluster) end() {
	for _, id := range c.kept() {
		c.groups.Stop(id)
	}
	for worker := range c.stepping {
		for c.groups.Step(worker) {
			continue
		}
	}
}

// handOver has others lead what is led here, for a node that stops: its partitions do not wait for an election.
func (c *cluster) handOver(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, handOverMax)
	defer cancel()
	for {
		waiting := false
		for id := range c.node.host.all() {
			if g, ok := c.group(id); ok && c.passOn(g.Status(), g) {
				waiting = true
			}
		}
		if !waiting || pause(ctx, 2*multiraft.TickDefault) != nil {
			return
		}
	}
}

// passOn transfers a leadership, and tells whether there is one that somebody else could take.
func (c *cluster) passOn(s multiraft.Status, g *multiraft.Group) bool {
	if s.Role != multiraft.Leader {
		return false
	}
	best := multiraft.MemberStatus{}
	for _, m := range s.Members {
		if m.Node != c.self && !m.Learner && m.Active && m.Match >= best.Match {
			best = m
		}
	}
	if best.Replica == 0 {
		return false
	}
	g.Transfer(best.Replica)
	return true
}
