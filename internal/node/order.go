package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/multiraft"
	"stator/internal/partition/replica"
)

var (
	errNotHere    = errors.New("the partition is not here")
	errNoTransfer = errors.New("the other replica did not take the lead in time")
	errNoOrder    = errors.New("an order that asks for nothing")
)

// transferMax is how long the next leader may take to be one.
const transferMax = 2 * time.Second

// order performs an order on a copy here that leads. The answer is the id of a partition that came of it.
func (c *cluster) order(ctx context.Context, partition uint64, o command.Order) (uint64, error) {
	r, ok := c.node.host.Replica(partition)
	if !ok {
		return 0, &command.Rejected{Cause: errNotHere}
	}
	switch {
	case o.Membership != nil:
		return 0, replica.ChangeAndWait(ctx, c.node.options.Wait, func(done func(error)) { r.Move(*o.Membership, done) })
	case o.Transfer != 0:
		return 0, c.transfer(ctx, partition, o.Transfer)
	case o.Split:
		return c.node.jobs.split.Of(ctx, partition, o.At)
	case o.Recount:
		return 0, c.node.jobs.split.Recount(ctx, partition)
	}
	return 0, &command.Rejected{Cause: errNoOrder}
}

// transfer hands a leadership over and waits until it is gone.
func (c *cluster) transfer(ctx context.Context, partition, node uint64) error {
	g, ok := c.group(partition)
	if !ok {
		return &command.Rejected{Cause: errNotHere}
	}
	to := uint64(0)
	for _, m := range g.Status().Members {
		if m.Node == node && !m.Learner {
			to = m.Replica
		}
	}
	if to == 0 {
		return &command.Rejected{Cause: fmt.Errorf("node %d has no replica of partition %d that could lead", node, partition)}
	}
	ctx, cancel := c.node.options.Within(ctx, transferMax)
	defer cancel()
	for g.Transfer(to); g.Status().Role == multiraft.Leader; {
		if c.node.options.Pause(ctx, multiraft.TickDefault) != nil {
			return &command.Rejected{Cause: errNoTransfer}
		}
	}
	return nil
}
