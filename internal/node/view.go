package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/placement"
	"stator/internal/cluster/router"
)

// lateMap is the catalog for the router, through which the catalog is read: it is not there from the beginning.
type lateMap struct{ node *Node }

// Partitions lists the partitions of a table in key order.
func (m lateMap) Partitions(tableID uint64) []catalog.Partition {
	return m.node.catalog.Partitions(tableID)
}

// Sequence is the last change of the catalog that is known.
func (m lateMap) Sequence() uint64 { return m.node.catalog.Sequence() }

// Splitting tells whether what the map shows of a table may lack what was split off.
func (m lateMap) Splitting(ctx context.Context, tableID uint64) (bool, error) {
	return m.node.catalog.Splitting(ctx, tableID)
}

// catalogPause is the wait between looks for a node that has the catalog.
const catalogPause = 500 * time.Millisecond

// openMap reads the catalog, from wherever it can be read, for as long as it takes: without it a node can do nothing.
func (c *cluster) openMap(ctx context.Context, o router.Options) error {
	n := c.node
	o.Map, o.Cluster = lateMap{n}, c.surroundings()
	n.router = router.New(o)
	for tries := 0; ; tries++ {
		opened, err := catalog.Open(ctx, catalog.Options{
			Store: n.router.System(), Wait: n.options.Wait, Changed: c.changed, Choose: c.choose,
		})
		if err == nil {
			n.catalog = opened
			return c.fit()
		}
		if tries == 0 {
			n.options.Log.Info("waiting for a node that has the catalog", "error", err)
		}
		if failed := n.options.Pause(ctx, catalogPause); failed != nil {
			return errors.Join(failed, err)
		}
	}
}

// surroundings are what the router knows of the cluster.
func (c *cluster) surroundings() *router.Cluster {
	return &router.Cluster{
		Node: c.self, Remote: c.remote, Timeout: c.membership.Timeout, System: c.system, Current: c.current,
		Old: func() { c.old.Add(1) }, Distance: c.distance, Stale: c.node.following.raise, Order: c.order,
		Unled: c.unled, Give: c.give, Within: c.node.options.Within,
	}
}

// unled ends the rest of a group that was asked for its leader: where that does not serve any more, nobody would miss it.
func (c *cluster) unled(partition uint64) {
	if g, ok := c.group(partition); ok {
		g.Wake()
	}
}

// changed is called when the map moved.
func (c *cluster) changed() {
	c.node.controlling.raise()
	c.meeting.raise()
}

// enter makes the node one that others may ask.
func (c *cluster) enter(ctx context.Context) error {
	c.rebalancing, c.retiring = c.newRebalance(), c.newRetire()
	c.ready.Store(true)
	if err := c.meet(ctx); err != nil {
		// It is done again before long; what is there serves meanwhile.
		c.node.options.Log.Warn("the cluster was not told of this node yet", "error", err)
	}
	c.node.controlling.raise()
	return nil
}

// remote is a copy on another node.
func (c *cluster) remote(node, partition uint64) router.Remote {
	return router.NewRemote(c.peers, node, partition)
}

var errNobodyUp = errors.New("no node of the cluster is up")

// choose places the first copies of new partitions.
func (c *cluster) choose(partitions int) ([][]uint64, error) {
	replicas := 1
	if known, ok := c.node.catalog.Cluster(); ok {
		replicas = known.Replicas
	}
	chosen := placement.Choose(c.candidates(), c.loads(), placement.Wanted{Partitions: partitions, Replicas: replicas})
	if len(chosen) < partitions {
		return nil, errNobodyUp
	}
	return chosen, nil
}

// candidates are the nodes as placement sees them.
func (c *cluster) candidates() []placement.Node {
	states := map[catalog.NodeState]placement.State{
		catalog.Joining: placement.Joining, catalog.Up: placement.Up, catalog.Leaving: placement.Leaving, catalog.Gone: placement.Gone,
	}
	var nodes []placement.Node
	for _, n := range c.node.catalog.Nodes() {
		silent := time.Duration(0)
		if n.ID != c.self {
			silent, _ = c.peers.Alive(n.ID)
		}
		nodes = append(nodes, placement.Node{ID: n.ID, Zone: n.Zone, State: states[n.State], Silent: silent})
	}
	return nodes
}

// loads counts the copies that the catalog says each node has.
func (c *cluster) loads() map[uint64]placement.Load {
	loads := map[uint64]placement.Load{}
	for _, e := range c.node.catalog.Entries() {
		for _, partitions := range e.Partitions {
			for _, p := range partitions {
				for _, m := range p.Members {
					load := loads[m.Node]
					load.Replicas++
					loads[m.Node] = load
				}
			}
		}
	}
	return loads
}

// ClusterID names the cluster of which this node is one, 0 for none.
func (n *Node) ClusterID() uint64 {
	if n.cluster == nil {
		return 0
	}
	return n.cluster.id
}

// Describe tells an operator which node of which cluster this is.
func (n *Node) Describe() string {
	c := n.cluster
	if c == nil {
		return "none: this node is alone"
	}
	return fmt.Sprintf("node %d of cluster %016x, for other nodes at %s", c.self, c.id, c.membership.Address)
}
