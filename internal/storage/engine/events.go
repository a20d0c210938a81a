package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// events turns what Pebble tells about its background work into log lines, counters, and the end of a store that cannot
// be written.
type events struct {
	log    *slog.Logger
	health *health

	stalls             atomic.Int64
	compactionFailures atomic.Int64

	flushMu  sync.Mutex // guards flushErr and waiting
	flushErr error
	// waiting is how many memtables are full and not written out; memtables is told whenever it moves, with the one that
	// is written to counted.
	waiting   int64
	memtables func(n int64)

	corruptMu sync.Mutex // guards corrupt
	corrupt   map[string]bool
}

func newEvents(log *slog.Logger, h *health) *events {
	return &events{log: log, health: h, corrupt: make(map[string]bool)}
}

// listener has only the handlers we need. Pebble calls some of them with its own locks held: none calls back.
func (v *events) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: v.backgroundError,
		DataCorruption:  v.dataCorruption,
		FlushEnd:        v.flushEnd,
		WALCreated:      func(pebble.WALCreateInfo) { v.count(1) },
		CompactionEnd:   v.compactionEnd,
		DiskSlow:        func(info pebble.DiskSlowInfo) { v.log.Warn("the disk is slow", "event", info.String()) },
		WriteStallBegin: v.writeStallBegin,
		FormatUpgrade: func(n pebble.FormatMajorVersion) {
			v.log.Debug("the store's engine format was raised", "version", uint64(n))
		},
	}
}

// flushEnd only remembers an error: Pebble also reports a flush that had nothing to write as one, with an error it does
// not export. A real failure comes again, as the same value, to backgroundError.
func (v *events) flushEnd(info pebble.FlushInfo) {
	v.flushMu.Lock()
	v.flushErr = info.Err
	v.flushMu.Unlock()
	if info.Err == nil {
		v.count(-int64(info.Input))
	}
}

// opened begins the count of memtables: what was replayed by the open is written out by then.
func (v *events) opened() {
	v.flushMu.Lock()
	v.waiting = 0
	v.flushMu.Unlock()
}

// count follows the memtables: each has a log of its own, and ends with its flush. A batch that is too large for a memtable
// is flushed as one and has no log, so the count is kept from going below none.
func (v *events) count(n int64) {
	v.flushMu.Lock()
	defer v.flushMu.Unlock()
	v.waiting = max(0, v.waiting+n)
	v.memtables(v.waiting + 1)
}

// backgroundError breaks the store when a memtable could not be written out: Pebble would try again at once, without end,
// while writes wait for room in memory. A flush that a Replacement overtook is tried again and then succeeds. What
// compactionEnd knows is only told.
func (v *events) backgroundError(err error) {
	v.flushMu.Lock()
	flush := v.flushErr != nil && v.flushErr == err //nolint:errorlint // the very value, see flushEnd
	v.flushMu.Unlock()
	if flush && !errors.Is(err, pebble.ErrCancelledCompaction) {
		_ = v.health.fail(fmt.Errorf("writing out a memtable: %w", err))
		return
	}
	v.log.Debug("pebble: background error", "error", err)
}

// compactionEnd only counts and tells. A compaction that fails for want of room must not stop a store that can still be
// read; it is tried again, so the lines thin out. One that a Replacement or a deletion of a range overtook is no failure:
// its files are gone.
func (v *events) compactionEnd(info pebble.CompactionInfo) {
	switch {
	case info.Err == nil:
		v.compactionFailures.Store(0)
		return
	case errors.Is(info.Err, pebble.ErrCancelledCompaction):
		return
	}
	if n := v.compactionFailures.Add(1); isPowerOfTwo(n) {
		v.log.Warn("a compaction failed", "error", info.Err, "in_a_row", n)
	}
}

// dataCorruption reports each file once: a damaged block under traffic is met by every read of it.
func (v *events) dataCorruption(info pebble.DataCorruptionInfo) {
	v.corruptMu.Lock()
	known := v.corrupt[info.Path]
	v.corrupt[info.Path] = true
	v.corruptMu.Unlock()
	if !known {
		v.log.Error("a file of the store is corrupt, what it held is not served", "file", info.Path, "error", info.Details)
	}
}

// corruptFiles counts the files in which corruption was met since the open.
func (v *events) corruptFiles() int {
	v.corruptMu.Lock()
	defer v.corruptMu.Unlock()
	return len(v.corrupt)
}

func (v *events) writeStallBegin(info pebble.WriteStallBeginInfo) {
	if n := v.stalls.Add(1); isPowerOfTwo(n) {
		v.log.Warn("writes wait for flushes or compactions", "reason", info.Reason, "times", n)
	}
}

func isPowerOfTwo(n int64) bool { return bits.OnesCount64(uint64(n)) == 1 }
