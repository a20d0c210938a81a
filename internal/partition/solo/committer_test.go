package solo_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/partition/solo"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

var errDisk = errors.New("the disk is gone")

// rig is a committer over an engine whose syncs are counted and can be made to fail.
type rig struct {
	engine    *engine.Engine
	committer *solo.Committer
	syncs     atomic.Int64
	failing   atomic.Bool
	wakes     int
	events    []string
}

func newRig(t *testing.T, synced bool) *rig {
	t.Helper()
	r := &rig{}
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind != errorfs.OpFileSync && op.Kind != errorfs.OpFileSyncData || !strings.HasSuffix(op.Path, ".log") {
			return nil
		}
		r.syncs.Add(1)
		if r.failing.Load() {
			return errDisk
		}
		return nil
	}))
	e, err := engine.Open(engine.Options{Dir: "store", FS: fs, Fatal: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	r.engine = e
	r.committer = solo.NewCommitter(e, synced, func() { r.wakes++ })
	return r
}

// listener is a copy that writes down what it is told.
type listener struct {
	rig  *rig
	name string
}

func (l *listener) Lead(epoch uint64, _ machine.Part) {
	l.rig.tell("%s leads in epoch %d", l.name, epoch)
}
func (l *listener) Follow(uint64)         { l.rig.tell("%s follows", l.name) }
func (l *listener) Replacing()            { l.rig.tell("%s is being replaced", l.name) }
func (l *listener) Replaced(machine.Part) { l.rig.tell("%s replaced", l.name) }
func (l *listener) Performed(b machine.Batch, state machine.Part) {
	l.rig.tell("%s performed %d, state %d", l.name, b.Chain, state.Applied.Chain)
}

func (r *rig) tell(format string, args ...any) {
	r.events = append(r.events, fmt.Sprintf(format, args...))
}

// log is a log for a copy of this name, after it was told to lead.
func (r *rig) log(name string) *solo.Log {
	log := solo.NewLog(r.committer)
	log.Keep(&listener{rig: r, name: name}, machine.Part{})
	return log
}

// batch writes one key under the name of its chain.
func batch(chain uint64, key string) machine.Batch {
	b := machine.Batch{Chain: chain, Writes: []machine.Write{{Key: keys.Node(key), Value: fmt.Append(nil, chain)}}}
	b.After.Applied.Chain = chain
	return b
}

func (r *rig) append(log *solo.Log, name string, b machine.Batch) {
	log.Append(b, func(outcome replica.Outcome) {
		words := map[replica.Outcome]string{replica.Performed: "performed", replica.Rejected: "rejected", replica.Ambiguous: "ambiguous"}
		r.tell("%s: %s", name, words[outcome])
	})
}

func (r *rig) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.events, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(r.events, "\n  "), strings.Join(want, "\n  "))
	}
	r.events = nil
}

