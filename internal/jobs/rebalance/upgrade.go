package rebalance

import (
	"context"
	"fmt"

	"stator/internal/cluster/catalog"
)

// upgrade has the cluster write the newest format that all its nodes read. What their processes say now counts, not what
// they once told the catalog: one that was put back to an older release meanwhile may not have told it yet.
func (j *Job) upgrade(ctx context.Context) (Answer, error) {
	reports := map[uint64]Report{}
	for _, r := range j.Cluster.Reports(ctx) {
		reports[r.Node] = r
	}
	var oldest Report
	for _, n := range j.Catalog.Nodes() {
		if n.State == catalog.Gone {
			continue
		}
		r, ok := reports[n.ID]
		if !ok {
			return Answer{}, refuse("node %d does not answer, so that nobody knows which formats it reads: start it, or decommission it if it never comes back", n.ID)
		}
		if oldest.Node == 0 || r.Reads < oldest.Reads {
			oldest = r
		}
	}
	err := j.Catalog.UpdateCluster(ctx, func(c catalog.Cluster) (catalog.Cluster, error) {
		if oldest.Reads <= c.Format {
			return c, refuse("the cluster writes format %d, and node %d (%s) reads no newer one", c.Format, oldest.Node, oldest.Release)
		}
		c.Format = oldest.Reads
		return c, nil
	})
	if err != nil {
		return Answer{}, fmt.Errorf("raising the format: %w", err)
	}
	return Answer{Text: fmt.Sprintf("the cluster writes format %d from now on: no node can be put back to a release that does not read it", oldest.Reads)}, nil
}
