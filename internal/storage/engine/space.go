package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Bounds of the default reserve: the smaller of a hundredth of the disk and reserveBytesMax.
const (
	reserveDiskFraction = 100
	reserveBytesMax     = 256 << 20
)

// Space watches the room on the store's disk, because Pebble cannot go on when its log cannot be written.
//
// A reserve file holds back ReserveBytes. There are two lines of defence. When what is free besides it, and besides what
// memtables will take when they are written out, falls below the same amount, Low says so and the node refuses what makes
// the store grow; reads, deletes and a clean stop go on. Commits count down what is left until then, so that a fast writer
// does not run through it between two measurements. When the disk is full all the same (others write to it too, and
// compactions need room), the reserve file is given up at the first ENOSPC, inside the file system call that met it, which
// is then tried again: so the log gets through, and Low stays until Check finds room enough to take the reserve back. Only
// when the reserve is used up as well does the store break (Options.Fatal).
//
// Nothing here runs by itself: somebody calls Check every few seconds.
type Space struct {
	layout  layout
	log     *slog.Logger
	reserve int64
	// unflushed tells how many bytes are in memtables, flush has them written out soon.
	unflushed func() int64
	flush     func()

	low         atomic.Bool
	free, total atomic.Int64
	// room is how many bytes may be committed until the next Check without making the disk low.
	room atomic.Int64

	mu   sync.Mutex // guards held
	held vfs.File
}

// newSpace prepares the watch; the reserve file is taken by the first Check.
func newSpace(l layout, o Options) *Space {
	s := &Space{layout: l, log: o.Log, reserve: o.ReserveBytes}
	if o.ReadOnly {
		s.reserve = -1
	}
	s.room.Store(math.MaxInt64)
	return s
}

// spend counts a commit. Whatever is committed takes room twice, in the log and once more when it is written out.
func (s *Space) spend(bytes int) { s.take(2 * int64(bytes)) }

// take counts room that is taken until the next Check measures it.
func (s *Space) take(bytes int64) {
	if s.room.Add(-bytes) < 0 && s.low.CompareAndSwap(false, true) {
		s.log.Error("the disk is nearly full, writes are refused until there is room", "dir", s.layout.dir)
	}
}

// Low tells whether writes that need room must be refused. It costs one atomic load.
func (s *Space) Low() bool { return s.low.Load() }

// FreeBytes is what Check last found free besides the reserve file; -1 when the file system does not tell.
func (s *Space) FreeBytes() int64 { return s.free.Load() }

// DiskBytes is how large the disk is; 0 when the file system does not tell.
func (s *Space) DiskBytes() int64 { return s.total.Load() }

// Check measures, and takes the reserve file or takes it back when there is room for it and as much again. A file system
// that does not tell its size (one in memory) is never low.
func (s *Space) Check() error {
	usage, err := s.layout.fs.GetDiskUsage(s.layout.dir)
	if errors.Is(err, vfs.ErrUnsupported) {
		s.free.Store(-1)
		return nil
	}
	if err != nil {
		return fmt.Errorf("measuring the free space of %s: %w", s.layout.dir, err)
	}
	free := int64(min(usage.AvailBytes, 1<<62))
	total := int64(min(usage.TotalBytes, 1<<62))
	reserve := s.reserveBytes(total)
	s.free.Store(free)
	s.total.Store(total)
	if reserve <= 0 {
		return nil
	}
	// Pebble is asked before and after, not under, the lock: full takes that with Pebble's own held.
	unflushed := s.unflushed() / unflushedGrain * unflushedGrain
	if err := s.measured(free, unflushed, reserve); err != nil {
		return err
	}
	if s.Low() && unflushed > 0 && s.free.Load() >= unflushed+unflushed/flushExtraFraction {
		s.flush() // while there is room for it
	}
	return nil
}

// flushExtraFraction is which part of memtables their tables may take besides: blocks and indexes, and a log that begins. A
// flush without room would take what the reserve gives, which is there for the log, and break the store.
const flushExtraFraction = 8

// measured takes the reserve file if there is room for it, and judges what is left.
func (s *Space) measured(free, unflushed, reserve int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil && free >= 2*reserve {
		if err := s.holdBack(reserve); err != nil {
			return err
		}
		free -= reserve
		s.free.Store(free)
	}
	s.judge(free-unflushed, reserve)
	return nil
}

// unflushedGrain keeps what is hardly there from mattering.
const unflushedGrain = 1 << 20

// judge sets Low by what is left. It ends a quarter later than it began, so that a store at the edge does not flicker.
func (s *Space) judge(left, reserve int64) {
	s.room.Store(left - reserve)
	was := s.low.Load()
	limit := reserve
	if was {
		limit += reserve / 4
	}
	low := s.held == nil || left < limit
	s.low.Store(low)
	switch {
	case low && !was:
		s.log.Error("the disk is nearly full, writes are refused until there is room", "dir", s.layout.dir,
			"free_bytes", s.free.Load(), "reserve_bytes", reserve)
	case was && !low:
		s.log.Info("there is room on the disk again, writes are taken", "dir", s.layout.dir, "free_bytes", s.free.Load())
	}
}

func (s *Space) reserveBytes(total int64) int64 {
	if s.reserve != 0 {
		return s.reserve
	}
	return min(total/reserveDiskFraction, reserveBytesMax)
}

// holdBack makes the reserve file. Its blocks are allocated, and written only where the file system cannot do the one alone:
// those of networks mostly cannot.
func (s *Space) holdBack(reserve int64) error {
	f, err := s.layout.fs.Create(s.layout.reserve, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("taking the disk reserve: %w", err)
	}
	err = f.Preallocate(0, reserve)
	if errors.Is(err, errors.ErrUnsupported) {
		err = fill(f, reserve)
	}
	if err != nil {
		err = errors.Join(err, f.Close(), s.layout.fs.Remove(s.layout.reserve))
		return fmt.Errorf("taking the disk reserve of %d bytes: %w", reserve, err)
	}
	s.held = f
	return nil
}

// fill makes a file so long.
func fill(f vfs.File, bytes int64) error {
	piece := make([]byte, min(bytes, fillPieceBytes))
	for ; bytes > 0; bytes -= int64(len(piece)) {
		if _, err := f.Write(piece[:min(bytes, int64(len(piece)))]); err != nil {
			return err
		}
	}
	return f.Sync()
}

const fillPieceBytes = 1 << 20

// full is called inside the file system call that first met a full disk, which is tried again when it returns.
func (s *Space) full() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.low.Store(true)
	if s.held == nil {
		return
	}
	err := errors.Join(s.held.Close(), s.layout.fs.Remove(s.layout.reserve))
	s.held = nil
	s.log.Error("the disk is full, the reserve is given up and writes are refused until there is room",
		"dir", s.layout.dir, "error", err)
}

// close gives the reserve back: a stopped store holds nothing.
func (s *Space) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		return nil
	}
	err := s.held.Close()
	s.held = nil
	if removeErr := s.layout.fs.Remove(s.layout.reserve); !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}
