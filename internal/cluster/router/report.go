package router

import (
	"context"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
)

// Reports asks the leaders of partitions what they are and hold, in the same order. On a node that is alone a partition
// that is not here has a zero report.
func (r *Router) Reports(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error) {
	return gather(ctx, r, partitions, func(ctx context.Context, at aim) (command.Report, error) {
		return at.ReportAndWait(ctx, r.options.Wait)
	})
}
