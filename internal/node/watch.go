package node

import (
	"context"
	"errors"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/machine"
)

// How current the map is that a node has of the cluster. One with a copy of the catalog's partition follows each change as
// that is performed, as long as the copy does not lag; one without asks for changes.
const (
	// watchEvery is how often a node without a copy asks one.
	watchEvery = 100 * time.Millisecond
	// watchedMax is how often every node asks the copy that leads, so that no map is older because a copy is.
	watchedMax = 2 * time.Second
	// agreedMax is for how long that copy may be out of reach before clients had better ask another node: when it dies, another
	// leads after a second or two.
	agreedMax = 10 * time.Second
)

var errCutOff = errors.New("the node that leads the catalog is out of reach: this node is cut off from it, or most nodes are down")

// watch brings the map of the cluster up to date. While nobody can be asked the node goes on with the one it has.
func (c *cluster) watch(ctx context.Context) error {
	follow := c.node.catalog.Follow
	if began := c.node.steady(); began-c.watched >= watchedMax {
		c.watched = began
		follow = func(ctx context.Context) error { return c.agree(ctx, began) }
	} else if _, here := c.node.host.Replica(machine.CatalogPartition); here {
		return nil
	}
	if err := follow(ctx); err != nil {
		c.node.options.Log.Debug("the map of the cluster may be old", "error", err)
	}
	return nil
}

// agree brings the map up to that of the copy that leads.
func (c *cluster) agree(ctx context.Context, began time.Duration) error {
	err := c.node.catalog.Sync(ctx)
	if err == nil {
		c.agreed.Store(int64(began))
	}
	return err
}

// Ready tells why clients had better ask another node, nil if nothing is wrong with this one. One that does not reach the
// copy of the catalog that leads, which a majority has to confirm, does not reach the majorities of partitions either.
func (n *Node) Ready() error {
	c := n.cluster
	if c == nil {
		return nil
	}
	if c.node.steady()-time.Duration(c.agreed.Load()) > agreedMax {
		return errCutOff
	}
	return c.fit()
}

// fit tells why this node cannot be of the cluster, as far as the map shows. One that is gone stays so: an old map is not wrong about that.
func (c *cluster) fit() error {
	if n, ok := c.node.catalog.Node(c.self); ok && n.State == catalog.Gone {
		return ErrRemoved
	}
	return c.readable(c.node.options.reads)
}
