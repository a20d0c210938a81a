package node_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/rebalance"
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

const (
	fiveReplicas   = 3
	fivePartitions = 16
	// fiveSplitBytes is small enough for a table of a test to outgrow it, and more than any other table here holds.
	fiveSplitBytes = 64 << 10
	// settledMax is how long a cluster on a busy machine may take to come to what is awaited.
	settledMax = 3 * time.Minute
	// requestMax is more than a server's own: a busy machine is no reason for a request to fail.
	requestMax = 20 * time.Second
)

// fiveZones are the zones of the nodes: with one replica in each zone, the last node has one of every partition.
var fiveZones = [...]string{"a", "a", "b", "b", "c"}

// five is a cluster of five nodes with a table of 16 partitions of three replicas, so that two nodes hold nothing of a key.
type five struct {
	nodes []*node.Node
	calls []map[string]api.Call
	table *table.Table
	dies  atomic.Pointer[death]
}

// TestFiveNodes shows on one such cluster that it does not matter which node is asked, whatever moves meanwhile.
func TestFiveNodes(t *testing.T) {
	f := openFive(t)
	t.Run("placement", f.placement)
	t.Run("routing", f.routing)
	t.Run("old maps", f.oldMaps)
	t.Run("moves", f.moves)
	t.Run("transactions", f.transactions)
	t.Run("growth", f.growth)
	t.Run("decommission", f.decommission)
}

func openFive(t *testing.T) *five {
	t.Helper()
	f := &five{}
	t.Cleanup(func() { f.close(t) })
	first := ""
	for i, zone := range fiveZones {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		m := &node.Membership{Listener: l, Address: l.Addr().String(), Zone: zone, Replicas: fiveReplicas, Timeout: requestMax}
		if m.Init = i == 0; m.Init {
			first = m.Address
		} else {
			m.Join = []string{first}
		}
		n, err := node.Open(t.Context(), node.Options{
			Data: "data", FS: engine.Memory(), DiskReserve: -1, Membership: m, Partitions: fivePartitions, SplitBytes: fiveSplitBytes,
			Broken:    func(partition uint64, err error) { t.Errorf("partition %d is broken: %v", partition, err) },
			Failpoint: func(step string) error { return f.failpoint(i, step) },
		})
		if err != nil {
			t.Fatal(err)
		}
		f.nodes, f.calls = append(f.nodes, n), append(f.calls, n.Calls())
	}
	await(t, func() string {
		o := f.overview(t)
		if len(o.Nodes) < len(f.nodes) || o.Tally.Whole == 0 {
			return fmt.Sprintf("not all nodes are there: %+v", o)
		}
		return ""
	})
	made(t, f.calls[2])
	f.table, _ = f.nodes[2].Table("things")
	return f
}

// close ends the nodes together: what they lead needs no other leader any more.
func (f *five) close(t *testing.T) {
	var closing sync.WaitGroup
	for _, n := range f.nodes {
		closing.Go(func() { closed(t, n) })
	}
	closing.Wait()
}

// death is the step before which a node ends its transactions.
type death struct {
	place int
	step  string
}

var errDies = errors.New("the coordinator ends here")

func (f *five) failpoint(place int, step string) error {
	if d := f.dies.Load(); d != nil && *d == (death{place, step}) {
		return errDies
	}
	return nil
}

// await waits until holds has nothing to say against it.
func await(t *testing.T, holds func() (why string)) {
	t.Helper()
	why := ""
	for end := time.Now().Add(settledMax); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if why = holds(); why == "" {
			return
		}
	}
	t.Fatalf("after %v still: %s", settledMax, why)
}

// overview is the cluster as an operator sees it, empty where nobody answers.
func (f *five) overview(t *testing.T) rebalance.Overview {
	answer, err := f.nodes[0].AskCluster(t.Context(), rebalance.Question{Verb: rebalance.VerbStatus})
	if err != nil || answer.Overview == nil {
		return rebalance.Overview{}
	}
	return *answer.Overview
}

