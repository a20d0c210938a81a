package placement

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawWorld is any cluster: nodes of all states in few zones, partitions that anything may have happened to.
func drawWorld(t *rapid.T) *world {
	w := &world{rules: DefaultRules(), next: 1000}
	w.rules.Replicas = rapid.SampledFrom([]int{1, 3, 3, 3, 5}).Draw(t, "replicas")
	w.rules.MovesPerNodeMax = rapid.IntRange(1, 3).Draw(t, "moves per node")
	w.rules.MovesMax = rapid.IntRange(1, 8).Draw(t, "moves")
	w.rules.TransfersPerNodeMax = rapid.IntRange(1, 3).Draw(t, "transfers per node")
	zones := rapid.IntRange(1, 4).Draw(t, "zones")
	disks := rapid.Bool().Draw(t, "disks")
	for id := range rapid.IntRange(1, 9).Draw(t, "nodes") {
		n := Node{ID: uint64(id + 1), Zone: fmt.Sprint("z", rapid.IntRange(1, zones).Draw(t, "zone"))}
		n.State = rapid.SampledFrom([]State{Up, Up, Up, Up, Leaving, Joining, Gone}).Draw(t, "state")
		n.Silent = rapid.SampledFrom([]time.Duration{0, 0, 0, 0, 0, time.Minute, time.Hour}).Draw(t, "silent")
		if disks {
			n.DiskBytes = 100 << 30 * rapid.Int64Range(1, 4).Draw(t, "disk")
			n.FreeBytes = n.DiskBytes / 100 * rapid.Int64Range(5, 100).Draw(t, "free")
		}
		w.Nodes = append(w.Nodes, n)
	}
	for id := range rapid.IntRange(1, 24).Draw(t, "partitions") {
		w.Partitions = append(w.Partitions, drawPartition(t, w, uint64(id+1)))
	}
	for range rapid.IntRange(0, 2).Draw(t, "wishes") {
		some := func(name string) uint64 { return uint64(rapid.IntRange(1, len(w.Nodes)+1).Draw(t, name)) }
		w.Wishes = append(w.Wishes, Wish{
			Partition: w.Partitions[rapid.IntRange(0, len(w.Partitions)-1).Draw(t, "wished")].ID, From: some("from"), To: some("to"),
		})
	}
	return w
}

func drawPartition(t *rapid.T, w *world, id uint64) Partition {
	p := Partition{ID: id, Generation: 1, Bytes: rapid.Int64Range(0, 12<<30).Draw(t, "bytes")}
	nodes := rapid.Permutation(w.Nodes).Draw(t, "order")
	if rapid.IntRange(0, 9).Draw(t, "forgotten node") == 0 {
		nodes = append(nodes, Node{ID: 77, State: Gone})
	}
	voters := min(len(nodes), rapid.SampledFrom([]int{1, 2, 3, 3, 3, 3, 4, 5}).Draw(t, "voters"))
	learners := min(len(nodes)-voters, rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "learners"))
	for i, n := range nodes[len(nodes)-voters-learners:] {
		p.Replicas = append(p.Replicas, Replica{Node: n.ID, Learner: i < learners, Current: rapid.IntRange(0, 9).Draw(t, "current") > 0})
	}
	if at := rapid.IntRange(0, 29).Draw(t, "damaged"); at < len(p.Replicas) {
		p.Replicas[at].Current, p.Replicas[at].Damaged = false, rapid.SampledFrom([]time.Duration{time.Minute, time.Hour}).Draw(t, "for")
	}
	slices.Reverse(p.Replicas)
	if rapid.IntRange(0, 9).Draw(t, "led") > 0 {
		p.Leader = p.Replicas[rapid.IntRange(0, voters-1).Draw(t, "leader")].Node
	}
	return p
}

// From any facts, plan after plan is lawful, comes to an end, and what it ends in lacks nothing that could be had.
func TestPlansConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		w.catches = func() bool { return random.IntN(3) > 0 }
		_, last := w.settle(t, 2000)
		for i := range w.Partitions {
			w.settled(t, &w.Partitions[i], last)
		}
	})
}

