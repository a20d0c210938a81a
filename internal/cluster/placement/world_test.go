package placement

import (
	"fmt"
	"slices"
	"testing"
)

// world is a cluster that performs the steps of plans and watches that each of them is lawful.
type world struct {
	Facts
	rules Rules
	// catches tells whether a learner catches up in this round.
	catches func() bool
	next    uint64
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

var _ failer = (*testing.T)(nil)

func (w *world) node(id uint64) (Node, bool) {
	for _, n := range w.Nodes {
		if n.ID == id {
			return n, true
		}
	}
	return Node{}, false
}

func (w *world) partition(id uint64) *Partition {
	for i := range w.Partitions {
		if w.Partitions[i].ID == id {
			return &w.Partitions[i]
		}
	}
	return nil
}

// living counts the voters that can be relied on.
func (w *world) living(p *Partition) (living, voters int) {
	for _, r := range p.Replicas {
		if r.Learner {
			continue
		}
		voters++
		if n, ok := w.node(r.Node); ok && r.Current && n.State != Gone && n.Silent < w.rules.SuspectAfter {
			living++
		}
	}
	return living, voters
}

// pairs counts the voters that share a zone.
func (w *world) pairs(p *Partition) int {
	count := map[string]int{}
	pairs := 0
	for _, r := range p.Replicas {
		if n, ok := w.node(r.Node); ok && !r.Learner {
			pairs += count[n.Zone]
			count[n.Zone]++
		}
	}
	return pairs
}

// perform does a step, and fails the test where it is not lawful.
func (w *world) perform(t failer, s Step) {
	t.Helper()
	p := w.partition(s.Partition)
	if p == nil || p.Generation != s.Generation || p.Leader == 0 || p.Changing {
		t.Fatalf("%v: of a partition that cannot do it: %+v", s, p)
	}
	living, voters := w.living(p)
	if living <= voters/2 {
		t.Fatalf("%v: there is no majority to decide it: %+v", s, p.Replicas)
	}
	pairs := w.pairs(p)
	switch s.Kind {
	case Add:
		w.add(t, p, s)
	case Change:
		w.change(t, p, s)
		if s.Why == Balance && len(s.Remove) > 0 && w.pairs(p) > pairs {
			t.Fatalf("%v: crowds a zone: %+v", s, p.Replicas)
		}
	case Discard:
		p.Replicas = slices.DeleteFunc(p.Replicas, func(r Replica) bool { return r.Learner && r.Node == s.From })
	case Transfer:
		r, ok := p.replica(s.To)
		if n, _ := w.node(s.To); !ok || r.Learner || !r.Current || p.Leader != s.From || n.Silent >= w.rules.SuspectAfter {
			t.Fatalf("%v: cannot lead: %+v", s, p)
		}
		on := func(node uint64) *Replica {
			return &p.Replicas[slices.IndexFunc(p.Replicas, func(r Replica) bool { return r.Node == node })]
		}
		on(s.To).Heat, on(s.From).Heat = on(s.From).Heat, 0
		p.Leader = s.To
		return // is no change of the descriptor
	}
	p.Generation++
	after, members := w.living(p)
	if after <= members/2 {
		t.Fatalf("%v: left no majority: %+v", s, p.Replicas)
	}
	if after < min(living, odd(w.rules.Replicas)) && voters%2 == 1 {
		t.Fatalf("%v: lowered the living replicas from %d to %d: %+v", s, living, after, p.Replicas)
	}
	if (after+1)/2 < (living+1)/2 && after < odd(w.rules.Replicas) {
		t.Fatalf("%v: can afford fewer losses: from %d to %d living: %+v", s, living, after, p.Replicas)
	}
}

func (w *world) add(t failer, p *Partition, s Step) {
	t.Helper()
	n, ok := w.node(s.To)
	if _, there := p.replica(s.To); there || !ok || n.State != Up || n.Silent >= w.rules.SuspectAfter {
		t.Fatalf("%v: not on %+v", s, n)
	}
	p.Replicas = append(slices.Clone(p.Replicas), Replica{Node: s.To, Learner: true})
}

func (w *world) change(t failer, p *Partition, s Step) {
	t.Helper()
	if len(s.Promote)+len(s.Remove) == 0 {
		t.Fatalf("%v: changes nothing", s)
	}
	p.Replicas = slices.Clone(p.Replicas)
	for _, node := range s.Promote {
		i := slices.IndexFunc(p.Replicas, func(r Replica) bool { return r.Node == node && r.Learner && r.Current })
		if i < 0 {
			t.Fatalf("%v: no learner that has caught up: %+v", s, p.Replicas)
		}
		p.Replicas[i].Learner = false
	}
	for _, node := range s.Remove {
		i := slices.IndexFunc(p.Replicas, func(r Replica) bool { return r.Node == node && !r.Learner })
		if i < 0 || node == p.Leader {
			t.Fatalf("%v: not a follower: %+v", s, p)
		}
		p.Replicas = slices.Delete(p.Replicas, i, i+1)
	}
}

// round makes a plan, checks its bounds, performs it, and lets replicas catch up.
func (w *world) round(t failer) Plan {
	t.Helper()
	plan := Next(w.Facts, w.rules)
	w.bounded(t, plan)
	for _, s := range plan.Steps {
		w.perform(t, s)
	}
	w.Wishes = slices.DeleteFunc(w.Wishes, func(wish Wish) bool { return wish.Fulfilled(w.partition(wish.Partition)) })
	for i := range w.Partitions {
		p := &w.Partitions[i]
		for j, r := range p.Replicas {
			if n, ok := w.node(r.Node); ok && !r.Current && r.Damaged == 0 && n.Silent < w.rules.SuspectAfter && w.catches() {
				p.Replicas = slices.Clone(p.Replicas)
				p.Replicas[j].Current = true
			}
		}
	}
	return plan
}

// bounded checks that a plan asks not too much of any node.
func (w *world) bounded(t failer, plan Plan) {
	t.Helper()
	seen := map[uint64]bool{}
	moves, transfers := map[uint64]int{}, map[uint64]int{}
	for i := range w.Partitions {
		p := &w.Partitions[i]
		leader, led := w.node(p.Leader)
		if living, voters := w.living(p); !led || living <= voters/2 || leader.State == Gone || leader.Silent >= w.rules.SuspectAfter {
			continue
		}
		for _, r := range p.Replicas {
			if n, ok := w.node(r.Node); ok && r.Learner && !r.Current && r.Damaged == 0 && n.State != Gone && n.Silent < w.rules.SuspectAfter {
				moves[r.Node]++
				moves[p.Leader]++
			}
		}
	}
	kinds := map[Kind]int{}
	for _, s := range plan.Steps {
		if seen[s.Partition] {
			t.Fatalf("two steps of one partition: %v", plan.Steps)
		}
		seen[s.Partition] = true
		kinds[s.Kind]++
		switch p := w.partition(s.Partition); s.Kind {
		case Add:
			for _, node := range []uint64{s.To, p.Leader} {
				if moves[node]++; moves[node] > w.rules.MovesPerNodeMax {
					t.Fatalf("%v: node %d has %d moves: %v", s, node, moves[node], plan.Steps)
				}
			}
		case Transfer:
			for _, node := range []uint64{s.From, s.To} {
				if transfers[node]++; transfers[node] > w.rules.TransfersPerNodeMax {
					t.Fatalf("%v: node %d has %d transfers", s, node, transfers[node])
				}
			}
		}
	}
	if kinds[Add] > 0 && plan.Moves > w.rules.MovesMax || kinds[Transfer] > w.rules.TransfersMax {
		t.Fatalf("too much at once: %d moves, %v", plan.Moves, kinds)
	}
}

// settle makes rounds until there is nothing left to do.
func (w *world) settle(t failer, roundsMax int) (steps []Step, last Plan) {
	t.Helper()
	idle := 0
	for range roundsMax {
		last = w.round(t)
		steps = append(steps, last.Steps...)
		// A learner that has not caught up asks for patience, not for steps.
		if idle++; len(last.Steps) > 0 {
			idle = 0
		}
		if idle > 40 {
			return steps, last
		}
	}
	t.Fatalf("still under way after %d rounds: %v", roundsMax, steps[max(0, len(steps)-12):])
	return nil, last
}

func (p *Partition) layout() string {
	text := fmt.Sprintf("%d:", p.ID)
	for _, r := range p.Replicas {
		text += fmt.Sprintf(" %d", r.Node)
		if r.Learner {
			text += "(learner)"
		}
		if r.Node == p.Leader {
			text += "*"
		}
	}
	return text
}
