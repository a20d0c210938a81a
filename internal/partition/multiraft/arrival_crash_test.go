package multiraft

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
)

// crashes keeps what a crash at any sync would leave, from start to stop.
type crashes struct {
	mem    *vfs.MemFS
	taking atomic.Bool
	// turn has one goroutine at a time take a clone.
	turn chan struct{}
	left []*vfs.MemFS
	// after is how many had been left when what they are about was done.
	after int
}

func newCrashes() *crashes { return &crashes{mem: vfs.NewCrashableMem(), turn: make(chan struct{}, 1)} }

func (c *crashes) fs() vfs.FS {
	return errorfs.Wrap(c.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if c.taking.Load() && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) {
			c.keep()
		}
		return nil
	}))
}

func (c *crashes) keep() {
	c.turn <- struct{}{}
	c.left = append(c.left, c.mem.CrashClone(vfs.CrashCloneCfg{}))
	<-c.turn
}

// around keeps what is left at every sync of f, right after it, and a moment later.
func (c *crashes) around(e *engine.Engine, f func() error) error {
	c.taking.Store(true)
	if err := f(); err != nil {
		return err
	}
	c.turn <- struct{}{}
	c.after = len(c.left)
	<-c.turn
	c.keep()
	err := errors.Join(e.Sync(), e.Compact(context.Background()))
	c.taking.Store(false)
	return err
}

// each opens what every crash left; done tells whether what they are about was done before.
func (c *crashes) each(t *testing.T, f func(n int, e *engine.Engine, done bool)) {
	if len(c.left) < 8 {
		t.Errorf("only %d crashes", len(c.left))
	}
	for n, fs := range c.left {
		e := openEngine(t, fs)
		f(n, e, n >= c.after)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A crash while a snapshot comes leaves the replica that was there or the one that came, with the raft state of the same:
// never what was applied without the rows, or a log that does not begin behind it.
func TestACrashAtEverySyncOfAnArrival(t *testing.T) {
	for name, old := range map[string]*machine.Descriptor{
		"of a new replica":      nil,
		"of one that is behind": {Partition: testGroup, Generation: 2, Table: testTable},
	} {
		t.Run(name, func(t *testing.T) {
			from := memoryEngine(t)
			fill(t, from, descriptor(testGroup, 3, "c", "f"), "new")
			want := wanted(t, from, testGroup)
			c := newCrashes()
			to := openEngine(t, c.fs())
			if old != nil {
				fill(t, to, *old, "old")
			}
			before := held(t, to, testGroup)
			err := c.around(to, func() error {
				in := send(t, from, to, &arrivals{}, testGroup)
				return errors.Join(in.current(), in.perform(testHard, mark{index: 30, term: 6}), in.Abort())
			})
			if err = errors.Join(err, to.Close()); err != nil {
				t.Fatal(err)
			}
			seen := map[bool]int{}
			c.each(t, func(n int, e *engine.Engine, done bool) {
				got := held(t, e, testGroup)
				came := maps.Equal(got, want)
				seen[came]++
				if !came && (done || !maps.Equal(got, before)) {
					t.Errorf("crash %d, done %t: the store holds\n%s", n, done, described(got))
				}
			})
			if seen[true] == 0 || seen[false] == 0 {
				t.Errorf("the crashes left the old and the new replica %v times", seen)
			}
		})
	}
}

// A crash while a replica is removed leaves all of it, or its tombstone alone.
func TestACrashAtEverySyncOfARemoval(t *testing.T) {
	c := newCrashes()
	e := openEngine(t, c.fs())
	fill(t, e, descriptor(testGroup, 3, "c", "f"), "here")
	b := e.NewBatch()
	b.Set(hardKey(testGroup), testHard.append(nil))
	if err := e.Commit(b, true); err != nil {
		t.Fatal(err)
	}
	b.Close()
	before := held(t, e, testGroup)
	err := c.around(e, func() error { return remove(e, testGroup, testHard.replica) })
	if err = errors.Join(err, e.Close()); err != nil {
		t.Fatal(err)
	}
	c.each(t, func(n int, e *engine.Engine, done bool) {
		got := held(t, e, testGroup)
		dead, err := tombstone(e, testGroup)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case done && dead != testHard.replica:
			t.Errorf("crash %d: it was removed and the tombstone is of %d", n, dead)
		case dead == testHard.replica && len(got) > 0, dead == 0 && !maps.Equal(got, before):
			t.Errorf("crash %d, tombstone of %d: the store holds\n%s", n, dead, described(got))
		}
	})
}
