package node_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"stator/internal/jobs/rebalance"
	"stator/internal/model/api"
	"stator/internal/node"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
	"stator/internal/storage/engine"
)

// listener is a node's for others.
func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// membership is that of a node of a cluster of tests.
func membership(t *testing.T, join ...string) *node.Membership {
	l := listener(t)
	return &node.Membership{
		Listener: l, Address: l.Addr().String(), Init: len(join) == 0, Join: join, Replicas: 3, Timeout: requestMax,
	}
}

// opened is a node over a directory, closed with the test or before.
func opened(t *testing.T, dir string, m *node.Membership) *node.Node {
	t.Helper()
	return openedBy(t, dir, m, nil)
}

// openedBy is opened with a clock that never jumps.
func openedBy(t *testing.T, dir string, m *node.Membership, steady func() time.Duration) *node.Node {
	t.Helper()
	n, err := node.Open(t.Context(), node.Options{Data: dir, DiskReserve: -1, Membership: m, Steady: steady})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	return n
}

func closed(t *testing.T, n *node.Node) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func fails(t *testing.T, dir string, m *node.Membership, want error) {
	t.Helper()
	n, err := node.Open(t.Context(), node.Options{Data: dir, DiskReserve: -1, Membership: m})
	if err == nil {
		closed(t, n)
	}
	if !errors.Is(err, want) {
		t.Errorf("opening ended with %v, want %v", err, want)
	}
}

const storedItems = 50

