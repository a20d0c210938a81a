package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"stator/internal/storage/engine"
)

func disk(fs *vfs.MemFS, free uint64) {
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: free, TotalBytes: 100_000, UsedBytes: 100_000 - free})
}

func reserved(fs vfs.FS) bool {
	names, _ := fs.List("data")
	return slices.Contains(names, "RESERVE")
}

// Low begins below the reserve and ends a quarter above it.
func TestSpaceTurnsLow(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.ReserveBytes = 1000
	e := open(t, o)
	s := e.Space()
	for _, c := range []struct {
		free uint64
		low  bool
	}{{50_000, false}, {1000, false}, {999, true}, {1200, true}, {1250, false}, {0, true}, {50_000, false}} {
		disk(fs, c.free)
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		if s.Low() != c.low || !reserved(fs) {
			t.Errorf("with %d bytes free, low is %v and the reserve file there %v", c.free, s.Low(), reserved(fs))
		}
	}
	if s.FreeBytes() != 50_000 || s.DiskBytes() != 100_000 {
		t.Errorf("%d bytes of %d are free", s.FreeBytes(), s.DiskBytes())
	}
	closed(t, e)
	if reserved(fs) {
		t.Error("a stopped store keeps its reserve")
	}
}

func TestSpaceDefaultIsAHundredth(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.ReserveBytes = 0
	e := open(t, o)
	defer closed(t, e)
	for free, low := range map[uint64]bool{999: true, 5000: false} {
		disk(fs, free)
		if err := e.Space().Check(); err != nil || e.Space().Low() != low {
			t.Errorf("with %d of 100000 bytes free, low is %v, %v", free, e.Space().Low(), err)
		}
	}
}

func TestSpaceOfAFileSystemThatDoesNotTell(t *testing.T) {
	e := open(t, engine.Options{Dir: "data", FS: vfs.NewMem()})
	defer closed(t, e)
	if err := e.Space().Check(); err != nil || e.Space().Low() || e.Space().FreeBytes() != -1 || e.Space().DiskBytes() != 0 {
		t.Errorf("low %v, free %d, %v", e.Space().Low(), e.Space().FreeBytes(), err)
	}
}

// On a low disk memtables are written out while there is room for them; where there is none, that would use up the reserve.
func TestMemtablesAreWrittenOutWhileThereIsRoom(t *testing.T) {
	fs := vfs.NewMem()
	roomy := func(free uint64) {
		fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: free, TotalBytes: 1 << 30, UsedBytes: 1<<30 - free})
	}
	o := small(fs)
	o.MemtableBytes, o.ReserveBytes = 32<<20, 16<<20
	e := open(t, o)
	defer closed(t, e)
	check := func(free uint64) (before int64) {
		t.Helper()
		roomy(free)
		before = e.Metrics().Flushes
		if err := e.Space().Check(); err != nil {
			t.Fatal(err)
		}
		return before
	}
	check(100 << 20)
	for i := range 8 {
		put(t, e, fmt.Sprint("key ", i), strings.Repeat("v", 1<<20))
	}
	stays := func(free uint64) {
		t.Helper()
		before := check(free)
		time.Sleep(100 * time.Millisecond)
		if n := e.Metrics().Flushes - before; n != 0 {
			t.Errorf("with %d bytes free, low %t: %d flushes", free, e.Space().Low(), n)
		}
	}
	stays(100 << 20)
	stays(0)
	stays(8 << 20)
	for before := check(12 << 20); e.Metrics().Flushes == before; {
		time.Sleep(time.Millisecond) // the test's own limit ends a wait for nothing
	}
	stays(12 << 20)
}

// The call that meets a full disk gives the reserve up and succeeds, so that what was under way is not lost; when the
// reserve is used up too, the store breaks, and opens again once there is room.
func TestAFullDiskUsesTheReserveFirst(t *testing.T) {
	mem := vfs.NewCrashableMem()
	disk(mem, 50_000)
	fs := newFailing(mem)
	o := small(fs)
	o.ReserveBytes = 1000
	var fatal atomic.Int64
	o.Fatal = func(error) { fatal.Add(1) }
	e := open(t, o)
	if err := e.Space().Check(); err != nil || !reserved(mem) {
		t.Fatal("no reserve was taken", err)
	}
	put(t, e, "before", "v")

	fs.set(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".log") && reserved(mem) {
			return syscall.ENOSPC
		}
		return nil
	})
	put(t, e, "during", "v")
	if fatal.Load() != 0 || reserved(mem) || !e.Space().Low() {
		t.Errorf("after a full disk: fatal %d, reserve held %v, low %v", fatal.Load(), reserved(mem), e.Space().Low())
	}
	disk(mem, 1500)
	if err := e.Space().Check(); err != nil || !e.Space().Low() {
		t.Errorf("room for the reserve alone ends low: %v", err)
	}
	disk(mem, 50_000)
	if err := e.Space().Check(); err != nil || e.Space().Low() || !reserved(mem) {
		t.Errorf("with room again: low %v, reserve held %v, %v", e.Space().Low(), reserved(mem), err)
	}

	fs.set(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".log") {
			return syscall.ENOSPC
		}
		return nil
	})
	b := e.NewBatch()
	b.Set([]byte("after"), []byte("v"))
	if err := e.Commit(b, true); err == nil || fatal.Load() != 1 {
		t.Errorf("a disk without any room: %v, fatal %d", err, fatal.Load())
	}
	fs.clear()
	e = open(t, small(mem.CrashClone(vfs.CrashCloneCfg{})))
	defer closed(t, e)
	for _, key := range []string{"before", "during"} {
		has(t, e, key, "v")
	}
	for n := range 3 {
		put(t, e, fmt.Sprint(n), "v")
	}
}

// A store that was killed leaves its reserve. The next open has that room, as its log needs some, and takes writes at the next
// measurement as before: not as if others had filled the disk by so much.
func TestTheReserveOfAKilledStoreIsRoom(t *testing.T) {
	killed := vfs.NewCrashableMem()
	disk(killed, 50_000)
	o := small(killed)
	o.ReserveBytes = 1000
	e := open(t, o)
	defer closed(t, e)
	if err := e.Space().Check(); err != nil {
		t.Fatal(err)
	}
	put(t, e, "a", "v")
	fs := killed.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: seeded(1)})
	if !reserved(fs) {
		t.Fatal("a killed store leaves no reserve")
	}
	o.FS = fs
	again := open(t, o)
	defer closed(t, again)
	if reserved(fs) {
		t.Error("an open leaves the reserve of another where it is")
	}
}

// Where blocks can be allocated by writing them only, the reserve is written.
func TestAReserveIsWrittenWhereItCannotBeAllocated(t *testing.T) {
	mem := vfs.NewMem()
	fs := newFailing(mem)
	fs.set(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFilePreallocate {
			return syscall.EOPNOTSUPP
		}
		return nil
	})
	o := small(fs)
	o.ReserveBytes = 3<<20 + 1
	e := open(t, o)
	defer closed(t, e)
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 1 << 30})
	if err := e.Space().Check(); err != nil || e.Space().Low() {
		t.Errorf("low %v, %v", e.Space().Low(), err)
	}
	if file, err := mem.Stat("data/RESERVE"); err != nil || file.Size() != o.ReserveBytes {
		t.Errorf("the reserve is %v, %v", file, err)
	}
}
