package router

import (
	"context"
	"errors"

	"stator/internal/base/trace"
	"stator/internal/cluster/session"
	"stator/internal/partition/command"
)

// Write brings a command to the partition of its key. Only what certainly did not happen is tried again.
func (r *Router) Write(ctx context.Context, c *command.Command) (command.Result, error) {
	ctx, routing := trace.Begin(ctx, trace.Routing)
	result, err := r.write(ctx, c)
	routing.End(err)
	return result, err
}

func (r *Router) write(ctx context.Context, c *command.Command) (command.Result, error) {
	p, err := r.lookup(ctx, c.Table, c.Key)
	if err != nil {
		return command.Result{}, err
	}
	if found, ok := r.here(p, true); ok && session.Of(ctx) == nil {
		result, err := found.WriteAndWait(ctx, r.options.Wait, c)
		if err == nil || !again(err, c.TableVersion) {
			return result, err
		}
	}
	var result command.Result
	err = r.try(ctx, c.TableVersion, func(ctx context.Context, n int) error {
		at, err := r.find(ctx, command.Place{Table: c.Table, Suffix: c.Key}, true, n)
		if err != nil {
			return err
		}
		result, err = at.WriteAndWait(ctx, r.options.Wait, c)
		r.answered(ctx, at, true, err)
		return err
	})
	return result, err
}

// Feed brings entries to a global index, each to its partition. Entries may arrive twice; that is harmless.
func (r *Router) Feed(ctx context.Context, c *command.Command) error {
	return r.try(ctx, 0, func(ctx context.Context, n int) error {
		packs := r.packs(ctx, places(len(c.Entries)), n, func(i int) (uint64, []byte) { return c.Table, c.Entries[i].Key })
		err := r.bring(packs, func(p *pack) error { return r.feed(ctx, p, c) })
		if busy := r.busy(packs, c); busy != nil {
			return busy
		}
		return err
	})
}

// busy gathers the partitions that had no room for their entries; nil is none.
func (r *Router) busy(packs []pack, c *command.Command) error {
	var all command.BeyondBound
	for i := range packs {
		if _, beyond := errors.AsType[*command.BeyondBound](packs[i].err); !beyond {
			continue
		}
		if p, err := r.locate(c.Table, c.Entries[packs[i].at[0]].Key); err == nil {
			all.Of = append(all.Of, p.Bounds)
		}
	}
	if all.Of == nil {
		return nil
	}
	return &all
}

// feed brings one partition its entries.
func (r *Router) feed(ctx context.Context, p *pack, c *command.Command) error {
	part := *c
	part.Entries = make([]command.Entry, len(p.at))
	for j, i := range p.at {
		part.Entries[j] = c.Entries[i]
	}
	result, err := p.WriteAndWait(ctx, r.options.Wait, &part)
	r.learn(p.aim, true, err)
	if err == nil && result.Refusal != command.Accepted {
		return &command.Rejected{Cause: errRefused}
	}
	return err
}
