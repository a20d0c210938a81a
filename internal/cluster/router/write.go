package router

import (
	"context"

	"stator/internal/partition/command"
)

// Write brings a command to the partition of its key. Only what certainly did not happen is tried again.
func (r *Router) Write(ctx context.Context, c *command.Command) (command.Result, error) {
	p, err := r.locate(c.Table, c.Key)
	if err != nil {
		return command.Result{}, err
	}
	if found, ok := r.here(p, true); ok {
		result, err := found.WriteAndWait(ctx, r.options.Wait, c)
		if err == nil || !again(err, c.TableVersion) {
			return result, err
		}
	}
	var result command.Result
	err = r.try(ctx, c.TableVersion, func(ctx context.Context, n int) error {
		at, err := r.find(c.Table, c.Key, true, n)
		if err != nil {
			return err
		}
		result, err = at.WriteAndWait(ctx, r.options.Wait, c)
		r.learn(at, true, err)
		return err
	})
	return result, err
}

// Feed brings entries to a global index, each to its partition. Entries may arrive twice; that is harmless.
func (r *Router) Feed(ctx context.Context, c *command.Command) error {
	return r.try(ctx, 0, func(ctx context.Context, n int) error {
		groups, err := r.grouped(c, n)
		if err != nil {
			return err
		}
		r.sideBySide(len(groups), func(i int) bool { return groups[i].node != 0 }, func(i int) {
			groups[i].failed = r.feedOne(ctx, &groups[i])
		})
		for i := range groups {
			if groups[i].failed != nil {
				return groups[i].failed
			}
		}
		return nil
	})
}

func (r *Router) feedOne(ctx context.Context, g *group) error {
	result, err := g.WriteAndWait(ctx, r.options.Wait, &g.command)
	r.learn(g.aim, true, err)
	if err == nil && result.Refusal != command.Accepted {
		return &command.Rejected{Cause: errRefused}
	}
	return err
}

// group is what a feed brings to one partition.
type group struct {
	aim
	command command.Command
	failed  error
}

// grouped cuts a feed by partition, in the order in which it first names them: the same feed goes the same way twice.
func (r *Router) grouped(c *command.Command, n int) ([]group, error) {
	var groups []group
	at := map[uint64]int{}
	for _, entry := range c.Entries {
		p, err := r.locate(c.Table, entry.Key)
		if err != nil {
			return nil, err
		}
		i, ok := at[p.ID]
		if !ok {
			to, err := r.aim(p, true, n)
			if err != nil {
				return nil, err
			}
			i = len(groups)
			at[p.ID] = i
			part := *c
			part.Entries = nil
			groups = append(groups, group{aim: to, command: part})
		}
		groups[i].command.Entries = append(groups[i].command.Entries, entry)
	}
	return groups, nil
}