// settled checks that a partition which could be helped was.
func (w *world) settled(t failer, p *Partition, last Plan) {
	t.Helper()
	leader, known := w.node(p.Leader)
	living, voters := w.living(p)
	if !known || leader.Silent > 0 || leader.State == Gone || living <= voters/2 {
		return
	}
	blocked := slices.ContainsFunc(last.Blocked, func(b Blocked) bool { return b.Partition == p.ID })
	if blocked || last.BlockedCount > len(last.Blocked) || w.waits(p) {
		return
	}
	for _, r := range p.Replicas {
		n, ok := w.node(r.Node)
		if r.Damaged >= w.rules.DeadAfter && living == voters-1 && last.BlockedCount == 0 && !w.growing() {
			t.Fatalf("a damaged replica is left on node %d: %+v in %+v after %v", r.Node, w.Partitions, w.Nodes, last)
		}
		lost := !ok || n.State == Gone || n.Silent >= w.rules.DeadAfter
		if lost || n.State == Leaving {
			t.Fatalf("a replica is left on node %d: %+v in %+v after %v", r.Node, p, w.Nodes, last)
		}
	}
}

// growing tells whether any partition has a learner, which damaged replicas wait for.
func (w *world) growing() bool {
	return slices.ContainsFunc(w.Partitions, func(p Partition) bool {
		return slices.ContainsFunc(p.Replicas, func(r Replica) bool { return r.Learner })
	})
}

// waits tells whether a partition has replicas that may be back in a moment, or on nodes that may.
func (w *world) waits(p *Partition) bool {
	return slices.ContainsFunc(p.Replicas, func(r Replica) bool {
		n, ok := w.node(r.Node)
		if r.Damaged > 0 && r.Damaged < w.rules.DeadAfter {
			return true
		}
		return ok && n.State != Gone && n.Silent >= w.rules.SuspectAfter && n.Silent < w.rules.DeadAfter
	})
}

// The same facts give the same plan, in whatever order they come.
func TestPlansAreDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		shuffled := w.Facts
		shuffled.Nodes = rapid.Permutation(w.Nodes).Draw(t, "nodes again")
		shuffled.Partitions = rapid.Permutation(w.Partitions).Draw(t, "partitions again")
		if a, b := Next(w.Facts, w.rules), Next(shuffled, w.rules); !reflect.DeepEqual(a, b) {
			t.Fatalf("%v, then %v", a, b)
		}
	})
}

// A layout that is even enough is left alone when sizes and the like change by little: nothing swings.
func TestNothingSwings(t *testing.T) {
	w := &world{rules: DefaultRules(), catches: func() bool { return true }, next: 1000}
	random := rand.New(rand.NewPCG(1, 2))
	for id := range uint64(12) {
		w.Nodes = append(w.Nodes, Node{ID: id + 1, Zone: fmt.Sprint("z", id%3), State: Up})
	}
	for id := range uint64(300) {
		w.Partitions = append(w.Partitions, Partition{ID: id + 2, Generation: 1, Leader: 1, Bytes: 2<<30 + random.Int64N(4<<30),
			Replicas: []Replica{{Node: 1, Current: true}}})
	}
	w.settle(t, 2000)
	sizes := make([]int64, len(w.Partitions))
	for i := range w.Partitions {
		sizes[i] = w.Partitions[i].Bytes
	}
	moves := 0
	for range 200 {
		for i := range w.Partitions {
			w.Partitions[i].Bytes = sizes[i] / 100 * (98 + random.Int64N(5))
		}
		moves += len(w.round(t).Steps)
	}
	if moves > 20 {
		t.Errorf("%d steps while the sizes of 300 partitions went up and down by 2 %%", moves)
	}
}

