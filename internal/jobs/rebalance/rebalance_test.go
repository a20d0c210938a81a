package rebalance_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/placement"
	"stator/internal/jobs/rebalance"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
)

// world is a cluster whose partitions do at once what they are ordered to, over the real catalog.
type world struct {
	*catalog.Catalog
	t      *testing.T
	now    time.Duration
	groups map[uint64]*group
	silent map[uint64]time.Duration
	orders []string
	// fails is the answer to all orders, if it is set.
	fails error
	// lagging learners never catch up.
	lagging bool
	// damaged are replicas that are out of service for so long, by their partitions.
	damaged map[uint64]time.Duration
	// reads is the newest format that each node's process reads.
	reads map[uint64]int
}

type group struct {
	leader     uint64
	epoch      uint64
	generation uint64
	next       uint64
	members    []command.Member
	bytes      int64
	// heat is what its leader serves.
	heat float64
}

// newWorld has a catalog with so many nodes that are up, of which the first keeps everything: one table of two partitions.
func newWorld(t *testing.T, nodes int) *world {
	t.Helper()
	w := &world{t: t, groups: map[uint64]*group{}, silent: map[uint64]time.Duration{}}
	n := nodetest.Open(t, nil)
	var err error
	w.Catalog, err = catalog.Open(t.Context(), catalog.Options{
		Store: n.System(), Wait: n.Wait, Changed: func() {},
		Choose: func(partitions int) ([][]uint64, error) {
			return slices.Repeat([][]uint64{{1}}, partitions), nil
		},
	})
	w.check(err)
	first := []command.Member{{Replica: 1, Node: 1}}
	w.check(w.UpdateCluster(t.Context(), func(c catalog.Cluster) (catalog.Cluster, error) {
		c.ID, c.Replicas, c.Generation, c.Members = 7, 3, 1, first
		return c, nil
	}))
	w.groups[1] = &group{leader: 1, epoch: 6, generation: 1, next: 2, members: first}
	for id := range nodes {
		w.join(uint64(id + 1))
	}
	key := table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}}
	_, err = w.Create(t.Context(), &table.Table{Name: "things", State: table.Creating, Key: key}, 2)
	w.check(err)
	_, err = w.Update(t.Context(), "things", func(t *table.Table) (*table.Table, error) {
		next := t.Clone()
		next.State = table.Active
		return next, nil
	})
	w.check(err)
	for _, p := range w.partitions() {
		w.groups[p.ID] = &group{leader: 1, epoch: 6, generation: 1, next: 2, members: p.Members}
	}
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) join(id uint64) { w.state(id, catalog.Up) }

func (w *world) state(id uint64, state catalog.NodeState) {
	w.t.Helper()
	w.check(w.UpdateNode(w.t.Context(), id, func(n catalog.Node) (catalog.Node, error) {
		n.State, n.Zone = state, fmt.Sprint("z", id%3)
		return n, nil
	}))
}

func (w *world) partitions() []catalog.Partition {
	entry, _ := w.Entry("things")
	return entry.Partitions[entry.Table.ID]
}

// job is the walk through the world, before its first look.
func (w *world) job() *rebalance.Job {
	return &rebalance.Job{
		Catalog: w.Catalog, Cluster: w, Now: func() time.Duration { return w.now }, Within: context.WithTimeout, Rules: placement.DefaultRules(),
		Log: slog.New(slog.DiscardHandler),
	}
}

func (w *world) Reports(context.Context) []rebalance.Report {
	reports := map[uint64]*rebalance.Report{}
	for _, n := range w.Nodes() {
		if w.silent[n.ID] == 0 {
			reports[n.ID] = &rebalance.Report{Node: n.ID, Release: "test", Reads: w.reads[n.ID]}
		}
	}
	for id, g := range w.groups {
		if d, ok := w.damaged[id]; ok {
			last := g.members[len(g.members)-1]
			reports[last.Node].Damaged = append(reports[last.Node].Damaged, rebalance.Damaged{Partition: id, Replica: 3, ForMillis: d.Milliseconds()})
		}
		r, ok := reports[g.leader]
		if !ok {
			continue
		}
		led := rebalance.Led{Partition: id, Epoch: g.epoch, Generation: g.generation, Bytes: g.bytes}
		for _, m := range g.members {
			led.Members = append(led.Members, rebalance.Member{Member: m, Current: w.silent[m.Node] == 0 && !(m.Learner && w.lagging)})
		}
		r.Leads = append(r.Leads, led)
		r.Heat = append(r.Heat, rebalance.Heat{Partition: id, Heat: g.heat})
	}
	var list []rebalance.Report
	for _, r := range reports {
		list = append(list, *r)
	}
	return list
}

