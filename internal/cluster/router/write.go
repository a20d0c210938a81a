package router

import (
	"context"

	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// Write brings a command to the partition of its key. Only what certainly did not happen is tried again.
func (r *Router) Write(ctx context.Context, c *command.Command) (command.Result, error) {
	target, err := r.locate(c.Table, c.Key)
	if err == nil {
		var result command.Result
		if result, err = target.WriteAndWait(ctx, r.options.Wait, c); err == nil {
			return result, nil
		}
	}
	if !again(err, c.TableVersion) {
		return command.Result{}, err
	}
	var result command.Result
	err = r.try(ctx, c.TableVersion, func() error {
		target, err := r.locate(c.Table, c.Key)
		if err == nil {
			result, err = target.WriteAndWait(ctx, r.options.Wait, c)
		}
		return err
	})
	return result, err
}

// Feed brings entries to a global index, each to its partition. Entries may arrive twice; that is harmless.
func (r *Router) Feed(ctx context.Context, c *command.Command) error {
	return r.try(ctx, 0, func() error {
		groups, err := r.grouped(c)
		if err != nil {
			return err
		}
		for i := range groups {
			result, err := groups[i].target.WriteAndWait(ctx, r.options.Wait, &groups[i].command)
			if err != nil {
				return err
			}
			if result.Refusal != command.Accepted {
				return &command.Rejected{Cause: errRefused}
			}
		}
		return nil
	})
}

// group is what a feed brings to one partition.
type group struct {
	target  *replica.Replica
	command command.Command
}

// grouped cuts a feed by partition, in the order in which it first names them: the same feed goes the same way twice.
func (r *Router) grouped(c *command.Command) ([]group, error) {
	var groups []group
	at := map[*replica.Replica]int{}
	for _, entry := range c.Entries {
		target, err := r.locate(c.Table, entry.Key)
		if err != nil {
			return nil, err
		}
		i, ok := at[target]
		if !ok {
			i = len(groups)
			at[target] = i
			part := *c
			part.Entries = nil
			groups = append(groups, group{target: target, command: part})
		}
		groups[i].command.Entries = append(groups[i].command.Entries, entry)
	}
	return groups, nil
}
