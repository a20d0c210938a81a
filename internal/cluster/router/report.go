package router

import (
	"context"
	"errors"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
)

// Reports asks the leaders of partitions what they are and hold, in the same order. On a node that is alone a partition
// that is not here has a zero report.
func (r *Router) Reports(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error) {
	return gather(ctx, r, partitions, func(ctx context.Context, at aim) (command.Report, error) {
		return at.ReportAndWait(ctx, r.options.Wait)
	})
}

var errAlone = errors.New("the node is alone")

// Order brings an order to the leader of a partition. Only what certainly did not happen is tried again.
func (r *Router) Order(ctx context.Context, p *catalog.Partition, o command.Order) (answer uint64, err error) {
	c := r.options.Cluster
	if c == nil {
		return 0, errAlone
	}
	err = r.try(ctx, 0, func(ctx context.Context, n int) error {
		at, err := r.aim(p, true, n)
		if err != nil {
			return err
		}
		if far, ok := at.Target.(Remote); ok {
			answer, err = far.Order(ctx, o)
		} else {
			answer, err = c.Order(ctx, p.ID, o)
		}
		r.learn(at, true, err)
		return err
	})
	return answer, err
}