// Replicas, bytes and leaderships end up even on nodes that are alike.
func TestEven(t *testing.T) {
	w := &world{rules: DefaultRules(), catches: func() bool { return true }, next: 10_000}
	random := rand.New(rand.NewPCG(3, 4))
	for id := range uint64(10) {
		w.Nodes = append(w.Nodes, Node{ID: id + 1, Zone: fmt.Sprint("z", id%3), State: Up})
	}
	for id := range uint64(500) {
		w.Partitions = append(w.Partitions, Partition{ID: id + 2, Generation: 1, Leader: 1 + id%3, Bytes: random.Int64N(4 << 30),
			Replicas: []Replica{{Node: 1, Current: true}, {Node: 2, Current: true}, {Node: 3, Current: true}}})
	}
	w.settle(t, 4000)
	replicas, bytes, leads := map[uint64]int{}, map[uint64]int64{}, map[uint64]int{}
	for i := range w.Partitions {
		p := &w.Partitions[i]
		leads[p.Leader]++
		if w.pairs(p) > 0 {
			t.Errorf("%s shares a zone", p.layout())
		}
		for _, r := range p.Replicas {
			replicas[r.Node]++
			bytes[r.Node] += p.Bytes
		}
	}
	// Zone z0 has four nodes, the others three: every partition has one replica in each zone, so a node of z0 has less.
	for id, n := range replicas {
		low, high := 155, 180
		if (id-1)%3 == 0 {
			low, high = 115, 136
		}
		if n < low || n > high || leads[id] < 40 || leads[id] > 60 {
			t.Errorf("node %d has %d replicas of %d bytes and leads %d", id, n, bytes[id], leads[id])
		}
	}
}

// big is a cluster of 1,000 nodes in 5 zones with 100,000 partitions of 3 replicas.
func big() *world {
	w := &world{rules: DefaultRules(), next: 1_000_000}
	random := rand.New(rand.NewPCG(5, 6))
	for id := range uint64(1000) {
		w.Nodes = append(w.Nodes, Node{ID: id + 1, Zone: fmt.Sprint("z", id%5), State: Up, DiskBytes: 4 << 40, FreeBytes: 2 << 40})
	}
	for id := range uint64(100_000) {
		first := id % 1000
		p := Partition{ID: id + 2, Generation: 1, Leader: first + 1, Bytes: random.Int64N(8 << 30)}
		for k := range uint64(3) {
			p.Replicas = append(p.Replicas, Replica{Node: (first+k*(1+5*(id/1000%20)+1))%1000 + 1, Current: true})
		}
		w.Partitions = append(w.Partitions, p)
	}
	return w
}

// A plan for 100,000 partitions on 1,000 nodes takes less than a second, whatever has happened.
func BenchmarkPlan(b *testing.B) {
	for _, c := range []struct {
		name   string
		change func(w *world)
	}{
		{"settled", func(w *world) {
			for i := range w.Partitions {
				w.Partitions[i].Bytes = 4 << 30
			}
		}},
		{"bytes uneven", func(*world) {}},
		{"joined without room", func(w *world) {
			for id := range uint64(100) {
				w.Nodes = append(w.Nodes, Node{ID: 2000 + id, Zone: "z1", State: Up, DiskBytes: 4 << 40})
			}
		}},
		{"dead", func(w *world) { w.Nodes[7].Silent = time.Hour }},
		{"zone dead", func(w *world) {
			for i := range w.Nodes {
				if w.Nodes[i].Zone == "z1" {
					w.Nodes[i].Silent = time.Hour
				}
			}
		}},
		{"leaving", func(w *world) { w.Nodes[7].State = Leaving }},
		{"joined", func(w *world) {
			for id := range uint64(100) {
				w.Nodes = append(w.Nodes, Node{ID: 2000 + id, Zone: "z9", State: Up, DiskBytes: 4 << 40, FreeBytes: 3 << 40})
			}
		}},
		{"five instead of three", func(w *world) { w.rules.Replicas = 5 }},
		{"a thousand zones", func(w *world) {
			for i := range w.Nodes {
				w.Nodes[i].Zone = fmt.Sprint(i)
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := big()
			c.change(w)
			b.ReportAllocs()
			steps := 0
			for b.Loop() {
				steps = len(Next(w.Facts, w.rules).Steps)
			}
			b.ReportMetric(float64(steps), "steps")
		})
	}
}
