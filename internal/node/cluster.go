package node

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"stator/internal/base/limiter"
	"stator/internal/cluster/budget"
	"stator/internal/cluster/catalog"
	"stator/internal/cluster/rpc"
	"stator/internal/jobs/rebalance"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
)

// cluster is what a node among others has besides what one that is alone has: the groups that keep its partitions, and
// the way to the other nodes.
type cluster struct {
	node       *Node
	membership *Membership
	// id names the cluster, self this node in it.
	id, self uint64
	groups   *multiraft.Host
	server   *rpc.Server // nil over a network that is not rpc's
	peers    Network
	// ready is set once the node answers what others ask.
	ready atomic.Bool
	// old counts reads that were answered by a copy here which had not heard of its leader lately.
	old atomic.Int64

	// stepping asks each worker of the groups for a pass, meeting for a look at who is there, births for the opening of
	// groups that came into being here, leaving for the end of replicas that are no members any more.
	stepping []signal
	meeting  signal
	leaving  signal
	births   births

	// rebalancing walks the cluster towards its layout where the catalog is led, retiring ends replicas that were removed.
	rebalancing *rebalance.Job
	retiring    *rebalance.Retire

	// pulses belong to the goroutine that feels them, watched, when the copy of the catalog that leads was asked, to the one
	// that asks.
	pulses  pulses
	watched time.Duration
	// agreed is when it last answered a question asked then.
	agreed atomic.Int64

	// spending asks for a look at the tokens of shared budgets; keeper keeps those that are kept here.
	spending signal
	keeper   *budget.Keeper

	// ship has a snapshot sent behind its worker's back.
	ship func(send func(ctx context.Context))

	// unlawful are messages of other nodes that are none, unsent snapshots that did not arrive, unread reports that cannot be read.
	unlawful, unsent, unread limiter.Seldom

	mu     sync.Mutex // guards what follows
	roster roster
	opened map[uint64]*multiraft.Group
}

// How the groups and the other nodes are attended to.
const (
	meetEvery = 2 * time.Second
	// handOverMax bounds how long a node that stops waits for others to lead what it led, drainMax for calls under way.
	handOverMax = 3 * time.Second
	drainMax    = 2 * time.Second
)

// newCluster makes the parts that run under everything else. Nothing runs yet.
func newCluster(n *Node, known roster) (*cluster, error) {
	ident := n.engine.Ident()
	id, err := strconv.ParseUint(ident.Cluster, 16, 64)
	if err != nil {
		return nil, fmt.Errorf("reading the cluster's id: %w", err)
	}
	c := &cluster{
		node: n, membership: n.options.Membership, id: id, self: ident.Node, roster: known,
		meeting: newSignal(), leaving: newSignal(),
		births: newBirths(), opened: map[uint64]*multiraft.Group{},
		pulses: pulses{}, ship: n.core.run,
	}
	c.spending, c.keeper = newSignal(), budget.NewKeeper(n.steady)
	c.agreed.Store(math.MinInt64 / 2) // never yet
	for range cmp.Or(n.options.Membership.Workers, max(1, runtime.NumCPU()/2)) {
		c.stepping = append(c.stepping, newSignal())
	}
	c.groups = multiraft.New(multiraft.Options{
		Engine: n.engine, Node: c.self, Workers: len(c.stepping), Now: n.steady,
		Wake: func(worker int) { c.stepping[worker].raise() },
		Send: c.send, SendSnapshot: c.sendSnapshot, Born: c.births.add, Broken: n.broken,
		Removed: func(uint64, uint64) { c.leaving.raise() },
	})
	return c, nil
}