func (w *world) Silent(node uint64) time.Duration { return w.silent[node] }

func (w *world) Order(_ context.Context, p *catalog.Partition, o command.Order) (uint64, error) {
	if w.fails != nil {
		return 0, w.fails
	}
	g := w.groups[p.ID]
	if o.Transfer != 0 {
		w.orders = append(w.orders, fmt.Sprintf("%d: %d leads", p.ID, o.Transfer))
		g.leader, g.epoch = o.Transfer, g.epoch+1
		return 0, nil
	}
	m := o.Membership
	if m.Generation != g.generation {
		return 0, &command.StaleRoute{Partition: p.ID, Generation: g.generation}
	}
	g.members = slices.Clone(g.members)
	switch {
	case m.AddLearner != 0:
		g.members = append(g.members, command.Member{Replica: g.next, Node: m.AddLearner, Learner: true})
		g.next++
	default:
		g.members = slices.DeleteFunc(g.members, func(o command.Member) bool { return o.Replica == m.Remove })
		for i := range g.members {
			if g.members[i].Replica == m.Promote {
				g.members[i].Learner = false
			}
		}
	}
	g.generation++
	w.orders = append(w.orders, fmt.Sprintf("%d: %+v", p.ID, *m))
	return 0, nil
}

// walk makes steps until there are no more.
func (w *world) walk(j *rebalance.Job) {
	w.t.Helper()
	for range 100 {
		before := len(w.orders)
		w.check(j.Step(w.t.Context()))
		w.now += time.Second
		if len(w.orders) == before {
			return
		}
	}
	w.t.Fatalf("still under way: %v", w.orders[len(w.orders)-10:])
}

func nodes(members []command.Member) []uint64 {
	var ids []uint64
	for _, m := range members {
		ids = append(ids, m.Node)
	}
	slices.Sort(ids)
	return ids
}

// Replicas grow to three as nodes join, and the catalog learns who has them. A second walk finds nothing to do.
func TestGrow(t *testing.T) {
	w := newWorld(t, 1)
	j := w.job()
	w.walk(j)
	if len(w.orders) > 0 {
		t.Errorf("with one node: %v", w.orders)
	}
	w.join(2)
	w.join(3)
	w.walk(j)
	for _, p := range w.partitions() {
		if !slices.Equal(nodes(p.Members), []uint64{1, 2, 3}) || !slices.Equal(p.Members, w.groups[p.ID].members) {
			t.Errorf("the catalog has %v for partition %d, which is on %v", p.Members, p.ID, w.groups[p.ID].members)
		}
	}
	if got := nodes(w.groups[1].members); !slices.Equal(got, []uint64{1, 2, 3}) {
		t.Errorf("the catalog itself is on %v", got)
	}
	o, ok := j.Overview()
	if !ok || o.Tally != (rebalance.Tally{Total: 3, Whole: 3}) || len(o.Recent) == 0 || o.Nodes[1].Replicas != 3 || o.Nodes[1].Release != "test" {
		t.Errorf("overview %+v", o)
	}
	w.orders = nil
	w.walk(w.job())
	if len(w.orders) > 0 {
		t.Errorf("another leader began again: %v", w.orders)
	}
}

// Whoever begins to lead the catalog gives nobody up for a silence that it has not heard itself; then a silent node's
// replicas are made anew, and one that is told to leave is gone once it has nothing.
func TestSilentAndLeaving(t *testing.T) {
	w := newWorld(t, 4)
	j := w.job()
	w.walk(j)
	w.silent[2] = math.MaxInt64
	for id, g := range w.groups {
		if g.leader == 2 {
			w.groups[id].leader, w.groups[id].epoch = 1, g.epoch+1
		}
	}
	j = w.job()
	w.orders = nil
	w.walk(j)
	if len(w.orders) > 0 {
		t.Errorf("a node was given up at once: %v", w.orders)
	}
	if o, _ := j.Overview(); o.Tally.Lacking == 0 || o.Tally.Stopped != 0 {
		t.Errorf("overview %+v", o.Tally)
	}
	w.now += 6 * time.Minute
	w.walk(j)
	for id, g := range w.groups {
		if id != 1 && slices.Contains(nodes(g.members), 2) {
			t.Errorf("partition %d is still on the silent node: %v", id, g.members)
		}
	}
	w.state(2, catalog.Leaving)
	w.walk(j)
	w.check(j.Step(t.Context()))
	if n, _ := w.Node(2); n.State != catalog.Gone {
		t.Errorf("the node that left is %s, and the catalog on %v", n.State, w.groups[1].members)
	}
	w.state(3, catalog.Leaving)
	w.walk(j)
	o, _ := j.Overview()
	if n, _ := w.Node(3); n.State != catalog.Leaving || o.BlockedCount == 0 || len(o.Blocked) == 0 {
		t.Errorf("with two nodes left, node 3 is %s, blocked %v", n.State, o.Blocked)
	}
}

