package node

import (
	"context"

	"stator/internal/jobs/split"
	"stator/internal/model/heat"
)

// cool splits the partitions that are hot here.
func (n *Node) cool(ctx context.Context) error { return n.jobs.split.Cool(ctx, n.host.hot()) }

// hot looks at all copies here, and lists the partitions that a cut would relieve.
func (h *host) hot() (found []split.Hot) {
	for id, r := range h.all() {
		for _, j := range r.Judge() {
			if j.State == heat.Split {
				found = append(found, split.Hot{Partition: id, Table: r.State().Descriptor.Table, At: j.At})
				break
			}
		}
	}
	return found
}
