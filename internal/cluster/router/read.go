package router

import (
	"context"
	"errors"
	"sync"

	"stator/internal/base/trace"
	"stator/internal/cluster/catalog"
	"stator/internal/cluster/session"
	"stator/internal/partition/command"
)

var errRefused = errors.New("the partition cannot take more now")

// Read brings a Get to the partition of its key.
func (r *Router) Read(ctx context.Context, g command.Get) (command.GetResult, error) {
	ctx, routing := trace.Begin(ctx, trace.Routing)
	result, err := r.read(ctx, g)
	routing.End(err)
	return result, err
}

func (r *Router) read(ctx context.Context, g command.Get) (command.GetResult, error) {
	s := session.Of(ctx)
	want := r.held(s, g.Strong)
	p, err := r.lookup(ctx, g.Table, g.Key)
	if err != nil {
		return command.GetResult{}, err
	}
	if found, ok := r.here(p, want); ok && s == nil {
		result, err := found.ReadAndWait(ctx, r.options.Wait, &g)
		if err == nil || !again(err, g.TableVersion) {
			return result, err
		}
	}
	var result command.GetResult
	err = r.try(ctx, g.TableVersion, func(ctx context.Context, n int) error {
		p, err := r.lookup(ctx, g.Table, g.Key)
		if err != nil {
			return err
		}
		at, strong, err := r.aimRead(ctx, p, want, n)
		if err != nil {
			return err
		}
		ctx, end := r.once(ctx, at, strong)
		defer end()
		g.Strong = strong
		result, err = at.ReadAndWait(ctx, r.options.Wait, &g)
		r.answered(ctx, at, strong, err)
		return err
	})
	return result, err
}

// Scan walks a plan over as many partitions as it needs and returns one page. Where a partition held little of what the
// page may hold, the next ones are read side by side.
func (r *Router) Scan(ctx context.Context, plan command.Plan) (command.Page, error) {
	ctx, routing := trace.Begin(ctx, trace.Routing)
	page, err := r.scan(ctx, plan)
	routing.End(err)
	return page, err
}

func (r *Router) scan(ctx context.Context, plan command.Plan) (command.Page, error) {
	var all command.Page
	plan.Strong = r.held(session.Of(ctx), plan.Strong)
	for {
		page, err := r.scanOne(ctx, &plan)
		if full(&all, err) {
			return all, nil
		}
		if err != nil {
			return command.Page{}, err
		}
		join(&all, &page)
		if page.Reason != command.Edge {
			return all, nil
		}
		small := plan.Limit == 0 && page.Bytes*int64(r.options.FanOut) < plan.Bytes
		advance(&plan, &page)
		if !small || plan.Reverse || r.options.FanOut < 2 {
			continue
		}
		if err := r.scanMany(ctx, &plan, &all); err != nil || all.Reason != command.Edge {
			if full(&all, err) {
				err = nil
			}
			return all, err
		}
	}
}

// full tells whether a page of items ends here, since the next partition cannot serve more now, and makes it one that goes on
// behind its last item.
func full(all *command.Page, err error) bool {
	if _, beyond := errors.AsType[*command.BeyondBound](err); !beyond || len(all.LastItem) == 0 {
		return false
	}
	all.Reason = command.Budget
	return true
}

// advance makes a plan what is left of it after a page that ended at the edge of a partition. A page has one arena, the first's.
func advance(plan *command.Plan, page *command.Page) {
	plan.Lend = false
	if plan.Reverse {
		plan.Upper = page.Next
	} else {
		plan.Lower = page.Next
	}
	if plan.Limit > 0 {
		plan.Limit -= page.Examined
	}
	if plan.Bytes > 0 {
		plan.Bytes -= page.Bytes
	}
}

// scanMany reads the next partitions of a plan at once and takes their pages in order, up to the first that does not fit
// into what is left: that one is read again, to its measure.
func (r *Router) scanMany(ctx context.Context, plan *command.Plan, all *command.Page) error {
	plans := r.next(plan)
	pages := make([]command.Page, len(plans))
	failures := make([]error, len(plans))
	var running sync.WaitGroup
	for i := range plans {
		running.Go(func() { pages[i], failures[i] = r.scanOne(ctx, &plans[i]) })
	}
	running.Wait()
	for i := range pages {
		page := &pages[i]
		if string(plans[i].Lower) != string(plan.Lower) {
			return nil // the partition before ended early: it was split since the map was drawn
		}
		if failures[i] != nil || page.Reason == command.Budget || page.Bytes >= plan.Bytes {
			return failures[i]
		}
		join(all, page)
		if page.Reason != command.Edge {
			return nil
		}
		advance(plan, page)
	}
	return nil
}

// next are the plans that begin in the partitions in which a plan goes on. Each partition ends its page at its own bound.
func (r *Router) next(plan *command.Plan) []command.Plan {
	var plans []command.Plan
	for _, p := range r.options.Map.Partitions(plan.Table) {
		if upper := p.Bounds.Upper; len(upper) > 0 && string(upper) <= string(plan.Lower) || len(plans) == r.options.FanOut {
			continue
		}
		if len(plan.Upper) > 0 && string(p.Bounds.Lower) >= string(plan.Upper) {
			break
		}
		part := *plan
		if len(plans) > 0 {
			part.Lower = p.Bounds.Lower
		}
		plans = append(plans, part)
	}
	return plans
}

// scanOne reads from the partition in which the rest of the plan begins.
func (r *Router) scanOne(ctx context.Context, plan *command.Plan) (command.Page, error) {
	var page command.Page
	err := r.try(ctx, plan.TableVersion, func(ctx context.Context, n int) error {
		p, err := r.first(ctx, plan)
		if err != nil {
			return err
		}
		at, strong, err := r.aimRead(ctx, p, plan.Strong, n)
		if err != nil {
			return err
		}
		ctx, end := r.once(ctx, at, strong)
		defer end()
		asked := *plan
		asked.Strong = strong
		page, err = at.ScanAndWait(ctx, r.options.Wait, &asked)
		r.answered(ctx, at, strong, err)
		return err
	})
	return page, err
}

func (r *Router) first(ctx context.Context, plan *command.Plan) (p *catalog.Partition, err error) {
	_, span := trace.Begin(ctx, trace.Lookup)
	if plan.Reverse {
		p, err = r.locateBelow(plan.Table, plan.Upper)
	} else {
		p, err = r.locate(plan.Table, plan.Lower)
	}
	span.End(err)
	return p, err
}

// join adds a partition's page to what was read before it.
func join(all, page *command.Page) {
	if all.Items == nil {
		all.Items, all.Arena = page.Items, page.Arena
	} else {
		all.Items = append(all.Items, page.Items...)
	}
	all.Reason, all.Next = page.Reason, page.Next
	if page.LastItem != nil {
		all.LastItem = page.LastItem
	}
	all.Examined += page.Examined
	all.Matched += page.Matched
	all.Bytes += page.Bytes
	all.FetchUnits += page.FetchUnits
}
