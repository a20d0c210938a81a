package router

import (
	"context"
	"errors"

	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

var errRefused = errors.New("the partition cannot take more now")

// Read brings a Get to the partition of its key.
func (r *Router) Read(ctx context.Context, g command.Get) (command.GetResult, error) {
	target, err := r.locate(g.Table, g.Key)
	if err == nil {
		var result command.GetResult
		if result, err = target.ReadAndWait(ctx, r.options.Wait, &g); err == nil {
			return result, nil
		}
	}
	if !again(err, g.TableVersion) {
		return command.GetResult{}, err
	}
	var result command.GetResult
	err = r.try(ctx, g.TableVersion, func() error {
		target, err := r.locate(g.Table, g.Key)
		if err == nil {
			result, err = target.ReadAndWait(ctx, r.options.Wait, &g)
		}
		return err
	})
	return result, err
}

// Scan walks a plan over as many partitions as it needs and returns one page.
func (r *Router) Scan(ctx context.Context, plan command.Plan) (command.Page, error) {
	var all command.Page
	for {
		page, err := r.scanOne(ctx, &plan)
		if err != nil {
			return command.Page{}, err
		}
		join(&all, &page)
		if page.Reason != command.Edge {
			return all, nil
		}
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
}

// scanOne reads from the partition in which the rest of the plan begins.
func (r *Router) scanOne(ctx context.Context, plan *command.Plan) (command.Page, error) {
	var page command.Page
	err := r.try(ctx, plan.TableVersion, func() error {
		target, err := r.first(plan)
		if err == nil {
			page, err = target.ScanAndWait(ctx, r.options.Wait, plan)
		}
		return err
	})
	return page, err
}

func (r *Router) first(plan *command.Plan) (*replica.Replica, error) {
	if plan.Reverse {
		return r.locateBelow(plan.Table, plan.Upper)
	}
	return r.locate(plan.Table, plan.Lower)
}

// join adds a partition's page to what was read before it.
func join(all, page *command.Page) {
	if all.Items == nil {
		all.Items = page.Items
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
