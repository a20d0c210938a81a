package router

import (
	"context"
	"errors"
	"slices"

	"stator/internal/partition/command"
)

// Together reads items strongly, those of one partition at one moment. whole tells that one partition held all of them.
// Those that are here are read one partition after the other: a read mostly finds what it looks for in memory.
func (r *Router) Together(ctx context.Context, gets []command.Get) (seen []command.Seen, whole bool, err error) {
	err = r.try(ctx, 0, func(ctx context.Context, n int) error {
		seen, whole, err = r.together(ctx, gets, n)
		return err
	})
	return seen, whole, err
}

// bundle is what is read of one partition: the gets at some places.
type bundle struct {
	aim
	at     []int
	failed error
}

func (r *Router) together(ctx context.Context, gets []command.Get, n int) ([]command.Seen, bool, error) {
	bundles, err := r.bundles(gets, n)
	if err != nil {
		return nil, false, err
	}
	seen := make([]command.Seen, len(gets))
	r.sideBySide(len(bundles), func(i int) bool { return bundles[i].node != 0 }, func(i int) {
		bundles[i].failed = r.readBundle(ctx, &bundles[i], gets, seen)
	})
	for i := range bundles {
		if bundles[i].failed != nil {
			return nil, false, bundles[i].failed
		}
	}
	return seen, len(bundles) == 1, nil
}

// bundles cuts gets by the partition that holds them, in the order in which they first name it.
func (r *Router) bundles(gets []command.Get, n int) ([]bundle, error) {
	var bundles []bundle
	for i := range gets {
		p, err := r.locate(gets[i].Table, gets[i].Key)
		if err != nil {
			return nil, err
		}
		same := slices.IndexFunc(bundles, func(b bundle) bool { return b.partition == p.ID })
		if same < 0 {
			at, err := r.aim(p, true, n)
			if err != nil {
				return nil, err
			}
			same = len(bundles)
			bundles = append(bundles, bundle{aim: at})
		}
		bundles[same].at = append(bundles[same].at, i)
	}
	return bundles, nil
}

func (r *Router) readBundle(ctx context.Context, b *bundle, gets []command.Get, seen []command.Seen) error {
	first := &gets[b.at[0]]
	g := command.MultiGet{Table: first.Table, TableVersion: first.TableVersion, Keys: make([][]byte, len(b.at))}
	for j, i := range b.at {
		g.Keys[j] = gets[i].Key
	}
	ctx, end := b.once(ctx, true)
	defer end()
	found, err := b.ReadTogetherAndWait(ctx, r.options.Wait, &g)
	r.learn(b.aim, true, err)
	if stale, ok := errors.AsType[*command.StaleTable](err); ok && stale.Have < first.TableVersion {
		return &command.Rejected{Cause: err} // the partition has not yet adopted what the read was planned with
	}
	if err != nil {
		return err
	}
	for j, i := range b.at {
		seen[i] = found[j]
	}
	return nil
}
