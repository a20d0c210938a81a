package multiraft

import (
	"testing"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// spied is a copy that looks where it stands while it is told of a batch.
type spied struct {
	*replica.Replica
	performed func()
}

func (s spied) Performed(b machine.Batch, state machine.Part) {
	s.performed()
	s.Replica.Performed(b, state)
}

// Whoever was answered may ask the copy that answered for what it saw at once, and a copy that is told of a batch has long
// named it as one that reads may show. A follower that hears nothing stands still, and comes as far once it hears, by
// entries or by a snapshot.
func TestPositions(t *testing.T) {
	r := newRig(t)
	r.quiet = true
	for range 3 {
		r.add()
	}
	r.birth(10, 1, 2, 3)
	r.tick(10)
	leader, follower := r.node(1).copies[10], r.node(3).copies[10]
	seen := uint64(birthIndex)
	spy := leader.group.copy
	leader.group.copy = spied{leader.Replica, func() {
		performed, begun := leader.Position()
		if begun <= seen || performed != begun {
			t.Errorf("a batch is performed at %d of %d, after %d", performed, begun, seen)
		}
	}}
	write := func() {
		t.Helper()
		item := attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("a")}, {Name: "v", Value: attr.Int(int64(seen))}})
		leader.Write(&command.Command{Action: command.Put, Table: 100, TableVersion: 1, Key: key("a"), Item: item}, func(_ command.Result, err error) {
			r.must(err)
			performed, begun := leader.Position()
			if performed != begun || begun <= seen {
				t.Errorf("a write is answered at %d of %d, after %d", performed, begun, seen)
			}
			seen = begun
		})
		r.settle()
	}
	reaches := func(when string, from *copied, yes bool) {
		t.Helper()
		if performed, begun := from.Position(); performed >= seen != yes || performed > begun {
			t.Errorf("%s the follower stands at %d of %d, the answer at %d", when, performed, begun, seen)
		}
	}
	write()
	reaches("at rest", follower, true)
	r.isolate(3, true)
	write()
	reaches("cut off", follower, false)
	r.isolate(3, false)
	r.tick(20)
	reaches("at rest again", follower, true)
	r.isolate(3, true)
	write()
	r.node(1).truncate(10)
	r.settle()
	r.isolate(3, false)
	r.tick(40)
	reaches("after a snapshot", follower, true)
	leader.group.copy = spy
	r.node(3).crash()
	r.node(3).restart(10)
	r.tick(20)
	reaches("started anew", r.node(3).copies[10], true)
}
