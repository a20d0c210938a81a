package router

import (
	"context"
	"errors"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
)

// Bounds of the search for a copy.
const (
	// hopsMax is how often a request follows the word of a copy about its leader without a pause.
	hopsMax = 3
	// strongTryMax and eventualTryMax end a try of a read on another node, so that the next copy is asked in time. Any copy
	// can answer an eventual one, so that it is not worth waiting for. A write is sent once.
	strongTryMax   = 1500 * time.Millisecond
	eventualTryMax = 400 * time.Millisecond
)

// Cluster is what the router of a node among others knows of them.
type Cluster struct {
	// Node is this one.
	Node uint64
	// Remote is a copy on another node. It need not be there.
	Remote func(node, partition uint64) Remote
	// Order performs an order on a copy here that leads.
	Order func(ctx context.Context, partition uint64, o command.Order) (uint64, error)
	// Give answers for the shared budgets of a table, or of an index by its hidden table's id, of which this node leads the first
	// partition.
	Give func(q budget.Question) (budget.Answers, error)
	// Timeout ends the tries of a request. Within bounds what is waited for; a simulator has its own clock for it.
	Timeout time.Duration
	Within  func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	// System lists the members of the catalog's own partition, which no table has.
	System func() []command.Member
	// Current tells whether a copy here has heard its leader lately; one that has not is asked last, and counted as Old.
	Current func(partition uint64) bool
	Old     func()
	// Distance orders the nodes by what a read there costs: a node that seems dead comes behind all others.
	Distance func(node uint64) int
	// Stale is told that a partition's bounds are not as the map has them.
	Stale func()
	// Unled is told that another node asked a copy here for what only a leader answers, and that it does not lead. Its group
	// may be at rest, with a leader that nobody has missed yet.
	Unled func(partition uint64)
}

var errNoLeader = errors.New("no leader of the partition is known")

// leader aims at the node that leads a partition: the one that answered last or was named by a copy, and at every other
// try, or where none is known, at one member after the other.
func (r *Router) leader(p *catalog.Partition, n int) (aim, error) {
	c := r.options.Cluster
	node := uint64(0)
	if n%2 == 0 || n < hopsMax {
		if node = r.leaders.of(p.ID); node == 0 {
			node = r.hintHere(p.ID)
		}
	}
	if node == 0 || node == c.Node {
		node = 0
		if others := r.others(p); len(others) > 0 {
			node = others[n%len(others)]
		}
	}
	if node == 0 {
		return aim{}, &command.Rejected{Cause: errNoLeader}
	}
	return r.at(node, p.ID), nil
}

// nearest aims at the n-th nearest copy; the one here comes last, since it has not heard of its leader lately.
func (r *Router) nearest(p *catalog.Partition, n int) (aim, error) {
	c := r.options.Cluster
	others := r.others(p)
	found, ok := r.options.Host.Replica(p.ID)
	count := len(others)
	if ok {
		count++
	}
	if count == 0 {
		return aim{}, noReplica(p.ID)
	}
	if n %= count; n == len(others) {
		c.Old()
		return aim{Target: found, partition: p.ID}, nil
	}
	return r.at(others[n], p.ID), nil
}

// others are the members of a partition on other nodes, nearest first. Those that are as near come in another order on
// each node, and for each partition, so that none of them is asked by all.
func (r *Router) others(p *catalog.Partition) []uint64 {
	c := r.options.Cluster
	nodes := make([]uint64, 0, len(p.Members))
	for i := range p.Members {
		m := &p.Members[(uint64(i)+c.Node+p.ID)%uint64(len(p.Members))]
		if m.Node == c.Node || m.Learner {
			continue
		}
		nodes = append(nodes, m.Node)
		for i := len(nodes) - 1; i > 0 && c.Distance(nodes[i]) < c.Distance(nodes[i-1]); i-- {
			nodes[i], nodes[i-1] = nodes[i-1], nodes[i]
		}
	}
	return nodes
}

func (r *Router) hintHere(partition uint64) uint64 {
	found, ok := r.options.Host.Replica(partition)
	if !ok {
		return 0
	}
	_, hint := found.Leads()
	return hint
}

func (r *Router) at(node, partition uint64) aim {
	return aim{Target: r.options.Cluster.Remote(node, partition), partition: partition, node: node}
}

// learn takes note of what an answer tells about where the leader is.
func (r *Router) learn(a aim, strong bool, err error) {
	c := r.options.Cluster
	if c == nil {
		return
	}
	if _, ok := errors.AsType[*command.StaleRoute](err); ok {
		c.Stale()
	}
	if !strong || a.Target == nil {
		return
	}
	if moved, ok := errors.AsType[*command.NotLeader](err); ok {
		if moved.Hint != 0 && moved.Hint != a.node {
			r.leaders.set(a.partition, moved.Hint)
			return
		}
		r.leaders.forget(a.partition, a.node)
		return
	}
	_, rejected := errors.AsType[*command.Rejected](err)
	_, ambiguous := errors.AsType[*command.Ambiguous](err)
	switch {
	case rejected || ambiguous:
		r.leaders.forget(a.partition, a.node)
	case a.node != 0:
		r.leaders.set(a.partition, a.node)
	}
}

// hinted tells whether a copy that does not lead has said who does.
func hinted(err error) bool {
	moved, ok := errors.AsType[*command.NotLeader](err)
	return ok && moved.Hint != 0
}

// within bounds all tries of a request.
func (r *Router) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if c := r.options.Cluster; c != nil {
		return c.Within(ctx, c.Timeout)
	}
	return ctx, func() {}
}

// once bounds one try of a read at a.
func (r *Router) once(ctx context.Context, a aim, strong bool) (context.Context, context.CancelFunc) {
	switch {
	case a.node == 0:
		return ctx, func() {}
	case strong:
		return r.options.Cluster.Within(ctx, strongTryMax)
	}
	return r.options.Cluster.Within(ctx, eventualTryMax)
}
