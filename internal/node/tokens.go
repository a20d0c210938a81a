package node

import (
	"context"
	"fmt"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/cluster/router"
	"stator/internal/model/capacity"
	"stator/internal/partition/command"
)

// tokensEvery is how often it is looked which budgets' tokens run short, besides when a request finds it.
const tokensEvery = 50 * time.Millisecond

// members is how many nodes share the budgets of the cluster.
func (c *cluster) members() int { return len(c.nodes()) }

// tokens asks for tokens of the shared budgets that run short, each of its own keeper: one that does not answer keeps no other waiting.
func (c *cluster) tokens(ctx context.Context) error {
	n := c.node
	for _, round := range n.budget.Due() {
		n.work.run(func(context.Context) {
			answers, err := n.router.Tokens(ctx, round)
			if err != nil {
				n.budget.Unanswered(round) // the node goes on with its share, and asks again
				return
			}
			n.budget.Answered(round, answers)
		})
	}
	return nil
}

// give answers for the shared budgets that are kept here.
func (c *cluster) give(q budget.Question) (budget.Answers, error) {
	payer, ok := c.node.payer(q.PayerID)
	if !ok {
		return budget.Answers{}, &command.Rejected{Cause: fmt.Errorf("table %d: %w", q.PayerID, router.ErrNoTable)}
	}
	return c.keeper.Give(payer, q.Asks), nil
}

// payer finds a table or global index by its id.
func (n *Node) payer(id uint64) (capacity.Payer, bool) {
	entry, ok := n.catalog.EntryByTable(id)
	if !ok {
		return capacity.Payer{}, false
	}
	if entry.Table.ID == id {
		return capacity.Payer{Table: entry.Table}, true
	}
	ix, ok := entry.Table.GlobalIndexByID(id)
	return capacity.Payer{Table: entry.Table, Index: ix}, ok
}
