package router

import (
	"context"
	"errors"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
)

// reportsMax is how long leaders are asked for: what they say is worth no long wait.
const reportsMax = time.Second

// Reports asks the leaders of partitions what they are and hold, in the same order. It fails when one of them has no leader
// that answers now; the others' reports are there then. On a node that is alone a partition that is not here has a zero report.
func (r *Router) Reports(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error) {
	if c := r.options.Cluster; c != nil {
		var end context.CancelFunc
		ctx, end = c.Within(ctx, reportsMax)
		defer end()
	}
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
		return final(err)
	})
	return answer, unwrapped(err)
}

// WriteTo brings a command that concerns a partition as a whole to its leader.
func (r *Router) WriteTo(ctx context.Context, p *catalog.Partition, c *command.Command) (result command.Result, err error) {
	err = r.try(ctx, c.TableVersion, func(ctx context.Context, n int) error {
		at, err := r.aim(p, true, n)
		if err != nil {
			return err
		}
		result, err = at.WriteAndWait(ctx, r.options.Wait, c)
		r.learn(at, true, err)
		return final(err)
	})
	return result, unwrapped(err)
}

// moved is the end of a request for a partition by its id that is not as it was: another try would meet the same.
type moved struct{ route *command.StaleRoute }

func (m *moved) Error() string { return m.route.Error() }

func final(err error) error {
	if route, ok := errors.AsType[*command.StaleRoute](err); ok {
		return &moved{route: route}
	}
	return err
}

func unwrapped(err error) error {
	if m, ok := errors.AsType[*moved](err); ok {
		return m.route
	}
	return err
}
