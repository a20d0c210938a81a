package node

import (
	"context"

	"stator/internal/cluster/rpc"
	"stator/internal/jobs/rebalance"
	"stator/internal/partition/multiraft"
)

// What a node of a cluster has besides: each of these works, too, is made one step at a call. The options need a
// Membership with a Network and a clock.

// Listen makes the node one that messages reach, through what it returns. It comes between Assemble and Recover.
func (s *Steps) Listen() (rpc.Handler, error) {
	c := s.node.cluster
	c.ship = func(send func(context.Context)) { s.shipments = append(s.shipments, send) }
	return c, c.listen()
}

// Workers is how many workers the groups have.
func (s *Steps) Workers() int { return len(s.node.cluster.stepping) }

// Asked tells whether a worker was asked for a pass since it was told so last.
func (s *Steps) Asked(worker int) bool { return s.node.cluster.stepping[worker].taken() }

// Work makes a pass of a worker, and tells whether there is more to do at once.
func (s *Steps) Work(worker int) bool { return s.node.cluster.groups.Step(worker) }

// Tick tells the groups that one tick has passed.
func (s *Steps) Tick() { s.node.cluster.groups.Tick() }

// Bear opens a group that came to be here, and tells whether there was one.
func (s *Steps) Bear() bool { return s.node.cluster.born() }

// Unborn tells whether there is a group to open.
func (s *Steps) Unborn() bool { return s.node.cluster.births.any() }

// Group tells how the copy of a partition here stands.
func (s *Steps) Group(partition uint64) (status multiraft.Status, ok bool) {
	g, ok := s.node.cluster.group(partition)
	if ok {
		status = g.Status()
	}
	return status, ok
}

// Ask answers an operator.
func (s *Steps) Ask(ctx context.Context, q rebalance.Question) (rebalance.Answer, error) {
	return s.node.AskCluster(ctx, q)
}

// Shipments is how many snapshots wait to be sent.
func (s *Steps) Shipments() int { return len(s.shipments) }

// Ship sends a snapshot that waits, and tells whether there was one. It returns when that was taken or refused.
func (s *Steps) Ship() bool {
	if len(s.shipments) == 0 {
		return false
	}
	send := s.shipments[0]
	s.shipments = s.shipments[1:]
	send(s.node.core.ctx)
	return true
}

// Meet brings what nodes know of each other up to date.
func (s *Steps) Meet(ctx context.Context) error { return s.node.cluster.meet(ctx) }

// Pulse looks which nodes are silent.
func (s *Steps) Pulse(ctx context.Context) error { return s.node.cluster.pulse(ctx) }

// Rebalance makes a step towards the wanted layout, where the catalog is led.
func (s *Steps) Rebalance(ctx context.Context) error { return s.node.cluster.rebalance(ctx) }

// Retire ends replicas that were removed from their partitions.
func (s *Steps) Retire(ctx context.Context) error { return s.node.cluster.retiring.Step(ctx) }
