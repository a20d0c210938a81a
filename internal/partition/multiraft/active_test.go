package multiraft

import (
	"slices"
	"testing"
)

// A leader takes a replica for active as long as it answers, without a gap, and no more soon after it has been stopped.
func TestActive(t *testing.T) {
	r := newRig(t)
	for range 3 {
		r.add()
	}
	r.birth(10, 1, 2, 3)
	r.tick(2 * electionTicks)
	leader := slices.IndexFunc(r.nodes, func(s *station) bool { return s.copies[10].group.Status().Role == Leader })
	led := r.nodes[leader]
	follower := r.nodes[(leader+1)%3]
	active := func() bool {
		led.put(10, "a", "b") // or else the group would rest
		r.tick(1, follower.id)
		led.host.Tick()
		led.host.Step(0)
		g := led.copies[10].group
		g.publish() // before anybody has answered the heartbeat, if one was sent
		s := g.Status()
		r.settle()
		at := slices.IndexFunc(s.Members, func(m MemberStatus) bool { return m.Node == follower.id })
		return s.Members[at].Active
	}
	for range 5 * electionTicks {
		if !active() {
			t.Fatal("a replica that answers passes for one that does not")
		}
	}
	follower.host.Stop(10)
	for range 2*electionTicks + answeredTicks + statusTicks {
		active()
	}
	for range 5 * electionTicks {
		if active() {
			t.Fatal("a replica that was stopped passes for one that answers")
		}
	}
}
