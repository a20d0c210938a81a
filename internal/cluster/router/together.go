package router

import (
	"context"
	"errors"

	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// Together reads items strongly, those of one partition at one moment. whole tells that one partition held all of them.
// They are read one partition after the other: a read mostly finds what it looks for in memory.
func (r *Router) Together(ctx context.Context, gets []command.Get) (seen []command.Seen, whole bool, err error) {
	err = r.try(ctx, 0, func() error {
		seen, whole, err = r.together(ctx, gets)
		return err
	})
	return seen, whole, err
}

func (r *Router) together(ctx context.Context, gets []command.Get) ([]command.Seen, bool, error) {
	seen := make([]command.Seen, len(gets))
	targets := make([]*replica.Replica, len(gets))
	for i := range gets {
		var err error
		if targets[i], err = r.locate(gets[i].Table, gets[i].Key); err != nil {
			return nil, false, err
		}
	}
	groups := 0
	for i := range gets {
		if targets[i] == nil {
			continue
		}
		groups++
		if err := r.readGroup(ctx, gets[i:], targets[i:], seen[i:]); err != nil {
			return nil, false, err
		}
	}
	return seen, groups == 1, nil
}

// readGroup reads, of the gets, all that the first one's partition holds, and takes them off the targets.
func (r *Router) readGroup(ctx context.Context, gets []command.Get, targets []*replica.Replica, seen []command.Seen) error {
	target, first := targets[0], &gets[0]
	g := command.MultiGet{Table: first.Table, TableVersion: first.TableVersion}
	for i := range gets {
		if targets[i] == target {
			g.Keys = append(g.Keys, gets[i].Key)
		}
	}
	found, err := target.ReadTogetherAndWait(ctx, r.options.Wait, &g)
	if stale, ok := errors.AsType[*command.StaleTable](err); ok && stale.Have < first.TableVersion {
		return &command.Rejected{Cause: err} // the partition has not yet adopted what the read was planned with
	}
	if err != nil {
		return err
	}
	at := 0
	for i := range gets {
		if targets[i] == target {
			seen[i], targets[i] = found[at], nil
			at++
		}
	}
	return nil
}
