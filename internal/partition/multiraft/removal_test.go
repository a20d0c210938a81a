package multiraft

import (
	"strings"
	"testing"

	"stator/internal/partition/machine"
)

// silent is a copy that does nothing.
type silent struct{}

func (silent) Lead(uint64, machine.Part)             {}
func (silent) Follow(uint64)                         {}
func (silent) Performed(machine.Batch, machine.Part) {}
func (silent) Replacing()                            {}
func (silent) Replaced(machine.Part)                 {}

// openedAnew is a node that has started again and opened its group 10, which is not kept by a copy yet.
func openedAnew(t *testing.T) (*rig, *station, *Group, machine.Part) {
	t.Helper()
	r := newRig(t)
	r.quiet = true
	s := r.add()
	r.birth(10, 1)
	r.settle()
	s.crash()
	s.restart()
	group, err := s.host.Open(10)
	r.must(err)
	state, _, err := machine.Load(s.engine, 10)
	r.must(err)
	return r, s, group, state
}

// A group that is opened while its replica is removed does not come to life over what is gone.
func TestAGroupThatIsRemovedWhileItIsOpened(t *testing.T) {
	r, s, group, state := openedAnew(t)
	s.host.Remove(10, 1, func(err error) { r.must(err) })
	r.settle()
	group.Keep(silent{}, state)
	r.settle()
	r.tick(100)
	if role := group.Status().Role; role != Stopped {
		t.Errorf("it is %s", roleNames[role])
	}
	if got := s.summary(); got != "nothing" {
		t.Errorf("the node holds %s", got)
	}
	if _, err := s.host.Open(10); err == nil {
		t.Error("it can be opened again")
	}
	if told := r.told(); strings.Contains(told, "broken") {
		t.Error(told)
	}
}

// A group whose records cannot be read when it starts is quarantined, and not taken for one that was removed.
func TestAGroupThatCannotBeReadWhenItStarts(t *testing.T) {
	r, s, group, state := openedAnew(t)
	batch := s.engine.NewBatch()
	batch.Set(hardKey(10), []byte("damaged"))
	r.must(s.engine.Commit(batch, true))
	group.Keep(silent{}, state)
	r.settle()
	if told := r.told(); !strings.Contains(told, "copy of 10 is broken") {
		t.Errorf("nobody is told: %q", told)
	}
}
