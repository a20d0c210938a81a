package node

import (
	"context"
	"time"

	"stator/internal/partition/machine"
)

// How current the map is that a node has of the cluster. One with a copy of the catalog's partition follows each change as
// that is performed, as long as the copy does not lag; one without asks for changes.
const (
	// watchEvery is how often a node without a copy asks one.
	watchEvery = 100 * time.Millisecond
	// watchedMax is how often every node asks the copy that leads, so that no map is older because a copy is.
	watchedMax = 2 * time.Second
)

// watch brings the map of the cluster up to date. While nobody can be asked the node goes on with the one it has.
func (c *cluster) watch(ctx context.Context) error {
	follow := c.node.catalog.Follow
	if c.now()-c.watched >= watchedMax {
		c.watched, follow = c.now(), c.node.catalog.Sync
	} else if _, here := c.node.host.Replica(machine.CatalogPartition); here {
		return nil
	}
	if err := follow(ctx); err != nil {
		c.node.options.Log.Debug("the map of the cluster may be old", "error", err)
	}
	return nil
}
