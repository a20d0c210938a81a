package node_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stator/internal/cluster/rpc"
	"stator/internal/cluster/session"
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/node"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// wires are the network of some nodes in this process, in which one node may be kept from hearing what is agreed on.
type wires struct {
	mu    sync.RWMutex // guards nodes
	nodes map[uint64]*node.Node
	// deaf is a node that hears nothing of any partition but the catalog's.
	deaf atomic.Uint64
	// cut ends all hearing: the nodes are about to close.
	cut atomic.Bool
}

func (w *wires) find(id uint64) (rpc.Handler, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	n, known := w.nodes[id]
	if !known || w.cut.Load() {
		return nil, false
	}
	return n.Handler(), true
}

// Ask implements node.Network: the only node that is there at first answers.
func (w *wires) Ask(ctx context.Context, _ string, body []byte) ([]byte, error) {
	first, _ := w.find(1)
	return first.Join(ctx, body)
}

// Send implements node.Messenger.
func (w *wires) Send(to, _ uint64, bytes []byte) bool {
	m, err := multiraft.ParseMessage(bytes)
	other, known := w.find(to)
	if err != nil || !known || w.deaf.Load() == to && m.Group != machine.CatalogPartition {
		return false
	}
	other.Raft(m.FromNode, bytes)
	return true
}

// Call implements node.Messenger.
func (w *wires) Call(ctx context.Context, to uint64, method byte, body []byte) ([]byte, error) {
	other, known := w.find(to)
	if !known {
		return nil, &rpc.Unreachable{Node: to, Cause: errNobody}
	}
	return other.Call(ctx, 0, method, body)
}

// SendSnapshot implements node.Messenger.
func (w *wires) SendSnapshot(ctx context.Context, to uint64, header []byte, next func() ([]byte, error)) error {
	other, known := w.find(to)
	if !known {
		return errNobody
	}
	return other.Snapshot(ctx, 0, header, next)
}

// SetAddress, Alive and Down implement node.Presence: nobody dies here.
func (w *wires) SetAddress(uint64, string)            {}
func (w *wires) Alive(uint64) (time.Duration, uint64) { return 0, 1 }
func (w *wires) Down(uint64) bool                     { return false }

// wired are three nodes over wires, with a table of which each has a copy of every partition.
func wired(t *testing.T) (*wires, []*node.Node) {
	t.Helper()
	w := &wires{nodes: map[uint64]*node.Node{}}
	var nodes []*node.Node
	t.Cleanup(func() {
		w.cut.Store(true)
		var closing sync.WaitGroup
		for _, n := range nodes {
			closing.Go(func() { closed(t, n) })
		}
		closing.Wait()
	})
	for i := range 3 {
		m := &node.Membership{Address: fmt.Sprint("node-", i, ":1"), Init: i == 0, Replicas: 3, Timeout: requestMax, Network: w}
		if !m.Init {
			m.Join = []string{"node-0:1"}
		}
		n, err := node.Open(t.Context(), node.Options{Data: "store", FS: engine.Memory(), DiskReserve: -1, Membership: m, Partitions: 2})
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.nodes[n.ID()] = n
		w.mu.Unlock()
		nodes = append(nodes, n)
	}
	made(t, nodes[0].Calls())
	return w, nodes
}

// visitor is a client with a session that counts up an item, at whatever node.
type visitor struct {
	t       *testing.T
	cluster uint64
	header  string
	// least is the number that its reads must show by now.
	least int
}

// triesMax is how often a visitor asks. A leader that hears nothing ends with writes of which nobody knows: the SDK's tries
// would do the same again.
const triesMax = 5

// asks calls an operation within the session.
func (v *visitor) asks(calls map[string]api.Call, operation, body string) string {
	v.t.Helper()
	var failed error
	for range triesMax {
		s, err := session.Parse([]byte(v.header), v.cluster)
		if err != nil {
			v.t.Fatal(err)
		}
		answer, err := calls[dynamo+operation](session.With(v.t.Context(), s), []byte(body), nil)
		v.header = string(s.AppendHeader(nil))
		if err == nil {
			return string(answer)
		}
		failed = err
	}
	v.t.Fatalf("%s: %v", operation, failed)
	return ""
}

func (v *visitor) writes(calls map[string]api.Call, item int) {
	v.t.Helper()
	v.least++
	v.asks(calls, "PutItem", fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": "%d"}, "n": {"N": "%d"}}}`, item, v.least))
}

var shown = regexp.MustCompile(`"n":\{"N":"(\d+)"\}`)

func shows(answer string) int {
	found := shown.FindStringSubmatch(answer)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1])
	return n
}

func getting(item int) string {
	return fmt.Sprintf(`{"TableName": "things", "Key": {"pk": {"S": "%d"}}}`, item)
}

func querying(item int) string {
	return fmt.Sprintf(`{"TableName": "things", "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "%d"}}}`, item)
}

// reads looks at an item eventually, which must show no less than it did before.
func (v *visitor) reads(calls map[string]api.Call, operation, body string) {
	v.t.Helper()
	n := shows(v.asks(calls, operation, body))
	if n < v.least {
		v.t.Errorf("%s shows %d, the session knows of %d", operation, n, v.least)
	}
	v.least = max(v.least, n)
}

// While a follower lags, a client without a session may read what was from it. One with a session reads what it wrote and,
// at another client's side, nothing older than what it read, at every node; also while partitions split.
func TestSessionsOverACluster(t *testing.T) {
	const rounds, items, splits = 36, 8, 3
	w, nodes := wired(t)
	random := rand.New(rand.NewPCG(1, 2))
	at := func() map[string]api.Call { return nodes[random.IntN(len(nodes))].Calls() }
	var writers, readers [items]*visitor
	for i := range items {
		writers[i] = &visitor{t: t, cluster: nodes[0].ClusterID(), header: "new"}
		readers[i] = &visitor{t: t, cluster: nodes[0].ClusterID(), header: "new"}
	}
	stale, cuts := 0, 0
	for round := range rounds {
		item := random.IntN(items)
		switch round % (rounds / splits) {
		case 0: // all hear all, so that there can be a split
			w.deaf.Store(0)
			if divided(t, nodes[0], item) {
				cuts++
			}
		case 5:
			w.deaf.Store(nodes[random.IntN(len(nodes))].ID())
		}
		writer, reader := writers[item], readers[item]
		writer.writes(at(), item)
		reader.reads(at(), "GetItem", getting(item))
		for _, n := range nodes {
			if shows(call(t, n.Calls(), "GetItem", getting(item))) < writer.least {
				stale++
			}
			writer.reads(n.Calls(), "GetItem", getting(item))
			reader.reads(n.Calls(), "Query", querying(item))
		}
	}
	if stale == 0 {
		t.Error("without a session nothing old was read either: the test shows nothing")
	}
	if cuts == 0 {
		t.Error("nothing was split")
	}
	t.Logf("%d of %d reads without a session were old, %d splits", stale, rounds*len(nodes), cuts)
}

// divided has the table split at an item, and tells whether that was possible before long.
func divided(t *testing.T, n *node.Node, item int) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	at := keys.Suffix([]attr.Value{attr.String(strconv.Itoa(item))}, nil)
	for ctx.Err() == nil {
		if _, err := n.Split(ctx, "things", at); err == nil {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}