// stocked makes a table with items in a node.
func stocked(t *testing.T, calls map[string]api.Call) {
	t.Helper()
	made(t, calls)
	for i := range storedItems {
		call(t, calls, "PutItem", fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": "%d"}}}`, i))
	}
}

// holds finds them.
func holds(t *testing.T, calls map[string]api.Call) {
	t.Helper()
	for i := range storedItems {
		want := fmt.Sprintf(`{"Item":{"pk":{"S":"%d"}}}`, i)
		got := call(t, calls, "GetItem", fmt.Sprintf(`{"TableName": "things", "ConsistentRead": true, "Key": {"pk": {"S": "%d"}}}`, i))
		if got != want {
			t.Fatalf("item %d is %s", i, got)
		}
	}
}

// A filled store becomes a cluster of one in place, holds what it held, goes on under any flags of a cluster, and never
// starts alone again.
func TestStoreBecomesACluster(t *testing.T) {
	dir := t.TempDir()
	alone := opened(t, dir, nil)
	stocked(t, alone.Calls())
	closed(t, alone)
	for range 2 {
		n := opened(t, dir, membership(t))
		holds(t, n.Calls())
		call(t, n.Calls(), "PutItem", `{"TableName": "things", "Item": {"pk": {"S": "1"}}}`)
		closed(t, n)
	}
	fails(t, dir, nil, node.ErrOfCluster)
	m := membership(t)
	m.Init = false
	holds(t, opened(t, dir, m).Calls())
}

// A conversion that was interrupted after its first step is no store of a node that is alone any more; any start as a node
// of a cluster completes it.
func TestConversionGoesOn(t *testing.T) {
	dir := t.TempDir()
	alone := opened(t, dir, nil)
	stocked(t, alone.Calls())
	closed(t, alone)
	e, err := engine.Open(engine.Options{Dir: dir, ReserveBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	state, _, err := machine.Load(e, machine.CatalogPartition)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := multiraft.Convert(e, state, 1); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	fails(t, dir, nil, node.ErrOfCluster)
	m := membership(t)
	m.Init = false
	holds(t, opened(t, dir, m).Calls())
}

func TestStoresKeepToTheirCluster(t *testing.T) {
	own := t.TempDir()
	closed(t, opened(t, own, nil))
	m := membership(t)
	m.Init = false
	fails(t, own, m, node.ErrNoCluster)
	fresh := filepath.Join(t.TempDir(), "fresh")
	fails(t, fresh, m, node.ErrNoCluster)
	first, other := membership(t), membership(t)
	opened(t, t.TempDir(), first)
	opened(t, t.TempDir(), other)
	fails(t, own, membership(t, first.Address), node.ErrOwnData)
	joined := fresh
	closed(t, opened(t, joined, membership(t, first.Address)))
	fails(t, joined, nil, node.ErrOfCluster)
	fails(t, joined, membership(t, other.Address), node.ErrOtherCluster)
	// The same flags go on, and so does a start that names nobody.
	closed(t, opened(t, joined, membership(t, first.Address)))
	m = membership(t)
	m.Init = false
	closed(t, opened(t, joined, m))
}

// A node that waits for a cluster to join, or for the catalog, ends when it is told to.
func TestWaitingEnds(t *testing.T) {
	nobody := listener(t)
	address := nobody.Addr().String()
	nobody.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := node.Open(ctx, node.Options{Data: t.TempDir(), DiskReserve: -1, Membership: membership(t, address)}); err == nil {
		t.Error("a node serves without a cluster")
	}
	first := membership(t)
	n := opened(t, t.TempDir(), first)
	joined := t.TempDir()
	closed(t, opened(t, joined, membership(t, first.Address)))
	closed(t, n)
	ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := node.Open(ctx, node.Options{Data: joined, DiskReserve: -1, Membership: membership(t, first.Address)}); err == nil {
		t.Error("a node serves without the catalog")
	}
}

// Three nodes share what is made at any of them; the catalog comes to have a copy on each.
func TestNodesShare(t *testing.T) {
	first := membership(t)
	nodes := []*node.Node{opened(t, t.TempDir(), first)}
	for range 2 {
		nodes = append(nodes, opened(t, t.TempDir(), membership(t, first.Address)))
	}
	stocked(t, nodes[1].Calls())
	for _, n := range nodes {
		holds(t, n.Calls())
	}
	await(t, func() string {
		answer, err := nodes[2].AskCluster(t.Context(), rebalance.Question{Verb: rebalance.VerbStatus})
		if o := answer.Overview; err != nil || o == nil || o.Tally.Total <= 1 || o.Tally.Whole < o.Tally.Total {
			return fmt.Sprintf("the cluster is not whole: %+v, %v", o, err)
		}
		return ""
	})
}

// A node that does not reach the copy of the catalog that leads tells clients to go elsewhere until it does.
func TestReadiness(t *testing.T) {
	first, dir := membership(t), t.TempDir()
	leader := opened(t, dir, first)
	began, ahead := time.Now(), atomic.Int64{}
	n := openedBy(t, t.TempDir(), membership(t, first.Address), func() time.Duration { return time.Since(began) + time.Duration(ahead.Load()) })
	awaited := func(n *node.Node, want bool) {
		t.Helper()
		await(t, func() string {
			if err := n.Ready(); (err == nil) != want {
				return fmt.Sprintf("ready is %v: %v", !want, err)
			}
			return ""
		})
	}
	awaited(n, true)
	closed(t, leader)
	ahead.Store(int64(time.Minute))
	awaited(n, false)
	leader = opened(t, dir, at(t, first.Address))
	awaited(n, true)
	awaited(leader, true)
	if err := opened(t, t.TempDir(), nil).Ready(); err != nil {
		t.Errorf("a node that is alone: %v", err)
	}
}

// The first node gives away all it has, the catalog too, and is gone. From then on it sends clients elsewhere, and its store
// does not start again, whatever its flags say.
func TestFirstNodeLeaves(t *testing.T) {
	first, dir := membership(t), t.TempDir()
	leaving := opened(t, dir, first)
	stocked(t, leaving.Calls())
	second := membership(t, first.Address)
	staying := opened(t, t.TempDir(), second)
	state := func() (text string) {
		answer, err := staying.AskCluster(t.Context(), rebalance.Question{Verb: rebalance.VerbStatus})
		if err != nil || answer.Overview == nil {
			return fmt.Sprint("unknown: ", err)
		}
		for _, n := range answer.Overview.Nodes {
			text += n.State + " "
		}
		return text
	}
	awaited := func(want string) {
		t.Helper()
		await(t, func() string {
			if now := state(); now != want {
				return fmt.Sprintf("the nodes are %s, want %s", now, want)
			}
			return ""
		})
	}
	awaited("up up ")
	answer, err := staying.AskCluster(t.Context(), rebalance.Question{Verb: rebalance.VerbDecommission, Node: 1})
	if err != nil || answer.Refused != "" {
		t.Fatalf("%+v, %v", answer, err)
	}
	awaited("gone up ")
	holds(t, staying.Calls())
	await(t, func() string {
		if copies := leaving.Copies(); copies > 0 {
			return fmt.Sprintf("%d copies are left", copies)
		}
		return ""
	})
	await(t, func() string {
		if err := leaving.Ready(); !errors.Is(err, node.ErrRemoved) {
			return fmt.Sprintf("ready, of the node that is gone: %v", err)
		}
		return ""
	})
	closed(t, leaving)
	fails(t, dir, membership(t, second.Address), node.ErrRemoved)
	fails(t, dir, membership(t), node.ErrRemoved)
	holds(t, staying.Calls())
}
