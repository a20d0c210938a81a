package router

import (
	"context"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/partition/command"
)

// tokensMax ends the search for a keeper: the node goes on without one, and asks again soon.
const tokensMax = 500 * time.Millisecond

// Tokens asks the keeper of a payer's budgets: the node that leads the first partition of the table, or of the index's hidden table. So
// every table has its keeper, they are spread as partitions are, and when one is lost the partition's own election finds the next.
func (r *Router) Tokens(ctx context.Context, round budget.Round) (answers budget.Answers, err error) {
	ctx, end := r.options.Cluster.Within(ctx, tokensMax)
	defer end()
	q := budget.Question{PayerID: round.ID(), Asks: round.Asks}
	err = r.try(ctx, 0, func(ctx context.Context, n int) error {
		at, err := r.find(ctx, command.Place{Table: q.PayerID}, true, n)
		if err != nil {
			return err
		}
		if far, ok := at.Target.(Remote); ok {
			answers, err = far.Tokens(ctx, q)
		} else {
			answers, err = r.options.Cluster.Give(q)
		}
		r.learn(at, true, err)
		return err
	})
	return answers, err
}

// tokens answers another node.
func (in call) tokens() ([]byte, error) {
	q, err := askingTokens.question.read(in.body)
	if err != nil {
		return nil, malformed(methodTokens)
	}
	if _, err := in.copy(true); err != nil {
		return nil, err
	}
	answers, err := in.router.options.Cluster.Give(q)
	if err != nil {
		return nil, err
	}
	return askingTokens.reply.write(nil, &answers), nil
}
