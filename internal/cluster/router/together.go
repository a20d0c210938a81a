package router

import (
	"context"
	"errors"

	"stator/internal/base/trace"
	"stator/internal/partition/command"
)

// Together reads items strongly, those of one partition at one moment. whole tells that one partition held all of them.
// Those that are here are read one partition after the other: a read mostly finds what it looks for in memory.
func (r *Router) Together(ctx context.Context, gets []command.Get) (seen []command.Seen, whole bool, err error) {
	ctx, routing := trace.Begin(ctx, trace.Routing)
	err = r.try(ctx, 0, func(ctx context.Context, n int) error {
		seen, whole, err = r.together(ctx, gets, n)
		return err
	})
	routing.End(err)
	return seen, whole, err
}

func (r *Router) together(ctx context.Context, gets []command.Get, n int) ([]command.Seen, bool, error) {
	packs := r.packs(ctx, places(len(gets)), n, func(i int) (uint64, []byte) { return gets[i].Table, gets[i].Key })
	seen := make([]command.Seen, len(gets))
	if err := r.bring(packs, func(p *pack) error { return r.readPack(ctx, p, gets, seen) }); err != nil {
		return nil, false, err
	}
	return seen, len(packs) == 1, nil
}

// readPack reads the gets at the places of one partition.
func (r *Router) readPack(ctx context.Context, p *pack, gets []command.Get, seen []command.Seen) error {
	first := &gets[p.at[0]]
	g := command.MultiGet{Table: first.Table, TableVersion: first.TableVersion, Keys: make([][]byte, len(p.at))}
	for j, i := range p.at {
		g.Keys[j] = gets[i].Key
	}
	ctx, end := r.once(ctx, p.aim, true)
	defer end()
	found, err := p.ReadTogetherAndWait(ctx, r.options.Wait, &g)
	r.answered(ctx, p.aim, true, err)
	if stale, ok := errors.AsType[*command.StaleTable](err); ok && stale.Have < first.TableVersion {
		return &command.Rejected{Cause: err} // the partition has not yet adopted what the read was planned with
	}
	if _, beyond := errors.AsType[*command.BeyondBound](err); beyond {
		return &command.BeyondBound{At: p.at}
	}
	if err != nil {
		return err
	}
	for j, i := range p.at {
		seen[i] = found[j]
	}
	return nil
}
