package node

import (
	"context"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/rpc"
	"stator/internal/partition/multiraft"
)

const (
	// pulseEvery is how often it is looked who is silent.
	pulseEvery = 100 * time.Millisecond
	// heardMax is how long ago a copy may have heard its leader and still be the first to answer eventual reads.
	heardMax = 5 * time.Second
	// aliveMax is how long a node may be silent before it counts as gone: pings come every half second.
	aliveMax = 2 * time.Second
)

// alive tells whether a node was heard lately.
func (c *cluster) alive(node uint64) bool {
	if node == c.self {
		return true
	}
	heard, _ := c.peers.Alive(node)
	return heard <= aliveMax && !c.peers.Down(node)
}

// Living lists where clients find the nodes that live, this one first; nil on a node that is alone.
func (n *Node) Living() func() []string {
	c := n.cluster
	if c == nil {
		return nil
	}
	return func() []string {
		addresses := []string{n.options.Address}
		for _, other := range n.catalog.Nodes() {
			if other.ID != c.self && other.HTTP != "" && other.State != catalog.Gone && c.alive(other.ID) {
				addresses = append(addresses, other.HTTP)
			}
		}
		return addresses
	}
}

// pulses are what was last known of each node: which incarnation of it lived.
type pulses map[uint64]pulse

type pulse struct {
	incarnation uint64
	alive       bool
}

// pulse tells the groups of nodes that fell silent or came back as another process: what those led looks for another
// leader, though it may be at rest and send nothing that could be missed.
func (c *cluster) pulse(context.Context) error {
	for _, n := range c.nodes() {
		if n.ID == c.self {
			continue
		}
		_, incarnation := c.peers.Alive(n.ID)
		now, before := pulse{incarnation: incarnation, alive: c.alive(n.ID)}, c.pulses[n.ID]
		c.pulses[n.ID] = now
		if before.alive && !now.alive || before.incarnation != 0 && before.incarnation != now.incarnation {
			c.groups.Lost(n.ID)
		}
	}
	return nil
}

// hears tells whether a replica has lately heard its leader. One at rest hears nothing, and believes what its leader's
// node says of itself.
func (c *cluster) hears(s *multiraft.Status, ago time.Duration) bool {
	switch {
	case s.Role == multiraft.Leader:
		return true
	case s.Role == multiraft.Stopped:
		return false
	case s.Resting && s.LeaderNode != 0:
		heard, _ := c.peers.Alive(s.LeaderNode)
		return heard <= ago
	}
	return c.node.steady()-s.Heard <= ago
}

// current tells whether a copy here has lately heard of its leader, so that it may answer eventual reads before others.
func (c *cluster) current(partition uint64) bool {
	g, ok := c.group(partition)
	if !ok {
		return false
	}
	s := g.Status()
	return c.hears(&s, heardMax)
}

// Traffic is what went on between this node and the others since the process began.
type Traffic struct {
	rpc.Counts
	// OldReads were answered by a copy here that had not heard of its leader lately, as no other could be reached.
	OldReads int64
	// Stuck is how many partitions came to this node and do not start.
	Stuck int
	// Alive is how many of the other nodes were heard lately, Others how many there are.
	Alive, Others int
}

// Traffic counts it; false on a node that is alone.
func (n *Node) Traffic() (Traffic, bool) {
	c := n.cluster
	if c == nil || c.server == nil {
		return Traffic{}, false
	}
	t := Traffic{Counts: c.server.Counts(), OldReads: c.old.Load(), Stuck: c.births.stuckNow()}
	for _, known := range c.nodes() {
		if known.ID == c.self {
			continue
		}
		t.Others++
		if c.alive(known.ID) {
			t.Alive++
		}
	}
	return t, true
}
