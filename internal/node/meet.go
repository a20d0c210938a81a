package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/machine"
)

// meet brings what this node knows of others, and what the catalog says of this one, up to date.
func (c *cluster) meet(ctx context.Context) error {
	return errors.Join(c.raise(), c.remember(), c.announce(ctx), c.describe(ctx))
}

// remember takes over the addresses of the catalog, and writes down what a start needs.
func (c *cluster) remember() error {
	nodes := c.nodes()
	known := map[uint64]bool{}
	for _, n := range nodes {
		known[n.ID] = true
		c.peers.SetAddress(n.ID, n.RPC)
	}
	c.mu.Lock()
	old := c.roster
	c.mu.Unlock()
	if len(nodes) == 0 || slices.Equal(old.Nodes, nodes) {
		return c.rememberMembers()
	}
	for _, n := range old.Nodes {
		if !known[n.ID] {
			c.peers.SetAddress(n.ID, "")
		}
	}
	next := roster{Nodes: nodes}
	if err := next.save(c.node.engine); err != nil {
		return err
	}
	c.mu.Lock()
	c.roster = next
	c.mu.Unlock()
	return c.rememberMembers()
}

func (c *cluster) rememberMembers() error {
	var nodes []uint64
	for _, m := range c.system() {
		nodes = append(nodes, m.Node)
	}
	return c.node.engine.SetMembers(nodes)
}

// announce has the catalog say where this node is.
func (c *cluster) announce(ctx context.Context) error {
	own := func(n catalog.Node) catalog.Node {
		n.RPC, n.HTTP, n.Zone, n.Format = c.membership.Address, c.node.options.Address, c.membership.Zone, c.node.options.reads
		if n.State == "" || n.State == catalog.Joining {
			n.State = catalog.Up
		}
		return n
	}
	if now, ok := c.node.catalog.Node(c.self); ok && own(*now) == *now {
		return nil
	}
	err := c.node.catalog.UpdateNode(ctx, c.self, func(n catalog.Node) (catalog.Node, error) {
		if n.State == catalog.Gone {
			return n, ErrRemoved
		}
		return own(n), nil
	})
	if err != nil {
		return fmt.Errorf("telling the cluster where this node is: %w", err)
	}
	return nil
}

// describe has the catalog say what the cluster is, once, where it is led. Later changes of its members are entered by the
// job that enters everybody's.
func (c *cluster) describe(ctx context.Context) error {
	r, leads := c.node.host.Led(machine.CatalogPartition)
	if _, known := c.node.catalog.Cluster(); !leads || known {
		return nil
	}
	d := r.State().Descriptor
	err := c.node.catalog.UpdateCluster(ctx, func(now catalog.Cluster) (catalog.Cluster, error) {
		if now.ID == 0 {
			now.ID, now.Replicas, now.Format = c.id, max(1, c.membership.Replicas), c.writes()
			now.Generation, now.Members = d.Generation, d.Members
		}
		return now, nil
	})
	if err != nil {
		return fmt.Errorf("telling the cluster what it is: %w", err)
	}
	return nil
}

// distance is what a read at another node costs: that of another zone comes behind those of this one, and one that is
// silent behind all others.
func (c *cluster) distance(node uint64) int {
	if node == c.self {
		return 0
	}
	cost := 1
	if c.node.catalog != nil { // which is read over this distance, too
		if n, ok := c.node.catalog.Node(node); ok && n.Zone != c.membership.Zone {
			cost = 2
		}
	}
	if !c.alive(node) {
		cost += 100
	}
	return cost
}