// Where there are fewer nodes than replicas, that is what keeps partitions from being whole.
func TestTooFewNodesAreTold(t *testing.T) {
	w := newWorld(t, 3)
	j := w.job()
	w.walk(j)
	if o, _ := j.Overview(); o.BlockedCount != 0 || len(o.Blocked) != 0 {
		t.Errorf("with nodes enough: %v", o.Blocked)
	}
	w.check(w.UpdateCluster(t.Context(), func(c catalog.Cluster) (catalog.Cluster, error) {
		c.Replicas = 5
		return c, nil
	}))
	w.walk(j)
	o, _ := j.Overview()
	if want := []string{"5 replicas need 5 nodes (now 3): start others with --join"}; o.BlockedCount != 1 || !slices.Equal(o.Blocked, want) {
		t.Errorf("blocked %d: %q, want %q", o.BlockedCount, o.Blocked, want)
	}
}

// A step that fails for long is planned again with each look, and told of once a minute.
func TestAStepThatFailsDoesNotFillTheLog(t *testing.T) {
	w := newWorld(t, 3)
	var told strings.Builder
	j := w.job()
	j.Log = slog.New(slog.NewTextHandler(&told, nil))
	w.fails = errors.New("the disk is full")
	for range 61 {
		w.check(j.Step(t.Context()))
		w.now += time.Second
	}
	const line = "a step was not made and will be planned again"
	if said := strings.Count(told.String(), line); said != 2 || !strings.Contains(told.String(), "untold_before=0") {
		t.Errorf("in a minute it is told of %d times: %s", said, told.String())
	}
}

// A replica that is damaged is shown, and made anew on its node where there is no other, once it is so for as long as a silent node is
// borne. What its node still says of the old one does not concern the one in its place.
func TestDamaged(t *testing.T) {
	w := newWorld(t, 3)
	j := w.job()
	w.walk(j)
	id := w.partitions()[0].ID
	old := w.groups[id].members[2]
	w.damaged, w.orders = map[uint64]time.Duration{id: time.Minute}, nil
	w.walk(j)
	o, _ := j.Overview()
	if len(w.orders) > 0 || o.DamagedCount != 1 || o.Damaged[0] != (rebalance.DamagedReplica{Partition: id, Node: old.Node, ForMillis: 60_000}) || o.Tally.Lacking != 1 {
		t.Errorf("%v, overview %+v", w.orders, o)
	}
	w.damaged[id] = 6 * time.Minute
	w.walk(j)
	o, _ = j.Overview()
	if now := w.groups[id].members[2]; now.Node != old.Node || now.Replica == old.Replica || now.Learner || o.DamagedCount != 0 || o.Tally.Whole != 3 {
		t.Errorf("%v is there for %v: %v, overview %+v", now, old, w.orders, o)
	}
}

// A copy of partition 1 that leads anew continues a move from what the partition says: it has a learner.
func TestResumed(t *testing.T) {
	w := newWorld(t, 3)
	w.lagging = true
	w.walk(w.job())
	learners := 0
	for _, g := range w.groups {
		if slices.ContainsFunc(g.members, func(m command.Member) bool { return m.Learner }) {
			learners++
		}
	}
	if learners != placement.DefaultRules().MovesPerNodeMax {
		t.Fatalf("%d partitions have learners: %v", learners, w.orders)
	}
	w.lagging = false
	w.walk(w.job())
	for id, g := range w.groups {
		if len(g.members) != 3 || slices.ContainsFunc(g.members, func(m command.Member) bool { return m.Learner }) {
			t.Errorf("partition %d: %v", id, g.members)
		}
	}
}

