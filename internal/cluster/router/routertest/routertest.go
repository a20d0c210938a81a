// Package routertest is a cluster in memory for tests: nodes with copies of partitions that agree at once, and calls
// between them that the test lets fail. It does not know what is tested.
package routertest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
)

// firstEpoch is that of a new group's first leader.
const firstEpoch = machine.SoloEpoch + 1

// Cluster is some nodes, by their ids from 1 on.
type Cluster struct {
	Nodes []*Node

	tb      testing.TB
	running sync.WaitGroup

	mu     sync.Mutex
	groups map[uint64]*group
	down   map[uint64]bool
	// mute nodes perform writes and do not answer.
	mute  map[uint64]bool
	calls int
	ahead time.Duration
}

// Node is one node of the cluster.
type Node struct {
	ID uint64

	cluster *Cluster
	engine  *engine.Engine

	mu        sync.Mutex
	performed func(machine.Batch, machine.Part)
	stale     map[uint64]bool
	ordered   func(ctx context.Context, partition uint64, o command.Order) (uint64, error)
}

// Open is a cluster of so many nodes, in which the catalog's partition is on the first three and led by the first.
func Open(tb testing.TB, nodes int) *Cluster {
	tb.Helper()
	c := &Cluster{tb: tb, groups: map[uint64]*group{}, down: map[uint64]bool{}, mute: map[uint64]bool{}}
	for id := range nodes {
		n := &Node{ID: uint64(id + 1), cluster: c, performed: func(machine.Batch, machine.Part) {}, stale: map[uint64]bool{}}
		var err error
		n.engine, err = engine.Open(engine.Options{Dir: "memory", FS: engine.Memory(), Fatal: func(err error) { tb.Error(err) }})
		if err != nil {
			tb.Fatal(err)
		}
		c.Nodes = append(c.Nodes, n)
	}
	tb.Cleanup(c.close)
	system := catalog.SystemTable()
	part := machine.Born(machine.CatalogPartition, system.ID, command.Bounds{})
	part.Table = system
	for id := range min(nodes, 3) {
		part.Descriptor.Members = append(part.Descriptor.Members, command.Member{Replica: uint64(id + 1), Node: uint64(id + 1)})
	}
	c.Start(part)
	return c
}

func (c *Cluster) close() {
	for _, g := range c.groups {
		g.lead(0)
		for _, m := range g.copies {
			close(m.ended)
		}
	}
	c.running.Wait()
	for _, n := range c.Nodes {
		if err := n.engine.Close(); err != nil {
			c.tb.Error(err)
		}
	}
}

// Start makes the copies of a partition on its members; the first one leads.
func (c *Cluster) Start(part machine.Part) {
	g := &group{cluster: c, copies: map[uint64]*member{}, state: part, epoch: firstEpoch - 1}
	for _, m := range part.Descriptor.Members {
		g.join(c.Node(m.Node), part)
	}
	c.mu.Lock()
	c.groups[part.Descriptor.Partition] = g
	c.mu.Unlock()
	g.lead(part.Descriptor.Members[0].Node)
}

// divide starts the right half of a split, led by whoever leads the left one.
func (c *Cluster) divide(parent *group, child machine.Part) {
	leader := parent.leader.Load()
	c.Start(child)
	c.group(child.Descriptor.Partition).lead(leader)
}

// Node finds a node by its id.
func (c *Cluster) Node(id uint64) *Node { return c.Nodes[id-1] }

func (c *Cluster) group(partition uint64) *group {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.groups[partition]
}

// Lead makes the copy on a node lead a partition; 0 is nobody.
func (c *Cluster) Lead(partition, node uint64) { c.group(partition).lead(node) }

// Members are the copies of a partition.
func (c *Cluster) Members(partition uint64) []command.Member {
	g := c.group(partition)
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.Descriptor.Members
}

// Lag holds back what a node's copy performs, or has it catch up.
func (c *Cluster) Lag(partition, node uint64, lagging bool) {
	g := c.group(partition)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.copies[node].lagging = lagging
	if !lagging {
		g.copies[node].catchUp()
	}
}

// Down makes a node unreachable for the others.
func (c *Cluster) Down(node uint64, down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down[node] = down
}

// Mute makes a node one that does what it is asked and does not answer.
func (c *Cluster) Mute(node uint64, mute bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mute[node] = mute
}

// Calls counts the calls between nodes since the last count.
func (c *Cluster) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = 0
	return calls
}

// NowMillis is the clock of all nodes.
func (c *Cluster) NowMillis() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead).UnixMilli()
}

// Advance sets the clock forward.
func (c *Cluster) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// Replica finds the copy of a partition on this node.
func (n *Node) Replica(partition uint64) (*replica.Replica, bool) {
	g := n.cluster.group(partition)
	if g == nil {
		return nil, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.copies[n.ID]
	if !ok {
		return nil, false
	}
	return m.replica, true
}

// Led finds the copy of a partition on this node if it leads.
func (n *Node) Led(partition uint64) (*replica.Replica, bool) {
	found, ok := n.Replica(partition)
	if !ok {
		return nil, false
	}
	leads, _ := found.Leads()
	return found, leads
}

// Partitions lists the partitions of which this node has a copy.
func (n *Node) Partitions() []uint64 {
	n.cluster.mu.Lock()
	groups := maps.Clone(n.cluster.groups)
	n.cluster.mu.Unlock()
	var ids []uint64
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		if _, ok := n.Replica(id); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// Stale makes this node's copy of a partition one that has not heard its leader lately.
func (n *Node) Stale(partition uint64, stale bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stale[partition] = stale
}

// requestMax is more than a server's own: a busy machine is no reason for a request to fail.
const requestMax = 20 * time.Second

// Options are those of a router on this node.
func (n *Node) Options(of router.Map) router.Options {
	return router.Options{
		Map: of, Host: n, Wait: replica.WaitOnChannel, FanOut: 4,
		Pause: func(ctx context.Context, d time.Duration) error {
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		Cluster: &router.Cluster{
			Node: n.ID, Timeout: requestMax, Within: context.WithTimeout, Stale: func() {}, Old: func() {}, Unled: func(uint64) {},
			Remote: func(node, partition uint64) router.Remote {
				return router.NewRemote(n.cluster, node, partition)
			},
			Order:    n.order,
			System:   func() []command.Member { return n.cluster.Members(machine.CatalogPartition) },
			Current:  func(partition uint64) bool { n.mu.Lock(); defer n.mu.Unlock(); return !n.stale[partition] },
			Distance: func(uint64) int { return 0 },
		},
	}
}

// order performs an order on a copy here.
func (n *Node) order(ctx context.Context, partition uint64, o command.Order) (uint64, error) {
	if _, leads := n.Led(partition); !leads {
		return 0, &command.NotLeader{Hint: n.cluster.group(partition).leader.Load()}
	}
	if o.Transfer != 0 {
		n.cluster.Lead(partition, o.Transfer)
		return 0, nil
	}
	return n.ordered(ctx, partition, o)
}