func (r *rig) value(t *testing.T, key string) string {
	t.Helper()
	value, _, err := r.engine.Get(keys.Node(key))
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

// The batches of several partitions that wait together share one engine commit and one sync. They are to be seen before,
// and are answered after, in the order in which they came.
func TestPartitionsShareACommit(t *testing.T) {
	r := newRig(t, true)
	a, b := r.log("a"), r.log("b")
	r.expect(t, "a leads in epoch 5", "b leads in epoch 5")
	r.append(a, "a1", batch(1, "x"))
	r.append(b, "b1", batch(1, "y"))
	r.append(a, "a2", batch(2, "x"))
	if r.wakes == 0 {
		t.Error("nobody was asked for a step")
	}
	before := r.syncs.Load()
	if !r.committer.Step() {
		t.Fatal("there was nothing to commit")
	}
	if got := r.value(t, "x"); got != "2" {
		t.Errorf("the engine shows %q after the commit, want 2", got)
	}
	r.expect(t)
	if !r.committer.Settle() {
		t.Fatal("there was nothing to settle")
	}
	r.expect(t, "a performed 1, state 1", "a1: performed", "b performed 1, state 1", "b1: performed", "a performed 2, state 2", "a2: performed")
	if got := r.syncs.Load() - before; got != 1 {
		t.Errorf("%d syncs for one commit", got)
	}
	if r.committer.Step() || r.committer.Settle() {
		t.Error("there was more to do")
	}
}

// One commit is on its way to the disk; the next one gathers meanwhile.
func TestCommitsGather(t *testing.T) {
	r := newRig(t, true)
	a := r.log("a")
	r.append(a, "a1", batch(1, "x"))
	if !r.committer.Step() {
		t.Fatal("there was nothing to commit")
	}
	for chain := uint64(2); chain < 10; chain++ {
		r.append(a, "w", batch(chain, "x"))
		if r.committer.Step() {
			t.Fatal("a commit was made while one waited for its sync")
		}
	}
	if got := r.committer.Waiting(); got != 8 {
		t.Errorf("%d batches wait, want 8", got)
	}
	r.committer.Settle()
	before := r.syncs.Load()
	if !r.committer.Step() || !r.committer.Settle() {
		t.Fatal("what gathered was not committed")
	}
	if got := r.syncs.Load() - before; got != 1 {
		t.Errorf("%d syncs for what gathered", got)
	}
	if got := r.value(t, "x"); got != "9" {
		t.Errorf("the last value is %s, want 9", got)
	}
}

// After a failed sync nobody knows what the disk holds of that commit and of those under way. What was not given to the
// engine yet certainly did not happen, and neither will anything after it.
func TestFailedSync(t *testing.T) {
	r := newRig(t, true)
	a, b := r.log("a"), r.log("b")
	r.events = nil
	r.append(a, "good", batch(1, "x"))
	r.committer.Step()
	r.committer.Settle()
	r.expect(t, "a performed 1, state 1", "good: performed")
	if err := r.committer.Failed(); err != nil {
		t.Fatal(err)
	}
	r.failing.Store(true)
	r.append(a, "lost", batch(2, "x"))
	r.append(b, "lost too", batch(1, "y"))
	r.committer.Step()
	r.append(a, "waiting", batch(3, "x"))
	r.append(b, "waiting too", batch(2, "y"))
	r.committer.Settle()
	r.expect(t, "lost: ambiguous", "lost too: ambiguous", "waiting: rejected", "waiting too: rejected")
	r.failing.Store(false)
	r.append(a, "after", batch(4, "x"))
	r.expect(t, "after: rejected")
	if r.committer.Step() || !errors.Is(r.committer.Failed(), errDisk) {
		t.Errorf("the committer goes on, failed with %v", r.committer.Failed())
	}
}

// Relaxed, a batch counts once the engine has it in memory.
func TestRelaxed(t *testing.T) {
	r := newRig(t, false)
	a := r.log("a")
	r.events = nil
	before := r.syncs.Load()
	r.append(a, "w", batch(1, "x"))
	r.committer.Step()
	r.committer.Settle()
	r.expect(t, "a performed 1, state 1", "w: performed")
	if got := r.syncs.Load() - before; got != 0 {
		t.Errorf("%d syncs", got)
	}
	if err := r.engine.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := r.syncs.Load() - before; got != 1 {
		t.Errorf("%d syncs after the owner's one", got)
	}
}

// A batch's ranges go before its writes, and a later batch of the same commit sees both done.
func TestRangesGoFirst(t *testing.T) {
	r := newRig(t, true)
	a := r.log("a")
	r.append(a, "w", batch(1, "k1"))
	r.append(a, "w", batch(2, "k2"))
	cut := batch(3, "k1")
	cut.Ranges = []machine.Range{{Lower: keys.Node("k0"), Upper: keys.Node("k9")}}
	r.append(a, "w", cut)
	r.append(a, "w", machine.Batch{Chain: 4, Writes: []machine.Write{{Key: keys.Node("k3"), Value: []byte("4")}, {Key: keys.Node("k4")}}})
	r.committer.Step()
	r.committer.Settle()
	for key, want := range map[string]string{"k1": "3", "k2": "", "k3": "4", "k4": ""} {
		if got := r.value(t, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

// One commit takes so many bytes; the rest goes into the next.
func TestCommitBytesAreBounded(t *testing.T) {
	r := newRig(t, false)
	a := r.log("a")
	for chain, bytes := range []int{8 << 20, 8 << 20, 1} {
		write := machine.Write{Key: keys.Node("large"), Value: make([]byte, bytes)}
		r.append(a, "w", machine.Batch{Chain: uint64(chain), Writes: []machine.Write{write}})
	}
	r.events = nil
	for _, want := range []int{4, 2} {
		r.committer.Step()
		r.committer.Settle()
		if len(r.events) != want {
			t.Errorf("%d events of a commit, want %d: %v", len(r.events), want, r.events)
		}
		r.events = nil
	}
}

// A birth needs no log and can be loaded.
func TestBirth(t *testing.T) {
	r := newRig(t, true)
	parts := []machine.Part{machine.Born(7, 100, command.Bounds{Upper: []byte{0x80}}), machine.Born(8, 100, command.Bounds{Lower: []byte{0x80}})}
	before := r.syncs.Load()
	if err := solo.Birth(r.engine, parts, true); err != nil {
		t.Fatal(err)
	}
	if got := r.syncs.Load() - before; got != 1 {
		t.Errorf("%d syncs for one birth", got)
	}
	for _, p := range parts {
		loaded, found, err := machine.Load(r.engine, p.Descriptor.Partition)
		if err != nil || !found || string(loaded.Descriptor.Bounds.Lower) != string(p.Descriptor.Bounds.Lower) {
			t.Errorf("partition %d: %+v, %t, %v", p.Descriptor.Partition, loaded, found, err)
		}
	}
	r.failing.Store(true)
	if err := solo.Birth(r.engine, parts, true); !errors.Is(err, errDisk) {
		t.Errorf("a birth on a failing disk: %v", err)
	}
}
