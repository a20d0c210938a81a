package engine_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"stator/internal/storage/engine"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

// onSync calls f before every sync of a file or directory.
func onSync(fs vfs.FS, f func()) vfs.FS {
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
			f()
		}
		return nil
	}))
}

// Under one sequential writer each answer needs a sync of its own. Whoever answers before it shows here as well.
func TestEverySyncedCommitSyncs(t *testing.T) {
	var syncs atomic.Int64
	e := open(t, small(onSync(vfs.NewMem(), func() { syncs.Add(1) })))
	defer closed(t, e)
	const commits = 50
	before := syncs.Load()
	for n := range commits {
		put(t, e, fmt.Sprint(n), "v")
	}
	if got := syncs.Load() - before; got < commits {
		t.Errorf("%d synced commits caused %d syncs", commits, got)
	}
	b := e.NewBatch()
	defer b.Close()
	before = syncs.Load()
	for n := range commits {
		b.Reset()
		b.Set([]byte{byte(n)}, []byte("v"))
		if err := e.Commit(b, false); err != nil {
			t.Fatal(err)
		}
	}
	if got := syncs.Load() - before; got >= commits {
		t.Errorf("%d commits without sync caused %d syncs: the count above proves nothing", commits, got)
	}
	before = syncs.Load()
	if err := e.Sync(); err != nil || syncs.Load() == before {
		t.Errorf("Sync caused %d syncs, %v", syncs.Load()-before, err)
	}
}

// history is a sequence of commits that shows how far a store has come: commit n sets "a<n>", "b<n>" and "last", and takes
// "a<n-5>" away.
type history struct {
	fs    *vfs.MemFS
	acked atomic.Int64

	mu      sync.Mutex // guards crashes
	crashes []crash
}

// crash is what a crash left, with what had been acknowledged before it.
type crash struct {
	fs    *vfs.MemFS
	acked int64
	ident string
}

const historyKept = 5

// run commits a seed's history and crashes at about one in every `oneIn` syncs, from the first of the open on. answerEarly is the
// planted fault: commits are acknowledged without their sync.
func (h *history) run(t *testing.T, seed uint64, oneIn int, answerEarly bool) {
	random := seeded(seed)
	var ident atomic.Pointer[string]
	var randomMu sync.Mutex
	o := small(onSync(h.fs, func() {
		randomMu.Lock()
		defer randomMu.Unlock()
		if random.IntN(oneIn) != 0 {
			return
		}
		c := crash{acked: h.acked.Load()}
		if id := ident.Load(); id != nil {
			c.ident = *id
		}
		c.fs = h.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(3) * 50, RNG: random})
		h.mu.Lock()
		h.crashes = append(h.crashes, c)
		h.mu.Unlock()
	}))
	e := open(t, o)
	defer closed(t, e)
	cluster := e.Ident().Cluster
	ident.Store(&cluster)
	commits := seeded(seed + 1)
	var waits []func() error
	for n := int64(1); n <= 12; n++ {
		b := e.NewBatch()
		value := letters(commits, 1+commits.IntN(8000))
		b.Set(fmt.Appendf(nil, "a%d", n), value)
		b.Set(fmt.Appendf(nil, "b%d", n), value)
		b.Set([]byte("last"), fmt.Append(nil, n))
		b.Delete(fmt.Appendf(nil, "a%d", n-historyKept))
		if answerEarly {
			if err := e.Commit(b, false); err != nil {
				t.Fatal(err)
			}
			h.acked.Store(n)
			continue
		}
		// Sometimes several batches are under way, and the last one's wait answers for all.
		waits = append(waits, e.CommitNoWait(b))
		if commits.IntN(3) != 0 {
			h.settle(t, waits, n)
			waits = waits[:0]
		}
	}
	h.settle(t, waits, 12)
}

func (h *history) settle(t *testing.T, waits []func() error, n int64) {
	for _, wait := range waits {
		if err := wait(); err != nil {
			t.Fatal(err)
		}
	}
	h.acked.Store(n)
}

// check opens what a crash left and says what is wrong with it.
func (c crash) check() error {
	e, err := engine.Open(small(c.fs))
	if err != nil {
		return fmt.Errorf("it does not open: %w", err)
	}
	defer e.Close()
	if ident := e.Ident(); c.ident != "" && ident.Cluster != c.ident {
		return fmt.Errorf("cluster %s became %s", c.ident, ident.Cluster)
	}
	var last int64
	value, found, err := e.Get([]byte("last"))
	if err != nil {
		return err
	}
	if found {
		if last, err = strconv.ParseInt(string(value), 10, 64); err != nil {
			return err
		}
	}
	if last < c.acked {
		return fmt.Errorf("commit %d was acknowledged and the store ends at %d", c.acked, last)
	}
	for n := int64(1); n <= 12; n++ {
		a, hasA, errA := e.Get(fmt.Appendf(nil, "a%d", n))
		b, hasB, errB := e.Get(fmt.Appendf(nil, "b%d", n))
		if errA != nil || errB != nil {
			return fmt.Errorf("commit %d: %w", n, errors.Join(errA, errB))
		}
		if hasB != (n <= last) || hasA != (n <= last && n > last-historyKept) || (hasA && !bytes.Equal(a, b)) {
			return fmt.Errorf("the store ends at commit %d and commit %d is there by half (%v, %v)", last, n, hasA, hasB)
		}
	}
	return nil
}

func crashes(t *testing.T, seed uint64, oneIn int, answerEarly bool) []crash {
	h := &history{fs: vfs.NewCrashableMem()}
	h.run(t, seed, oneIn, answerEarly)
	return h.crashes
}

func TestCrashAtEverySyncLosesNothing(t *testing.T) {
	all := crashes(t, 1, 1, false)
	if len(all) < 20 {
		t.Fatalf("only %d syncs", len(all))
	}
	for n, c := range all {
		if err := c.check(); err != nil {
			t.Errorf("crash at sync %d: %v", n, err)
		}
	}
}

var crashSeeds = flag.Uint64("seeds", 200, "how many seeds TestCrashesUnderSeeds runs")

func TestCrashesUnderSeeds(t *testing.T) {
	for seed := range *crashSeeds {
		for n, c := range crashes(t, seed+2, 10, false) {
			if err := c.check(); err != nil {
				t.Errorf("seed %d, crash %d: %v", seed+2, n, err)
			}
		}
	}
}

// The tests above must be able to fail.
func TestCrashesShowAnAnswerBeforeSync(t *testing.T) {
	for seed := range uint64(20) {
		for _, c := range crashes(t, seed, 2, true) {
			if c.check() != nil {
				return
			}
		}
	}
	t.Error("commits that were acknowledged without a sync all survived")
}
