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
		groups := map[*replica.Replica][]command.Entry{}
		for _, entry := range c.Entries {
			target, err := r.locate(c.Table, entry.Key)
			if err != nil {
				return err
			}
			groups[target] = append(groups[target], entry)
		}
		for target, entries := range groups {
			part := *c
			part.Entries = entries
			result, err := target.WriteAndWait(ctx, r.options.Wait, &part)
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
