package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/placement"
	"stator/internal/jobs/rebalance"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
)

// How often the layout is looked after, and how long a look waits for the nodes.
const (
	rebalanceEvery = 2 * time.Second
	retireEvery    = 5 * time.Second
	reportMax      = time.Second
	// forlornAfter is how long a replica hears of no leader before it asks whether it still is one.
	forlornAfter = 10 * time.Second
	// nearEntries is how far a replica's log may be behind its leader's and still count as current.
	nearEntries = 1024
)

// layout is what the job that walks the cluster towards its layout sees of it, and does to it.
type layout struct{ *cluster }

func (c *cluster) newRebalance() *rebalance.Job {
	return &rebalance.Job{
		Catalog: c.node.catalog, Cluster: layout{c}, Now: c.node.steady, Within: c.node.options.Within, Rules: placement.DefaultRules(),
		Log: c.node.options.Log,
	}
}

func (c *cluster) newRetire() *rebalance.Retire {
	return &rebalance.Retire{
		Catalog: c.node.catalog, Here: layout{c}, Reports: c.node.router.Reports,
		Retired: func(gone rebalance.Copy) {
			c.node.options.Log.Info("a replica was removed from this node", "partition", gone.Partition, "replica", gone.Replica)
		},
	}
}

// rebalance makes a step of the walk where the catalog is led.
func (c *cluster) rebalance(ctx context.Context) error {
	if !c.node.leadsCatalog() {
		c.rebalancing.Rest()
		return nil
	}
	return c.rebalancing.Step(ctx)
}

// Reports asks every node, side by side.
func (l layout) Reports(ctx context.Context) []rebalance.Report {
	ctx, cancel := l.node.options.Within(ctx, reportMax)
	defer cancel()
	nodes := l.nodes()
	answers := make([]*rebalance.Report, len(nodes))
	var asked sync.WaitGroup
	for i, n := range nodes {
		if n.ID == l.self {
			own := l.report()
			answers[i] = &own
			continue
		}
		ask := func() { answers[i] = l.reportOf(ctx, n.ID) }
		if l.node.options.fanOut < 2 {
			ask() // whoever waits is alone, and runs the others
			continue
		}
		asked.Go(ask)
	}
	asked.Wait()
	var reports []rebalance.Report
	for _, answer := range answers {
		if answer != nil {
			reports = append(reports, *answer)
		}
	}
	return reports
}

// reportOf asks a node; nil where it does not answer, and is silent before long.
func (l layout) reportOf(ctx context.Context, node uint64) *rebalance.Report {
	body, err := l.peers.Call(ctx, node, methodNodeReport, nil)
	if err != nil {
		return nil
	}
	report, err := rebalance.ParseReport(body)
	if err != nil {
		l.node.complain(&l.unread, slog.LevelWarn, "a node did not report", "node", node, "error", err)
		return nil
	}
	return &report
}

// report is what this node says of itself.
func (c *cluster) report() rebalance.Report {
	e := c.node.engine
	report := rebalance.Report{
		Node: c.self, Release: c.node.options.Creator, Reads: c.node.options.reads,
		DiskBytes: e.Space().DiskBytes(), FreeBytes: e.Space().FreeBytes(), UsedBytes: e.Metrics().DiskBytes,
	}
	searches := c.node.jobs.split.Searches()
	for _, id := range c.node.host.partitions() {
		r, ok := c.node.host.Replica(id)
		if !ok {
			continue
		}
		report.Heat = append(report.Heat, rebalance.Heat{Partition: id, Heat: r.Heat()})
		if leads, _ := r.Leads(); !leads {
			continue
		}
		if g, ok := c.group(id); ok {
			led := c.leads(g.Status(), r.State())
			led.ReadBytes = searches[id]
			report.Leads = append(report.Leads, led)
		}
	}
	report.Heat = rebalance.Hottest(report.Heat)
	report.Damaged = c.node.damaged.report(c.node.steady())
	return report
}