// layout lists the partitions of all tables with their leaders.
func (f *five) layout(t *testing.T) []rebalance.Partition {
	answer, err := f.nodes[0].AskCluster(t.Context(), rebalance.Question{Verb: rebalance.VerbPartitions})
	if err != nil {
		return nil
	}
	return answer.Partitions
}

// tell has the cluster do something, and tries again while it is not known to be possible.
func (f *five) tell(t *testing.T, q rebalance.Question) {
	t.Helper()
	await(t, func() string {
		answer, err := f.nodes[0].AskCluster(t.Context(), q)
		if err != nil {
			return err.Error()
		}
		return answer.Refused
	})
}

// place is where in the list the node with an id stands.
func (f *five) place(id uint64) int {
	return slices.IndexFunc(f.nodes, func(n *node.Node) bool { return n.ID() == id })
}

func (f *five) partitions() []catalog.Partition { return f.nodes[0].Partitions(f.table.ID) }

func (f *five) partition(id uint64) catalog.Partition {
	partitions := f.partitions()
	return partitions[slices.IndexFunc(partitions, func(p catalog.Partition) bool { return p.ID == id })]
}

// leader is the place of the node that leads a partition.
func (f *five) leader(t *testing.T, partition uint64) (place int) {
	t.Helper()
	await(t, func() string {
		for _, p := range f.layout(t) {
			if p.ID == partition && p.Leader != 0 {
				place = f.place(p.Leader)
				return ""
			}
		}
		return fmt.Sprintf("partition %d has no leader", partition)
	})
	return place
}

// outside are the places of the nodes without a replica of a partition, as the map has it and as they say themselves.
func (f *five) outside(p catalog.Partition) (places []int) {
	for i, n := range f.nodes {
		member := slices.ContainsFunc(memberNodes(p), func(id uint64) bool { return id == n.ID() })
		if !member && !n.Holds(p.ID) {
			places = append(places, i)
		}
	}
	return places
}

func memberNodes(p catalog.Partition) (ids []uint64) {
	for _, m := range p.Members {
		ids = append(ids, m.Node)
	}
	return ids
}

func suffixOf(pk string) []byte { return keys.Suffix([]attr.Value{attr.String(pk)}, nil) }

// keysIn are so many partition keys that a partition holds, in the order of its rows.
func keysIn(p catalog.Partition, count int) []string {
	var found []string
	for i := 0; len(found) < count; i++ {
		if pk := fmt.Sprint("key ", i); p.Bounds.Holds(suffixOf(pk)) {
			found = append(found, pk)
		}
	}
	slices.SortFunc(found, func(a, b string) int { return slices.Compare(suffixOf(a), suffixOf(b)) })
	return found
}

func putBody(pk, value string) string {
	return fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": %q}, "value": {"S": %q}}}`, pk, value)
}

func getBody(pk string, strong bool) string {
	return fmt.Sprintf(`{"TableName": "things", "ConsistentRead": %t, "Key": {"pk": {"S": %q}}}`, strong, pk)
}

func itemAnswer(pk, value string) string {
	return fmt.Sprintf(`{"Item":{"pk":{"S":%q},"value":{"S":%q}}}`, pk, value)
}

// shows holds a node to what a strong read there has to give.
func (f *five) shows(t *testing.T, place int, pk, value string) {
	t.Helper()
	if got := call(t, f.calls[place], "GetItem", getBody(pk, true)); got != itemAnswer(pk, value) {
		t.Errorf("node %d shows %s for %s, want %s", f.nodes[place].ID(), got, pk, value)
	}
}

// store is a put as the SDK makes it: what fails is tried twice more.
func (f *five) store(place int, pk, value string) error {
	var err error
	for range 3 {
		if _, err = f.calls[place][dynamo+"PutItem"](context.Background(), []byte(putBody(pk, value)), nil); err == nil {
			return nil
		}
	}
	return fmt.Errorf("storing %s at node %d: %w", pk, f.nodes[place].ID(), err)
}
