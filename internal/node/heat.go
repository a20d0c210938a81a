package node

import (
	"context"
	"math"

	"stator/internal/jobs/split"
	"stator/internal/model/capacity"
	"stator/internal/model/heat"
)

// cool splits the partitions that are hot here.
func (n *Node) cool(ctx context.Context) error { return n.jobs.split.Cool(ctx, n.host.hot()) }

// hot looks at all copies here, and lists the partitions that a cut would relieve.
func (h *host) hot() (found []split.Hot) {
	for id, r := range h.all() {
		for kind, j := range r.Judge() {
			if j.State != heat.Split {
				continue
			}
			hottest := 0.0
			for _, key := range r.Hottest(capacity.Kind(kind), 1) {
				hottest = key.PerSecond
			}
			h.node.options.Log.Info("a partition is split for its heat", "partition", id, "units_per_second", math.Round(j.PerSecond),
				"of_the_hottest_key", math.Round(hottest), "left_percent", math.Round(100*j.Left))
			found = append(found, split.Hot{Partition: id, Table: r.State().Descriptor.Table, At: j.At})
			break
		}
	}
	return found
}