// leads is a partition as this node knows it, which leads it. A replica is current when its log is near the leader's and
// its node was heard lately: a group at rest hears nothing of its own.
func (c *cluster) leads(s multiraft.Status, state machine.Part) rebalance.Led {
	l := rebalance.Led{
		Partition: state.Descriptor.Partition, Epoch: s.Term, Generation: s.Generation, // that of the members below
		Items: state.Applied.Stats.Items, Bytes: state.Applied.Stats.Bytes, Changing: s.Joint,
	}
	for _, m := range s.Members {
		l.Members = append(l.Members, rebalance.Member{Member: m.Member, Current: c.near(&s, m)})
	}
	return l
}

// near tells whether a replica keeps up with this node, which leads. One that is damaged does not, though its node is well and it may have
// all entries. Nor does one that waits for a snapshot, however short the log is: one that a split was to bring may not even be there, though
// its node answers for it.
func (c *cluster) near(s *multiraft.Status, m multiraft.MemberStatus) bool {
	return c.alive(m.Node) && m.Active && m.Match >= s.Truncated && m.Match+nearEntries >= s.Last
}

// Silent is for how long nothing was heard of a node.
func (l layout) Silent(node uint64) time.Duration {
	if node == l.self {
		return 0
	}
	silent, _ := l.peers.Alive(node)
	return silent
}

// Order brings an order to a partition's leader.
func (l layout) Order(ctx context.Context, p *catalog.Partition, o command.Order) (uint64, error) {
	return l.node.router.Order(ctx, p, o)
}

// Forlorn are the replicas that have heard of no leader for a while, or saw themselves go.
func (l layout) Forlorn() []rebalance.Copy {
	var forlorn []rebalance.Copy
	for _, id := range l.kept() {
		here, ok := l.copyHere(id)
		if g, opened := l.group(id); ok && (!opened || l.forlorn(g.Status())) {
			forlorn = append(forlorn, here)
		}
	}
	return forlorn
}

func (l layout) forlorn(s multiraft.Status) bool {
	return s.Role != multiraft.Leader && (left(&s) || !l.hears(&s, forlornAfter))
}

// left tells that a replica is not among the members that it knows of, and no change of them is half done.
func left(s *multiraft.Status) bool {
	is := func(m multiraft.MemberStatus) bool { return m.Replica == s.Replica }
	return len(s.Members) > 0 && !s.Joint && !slices.ContainsFunc(s.Members, is)
}

// Remove ends a replica and all it holds. A younger one that has come meanwhile stays.
func (l layout) Remove(ctx context.Context, gone rebalance.Copy) error {
	if g, ok := l.group(gone.Partition); ok && g.Status().Replica == gone.Replica {
		for _, r := range l.node.host.take([]catalog.Partition{{ID: gone.Partition}}) {
			r.Stop()
		}
	}
	done := make(chan struct{})
	var failed error
	l.groups.Remove(gone.Partition, gone.Replica, func(err error) {
		failed = err
		close(done)
	})
	if err := l.node.options.Wait(ctx, done); err != nil {
		return err
	}
	if failed == nil {
		l.forget(gone)
	}
	return failed
}

var errNoCatalogLeader = errors.New("no node is known to lead the catalog now")

// AskCluster answers an operator, wherever the catalog is led.
func (n *Node) AskCluster(ctx context.Context, q rebalance.Question) (rebalance.Answer, error) {
	c := n.cluster
	if c == nil {
		return rebalance.Answer{Alone: true}, nil
	}
	if n.leadsCatalog() {
		return c.answer(ctx, q)
	}
	failed := errNoCatalogLeader
	for _, m := range c.system() {
		if m.Node == c.self || m.Learner {
			continue
		}
		var answer rebalance.Answer
		err := c.ask(ctx, m.Node, question{methodAskCluster, q}, &answer)
		if err == nil {
			return answer, nil
		}
		failed = errors.Join(failed, err)
	}
	return rebalance.Answer{}, failed
}

func (c *cluster) answer(ctx context.Context, q rebalance.Question) (rebalance.Answer, error) {
	a, err := c.rebalancing.Answer(ctx, q)
	if a.Overview != nil {
		a.Overview.Cluster, a.Overview.Leader = c.node.engine.Ident().Cluster, c.self
	}
	return a, err
}
