package router_test

import (
	"context"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/cluster/session"
	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// visitor is a client with a session, which goes from node to node.
type visitor struct {
	t      *testing.T
	header string
}

func begins(t *testing.T) *visitor { return &visitor{t: t, header: "new"} }

// asks is the context of a request, and has the client take the session of its answer along.
func (v *visitor) asks() (ctx context.Context, answered func()) {
	v.t.Helper()
	s, err := session.Parse([]byte(v.header), 7)
	if err != nil {
		v.t.Fatal(err)
	}
	return session.With(v.t.Context(), s), func() { v.header = string(s.AppendHeader(nil)) }
}

// writes gives an item a number.
func (v *visitor) writes(through *router.Router, c *command.Command, number int) {
	v.t.Helper()
	ctx, answered := v.asks()
	defer answered()
	numbered := *c
	numbered.Item = c.Item.With("number", attr.Int(int64(number)))
	if result, err := through.Write(ctx, &numbered); err != nil || result.Refusal != command.Accepted {
		v.t.Fatalf("%+v, %v", result, err)
	}
}

// reads is the number that an eventual read of an item shows, 0 for none.
func (v *visitor) reads(through *router.Router, g command.Get) int {
	v.t.Helper()
	ctx, answered := v.asks()
	defer answered()
	return number(ctx, v.t, through, g)
}

func number(ctx context.Context, t *testing.T, through *router.Router, g command.Get) int {
	t.Helper()
	result, err := through.Read(ctx, g)
	if err != nil {
		t.Fatal(err)
	}
	n, found := result.Item.Get("number")
	if !found {
		return 0
	}
	return int(n.Number().Append(nil)[0] - '0')
}

// A session reads its own writes, and nothing older than it read, through any node, though all followers lag. Others may
// read what was.
func TestSessionSeesNoLess(t *testing.T) {
	f := newFleet(t, 1)
	writer, reader := begins(t), begins(t)
	writer.writes(f.routers[4], f.put(1), 1)
	f.Lag(101, 2, true)
	f.Lag(101, 3, true)
	writer.writes(f.routers[4], f.put(1), 2)
	if got := reader.reads(f.routers[0], f.get(1, false)); got != 2 {
		t.Errorf("the leader shows %d", got)
	}
	stale := 0
	for _, n := range []int{1, 2, 3, 4, 0} { // those that lag first: what another showed would help them
		through := f.routers[n]
		if got := number(t.Context(), t, through, f.get(1, false)); got == 1 {
			stale++
		}
		for who, v := range map[string]*visitor{"the writer": writer, "the reader": reader} {
			if got := v.reads(through, f.get(1, false)); got != 2 {
				t.Errorf("through node %d %s sees %d", n+1, who, got)
			}
			ctx, answered := v.asks()
			page, err := through.Scan(ctx, command.Plan{Table: 100, TableVersion: 1})
			answered()
			if err != nil || len(page.Items) != 1 {
				t.Fatalf("%+v, %v", page, err)
			}
			if n, _ := page.Items[0].Get("number"); string(n.Number().Append(nil)) != "2" {
				t.Errorf("in a scan %s sees %s", who, page.Items[0].AppendJSON(nil))
			}
		}
	}
	if stale == 0 {
		t.Error("no follower lags: the test shows nothing")
	}
}

// A copy that is a moment behind is waited for, and nobody else is asked.
func TestSessionWaitsForACopy(t *testing.T) {
	f := newFleet(t, 1)
	v := begins(t)
	f.Lag(101, 2, true)
	v.writes(f.routers[0], f.put(1), 1)
	o := f.Nodes[1].Options(f)
	pauses := 0
	o.Pause = func(context.Context, time.Duration) error {
		if pauses++; pauses == 3 {
			f.Lag(101, 2, false)
		}
		return nil
	}
	f.Calls()
	if got := v.reads(router.New(o), f.get(1, false)); got != 1 || pauses != 3 || f.Calls() != 0 {
		t.Errorf("it sees %d after %d pauses", got, pauses)
	}
}

// Where the leader is gone, a copy that has all the session saw answers, wherever it is; the one that has not does not.
func TestSessionWithoutLeader(t *testing.T) {
	f := newFleet(t, 1)
	v := begins(t)
	f.Lag(101, 3, true)
	v.writes(f.routers[0], f.put(1), 1)
	f.Lead(101, 0)
	f.Down(1, true)
	for _, n := range []int{2, 3, 4} {
		if got := v.reads(f.routers[n], f.get(1, false)); got != 1 {
			t.Errorf("through node %d it sees %d", n+1, got)
		}
	}
	f.Down(2, true)
	ctx, _ := v.asks()
	if result, err := f.hasty(2).Read(ctx, f.get(1, false)); err == nil {
		t.Errorf("a copy that is behind shows %v", result.Item)
	}
}

// A session that saw more partitions than it can remember reads strongly; the request that made it so shows no less, either.
func TestSessionThatSawTooMuch(t *testing.T) {
	f := newFleet(t, 40)
	v := begins(t)
	v.writes(f.routers[0], f.put(1), 1)
	p := f.of(1)
	f.Lag(p.ID, p.Members[1].Node, true)
	v.writes(f.routers[0], f.put(1), 2)
	through := f.routers[p.Members[1].Node-1]
	ctx, answered := v.asks()
	page, err := through.Scan(ctx, command.Plan{Table: 100, TableVersion: 1})
	answered()
	if err != nil || len(page.Items) != 1 || v.header != "strong" {
		t.Fatalf("%d items, the session is %s, %v", len(page.Items), v.header, err)
	}
	if n, _ := page.Items[0].Get("number"); string(n.Number().Append(nil)) != "2" {
		t.Errorf("the scan shows %s", page.Items[0].AppendJSON(nil))
	}
	if got := v.reads(through, f.get(1, false)); got != 2 {
		t.Errorf("then it sees %d", got)
	}
}

// asOf is a node's map of the partitions, which may be older than that of others.
type asOf struct {
	sequence   uint64
	partitions []catalog.Partition
}

func (m *asOf) Partitions(uint64) []catalog.Partition         { return m.partitions }
func (m *asOf) Sequence() uint64                              { return m.sequence }
func (*asOf) Splitting(context.Context, uint64) (bool, error) { return false, nil }

// What a session wrote to the right half of a split is not looked for in the whole partition, by a node that has not heard
// of the split and has a copy that has not performed it. What it wrote to the whole, any copy of either half shows.
func TestSessionGoesThroughASplit(t *testing.T) {
	f := newFleet(t, 1)
	f.sequence = 4
	v := begins(t)
	v.writes(f.routers[0], f.put(1), 1)
	v.writes(f.routers[0], f.put(1), 2)
	before := &asOf{sequence: 4, partitions: f.partitions}
	f.Lag(101, 3, true)
	leader, _ := f.Nodes[0].Replica(101)
	done := make(chan error, 1)
	leader.Split(&command.Command{Action: command.Split, Table: 100, TableVersion: 1, At: key(1), Child: 102, Generation: 1},
		func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	after := &asOf{sequence: 5}
	for _, id := range []uint64{101, 102} {
		r, _ := f.Nodes[0].Replica(id)
		d := r.State().Descriptor
		after.partitions = append(after.partitions, catalog.Partition{ID: id, Generation: d.Generation, Bounds: d.Bounds, Members: d.Members})
	}
	child, _ := f.Nodes[1].Replica(102)
	if bounds := child.State().Descriptor.Bounds; !bounds.Holds(key(1)) {
		t.Fatalf("the child holds %x", bounds)
	}
	young := f.Nodes[1].Options(after)
	if got := v.reads(router.New(young), f.get(1, false)); got != 2 {
		t.Errorf("the child shows %d of what was written to its parent", got)
	}
	f.Lag(102, 3, true)
	v.writes(router.New(young), f.put(1), 3)
	old := f.Nodes[2].Options(before)
	heard := 0
	old.Cluster.Stale = func() {
		heard++
		*before = *after
	}
	if got := number(t.Context(), t, router.New(old), f.get(1, false)); got != 2 {
		t.Errorf("without a session the old copy shows %d: the test shows nothing", got)
	}
	if got := v.reads(router.New(old), f.get(1, false)); got != 3 || heard != 1 {
		t.Errorf("by an old map it sees %d, and hears %d times that it is old", got, heard)
	}
}
