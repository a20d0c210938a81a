package engine_test

import (
	"maps"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// replacing runs a replacement on a crashable disk and keeps what a crash at every sync would leave, with whether it had
// been performed.
func replacing(t *testing.T, seed uint64) (crashes []*vfs.MemFS, done []bool) {
	mem := vfs.NewCrashableMem()
	random := seeded(seed)
	var taking, isDone atomic.Bool
	keep := func() {
		if taking.Load() {
			crashes = append(crashes, mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(seed%3) * 50, RNG: random}))
			done = append(done, isDone.Load())
		}
	}
	// One goroutine at a time takes a clone: what happens in the background is held up, not lost.
	turn := make(chan struct{}, 1)
	e := open(t, small(onSync(mem, func() {
		turn <- struct{}{}
		keep()
		<-turn
	})))
	commit(t, e, true, replacedBefore)
	if seed%2 == 0 {
		if err := e.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	taking.Store(true)
	commit(t, e, false, map[string]string{"z": "committed before"})
	r := replacement(t, e, 1)
	if err := r.Perform(); err != nil {
		t.Fatal(err)
	}
	isDone.Store(true)
	turn <- struct{}{}
	keep()
	<-turn
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	commit(t, e, true, map[string]string{"y": "committed after"})
	if err := e.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	turn <- struct{}{}
	taking.Store(false)
	<-turn
	closed(t, e)
	return crashes, done
}

// A crash before the replacement leaves the old state, one after it the new one with all that was committed before; none
// leaves a mixture or files.
func TestACrashAtEverySyncOfAReplacement(t *testing.T) {
	both := map[bool]int{}
	for seed := range uint64(12) {
		crashes, done := replacing(t, seed)
		if len(crashes) < 10 {
			t.Errorf("only %d syncs", len(crashes))
		}
		for n, fs := range crashes {
			e := open(t, small(fs))
			got := stored(t, e)
			_, before := got["z"]
			delete(got, "z")
			delete(got, "y")
			isNew := maps.Equal(got, replacedAfter)
			both[isNew]++
			switch {
			case !isNew && !maps.Equal(got, replacedBefore):
				t.Errorf("seed %d, crash %d: a mixture: %v", seed, n, got)
			case done[n] && !isNew:
				t.Errorf("seed %d, crash %d: it was performed, and the store is the old one", seed, n)
			case isNew && !before:
				t.Errorf("seed %d, crash %d: it is there and what was committed before it is not", seed, n)
			}
			if files, _ := fs.List("data/incoming"); len(files) != 0 {
				t.Errorf("seed %d, crash %d: left over: %v", seed, n, files)
			}
			closed(t, e)
		}
	}
	if both[true] == 0 || both[false] == 0 {
		t.Errorf("the crashes left the old and the new state %v times", both)
	}
}