// listen lets other nodes in. What they ask before this node is assembled is refused as certainly not done.
func (c *cluster) listen() error {
	if c.membership.Network != nil {
		c.peers = c.membership.Network
		c.meetKnown()
		return nil
	}
	var incarnation [8]byte
	if _, err := io.ReadFull(c.node.options.Random, incarnation[:]); err != nil {
		return fmt.Errorf("drawing an incarnation: %w", err)
	}
	server, err := rpc.Listen(rpc.Options{
		Cluster: c.id, Node: c.self, Incarnation: binary.BigEndian.Uint64(incarnation[:]), Listener: c.membership.Listener,
		TLS: c.membership.TLS, Handler: c, AppendError: command.AppendError, ParseError: command.ParseError, Log: c.node.options.Log,
		Reads: c.node.options.reads, Writes: c.writes, Traces: c.node.options.Traces,
	})
	if err != nil {
		return err
	}
	c.server, c.peers = server, streams{Peers: server.Peers()}
	c.meetKnown()
	return nil
}

// meetKnown looks for the nodes that this one knew before.
func (c *cluster) meetKnown() {
	for _, known := range c.roster.Nodes {
		c.peers.SetAddress(known.ID, known.RPC)
	}
}

// start runs the groups.
func (c *cluster) start() {
	core := c.node.core
	for worker, asked := range c.stepping {
		core.run(func(ctx context.Context) { drain(ctx, asked, func() bool { return c.groups.Step(worker) }) })
	}
	core.run(c.tick)
	core.run(func(ctx context.Context) { drain(ctx, c.births.some, c.born) })
}

// tick tells the groups that time passes. A ticker drops ticks that nobody took, so that none is made up for.
func (c *cluster) tick(ctx context.Context) {
	ticker := time.NewTicker(multiraft.TickDefault)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.groups.Tick()
		case <-ctx.Done():
			return
		}
	}
}

// send is the groups' way to other nodes.
func (c *cluster) send(node uint64, m multiraft.Message) bool {
	var lane uint64
	if m.InOrder {
		lane = m.Group
	}
	return c.peers.Send(node, lane, multiraft.AppendMessage(nil, &m))
}

// birth makes the first replicas that new partitions have on this node, as the catalog's record names them.
func (c *cluster) birth(parts []machine.Part, partitions []catalog.Partition) error {
	var here []machine.Part
	for i, part := range parts {
		part.Descriptor.Members = partitions[i].Members
		part.Descriptor.NextReplica = uint64(len(partitions[i].Members)) + 1
		if _, named := part.Descriptor.MemberOn(c.self); named {
			here = append(here, part)
		}
	}
	if err := c.groups.Birth(here); err != nil {
		return err
	}
	for i := range here {
		if err := c.node.host.Start(here[i].Descriptor.Partition); err != nil {
			return err
		}
	}
	return nil
}

// convert makes a group of every partition that this node kept alone, the catalog's first, each in one synced step. A
// start after a crash goes on where that was; nothing is ever converted back.
func (c *cluster) convert(ids []uint64) error {
	log, converted := c.node.options.Log, 0
	for _, id := range ids {
		hosted, err := multiraft.Hosted(c.node.engine, id)
		if err != nil {
			return fmt.Errorf("converting partition %d: %w", id, err)
		}
		if hosted {
			continue
		}
		state, _, err := machine.Load(c.node.engine, id)
		if err != nil {
			return fmt.Errorf("converting partition %d: %w", id, err)
		}
		if _, err := multiraft.Convert(c.node.engine, state, c.self); err != nil {
			return err
		}
		converted++
		log.Info("a partition is now kept by a group", "partition", id, "done", converted, "of_at_most", len(ids))
	}
	if converted == 0 {
		return nil
	}
	log.Info("this store is now of a cluster", "cluster", c.node.engine.Ident().Cluster, "partitions", converted)
	return nil
}

// system are the members of the catalog's partition: as its copy here says, else as the catalog does, else as this node
// remembers.
func (c *cluster) system() []command.Member {
	if r, ok := c.node.host.Replica(machine.CatalogPartition); ok {
		if members := r.State().Descriptor.Members; len(members) > 0 {
			return members
		}
	}
	if c.node.catalog != nil {
		if known, ok := c.node.catalog.Cluster(); ok && len(known.Members) > 0 {
			return known.Members
		}
	}
	var members []command.Member
	for i, node := range c.node.engine.Ident().Members {
		members = append(members, command.Member{Replica: uint64(i + 1), Node: node})
	}
	return members
}
