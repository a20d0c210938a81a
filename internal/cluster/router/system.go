package router

import (
	"context"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// System is the catalog's own partition, wherever its copies are.
type System struct{ router *Router }

var _ catalog.Store = System{}

// System brings requests to the catalog's own partition. It does not ask the map, which is made of it.
func (r *Router) System() System { return System{r} }

func (s System) partition() *catalog.Partition {
	p := &catalog.Partition{ID: machine.CatalogPartition}
	if c := s.router.options.Cluster; c != nil {
		p.Members = c.System()
	}
	return p
}

// WriteAndWait brings a command to the copy that leads.
func (s System) WriteAndWait(ctx context.Context, wait replica.Wait, c *command.Command) (result command.Result, err error) {
	r := s.router
	err = r.try(ctx, c.TableVersion, func(ctx context.Context, n int) error {
		at, err := r.aim(s.partition(), true, n)
		if err != nil {
			return err
		}
		result, err = at.WriteAndWait(ctx, wait, c)
		r.learn(at, true, err)
		return err
	})
	return result, err
}

// ScanAndWait reads a page, of the copy that leads or of any.
func (s System) ScanAndWait(ctx context.Context, wait replica.Wait, p *command.Plan) (command.Page, error) {
	return askSystem(ctx, s, p.Strong, func(ctx context.Context, at aim) (command.Page, error) { return at.ScanAndWait(ctx, wait, p) })
}

// ChangesAndWait reads the change log, of the copy that leads or of any.
func (s System) ChangesAndWait(ctx context.Context, wait replica.Wait, p command.ChangesPlan) (command.LogPage, error) {
	return askSystem(ctx, s, p.Strong, func(ctx context.Context, at aim) (command.LogPage, error) {
		return at.ChangesAndWait(ctx, wait, p)
	})
}

func askSystem[T any](ctx context.Context, s System, strong bool, ask func(ctx context.Context, at aim) (T, error)) (T, error) {
	return askCopy(ctx, s.router, wanted{partition: s.partition(), strong: strong}, ask)
}