// Operators move and transfer what can be, and hear why something cannot.
func TestWishes(t *testing.T) {
	w := newWorld(t, 4)
	j := w.job()
	first := w.partitions()[0].ID
	if err := j.Move(t.Context(), catalog.Move{Partition: first, From: 1, To: 4}); err == nil {
		t.Error("a wish before the first look was taken")
	}
	w.walk(j)
	has := nodes(w.groups[first].members)
	var outside uint64
	for id := range uint64(4) {
		if !slices.Contains(has, id+1) {
			outside = id + 1
		}
	}
	refused := func(err error, what string) {
		t.Helper()
		if _, ok := errors.AsType[*rebalance.Refused](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused(j.Move(t.Context(), catalog.Move{Partition: 4711, From: 1, To: 2}), "no partition")
	refused(j.Move(t.Context(), catalog.Move{Partition: first, From: outside, To: has[0]}), "no replica")
	refused(j.Move(t.Context(), catalog.Move{Partition: first, From: has[0], To: 9}), "no node")
	refused(j.Move(t.Context(), catalog.Move{Partition: first, From: has[0], To: has[1]}), "there already")
	refused(j.Transfer(t.Context(), first, outside), "leads without a replica")
	refused(j.Transfer(t.Context(), first, w.groups[first].leader), "leads already")
	leader := w.groups[first].leader
	w.check(j.Move(t.Context(), catalog.Move{Partition: first, From: leader, To: outside}))
	j = w.job() // another node begins to lead the catalog before anything was done
	w.check(j.Step(t.Context()))
	if o, _ := j.Overview(); len(o.Wanted) != 1 || o.Wanted[0].To != outside {
		t.Errorf("the move that was asked of another node is not shown: %+v", o.Wanted)
	}
	w.check(j.Step(t.Context()))
	w.check(j.Step(t.Context()))
	if got := nodes(w.groups[first].members); slices.Contains(got, leader) || !slices.Contains(got, outside) {
		t.Errorf("partition %d is on %v, wanted from %d to %d: %v", first, got, leader, outside, w.orders)
	}
	w.walk(j)
	if known, _ := w.Cluster(); len(known.Moves) > 0 {
		t.Errorf("a move that was done is still wanted: %+v", known.Moves)
	}
	target := w.groups[first].members[0].Node
	if w.groups[first].leader == target {
		target = w.groups[first].members[1].Node
	}
	w.check(j.Transfer(t.Context(), first, target))
	if w.groups[first].leader != target {
		t.Errorf("led by %d, not %d", w.groups[first].leader, target)
	}
}

// A move to a node that takes nothing any more is let go of, or else it would come when nobody expects it.
func TestWishThatCannotBe(t *testing.T) {
	w := newWorld(t, 4)
	j := w.job()
	w.walk(j)
	p := w.partitions()[0]
	has := nodes(w.groups[p.ID].members)
	outside := uint64(1)
	for slices.Contains(has, outside) {
		outside++
	}
	w.check(j.Move(t.Context(), catalog.Move{Partition: p.ID, From: has[0], To: outside}))
	w.state(outside, catalog.Leaving)
	w.check(j.Step(t.Context()))
	if known, _ := w.Cluster(); len(known.Moves) > 0 {
		t.Errorf("still wanted: %+v", known.Moves)
	}
}

// A node that serves two hot partitions hands one of them over.
func TestHeat(t *testing.T) {
	w := newWorld(t, 3)
	j := w.job()
	w.walk(j)
	hot := w.partitions()
	for _, p := range hot {
		w.groups[p.ID].heat, w.groups[p.ID].leader = 1, 2
	}
	w.orders = nil
	w.walk(j)
	o, _ := j.Overview()
	if len(w.orders) != 1 || w.groups[hot[0].ID].leader == w.groups[hot[1].ID].leader {
		t.Errorf("the orders %v", w.orders)
	}
	if last := o.Recent[len(o.Recent)-1].Text; !strings.HasSuffix(last, string(placement.Cool)) {
		t.Errorf("the last step is: %s", last)
	}
}

// Orders that fail are planned again; the step itself does not fail.
func TestFailedOrders(t *testing.T) {
	w := newWorld(t, 3)
	j := w.job()
	w.fails = &command.Ambiguous{Cause: errors.New("lost")}
	w.walk(j)
	w.fails = nil
	w.walk(j)
	for id, g := range w.groups {
		if len(g.members) != 3 {
			t.Errorf("partition %d: %v", id, g.members)
		}
	}
}

// What a node saw as the catalog's leader is forgotten when it is not any more.
func TestRest(t *testing.T) {
	w := newWorld(t, 3)
	j := w.job()
	w.walk(j)
	if _, ok := j.Overview(); !ok {
		t.Error("no overview")
	}
	if list, ok := j.Partitions("things"); !ok || len(list) != 2 || len(list[0].Replicas) != 3 || list[0].Table != "things" {
		t.Errorf("partitions %+v", list)
	}
	j.Rest()
	if _, ok := j.Overview(); ok {
		t.Error("an overview of one who does not lead")
	}
}
