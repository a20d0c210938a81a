package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"

	"stator/internal/base/metric"
)

// Metrics is the state of the store at a moment. All sizes are in bytes.
type Metrics struct {
	DiskBytes, TableBytes, LogBytes int64
	MemtableBytes, CacheBytes       int64
	CacheHits, CacheMisses          int64
	RowBytes, RowHits, RowMisses    int64
	Tables, TablesL0                int64
	ReadAmplification               int
	Flushes, Compactions            int64
	CompactionDebtBytes             int64
	FlushedBytes, CompactedBytes    int64
	LogWrittenBytes                 int64
	LogSyncs                        metric.Snapshot
	Stalls, CompactionFailures      int64
	CorruptFiles                    int
	OpenSnapshots                   int
}

// UncollectedBytes is what the store has outside of the collected heap.
func (e *Engine) UncollectedBytes() int64 {
	size, _, _ := e.rows.use()
	return size
}

// Metrics measures the store. It takes Pebble's lock, so it is for a scrape, not for a request.
func (e *Engine) Metrics() Metrics {
	p := e.db.Metrics()
	total := p.Total()
	rowBytes, rowHits, rowMisses := e.rows.use()
	return Metrics{
		DiskBytes:           int64(p.DiskSpaceUsage()),
		TableBytes:          total.TablesSize,
		LogBytes:            int64(p.WAL.PhysicalSize),
		MemtableBytes:       int64(p.MemTable.Size),
		CacheBytes:          p.BlockCache.Size,
		CacheHits:           p.BlockCache.Hits,
		CacheMisses:         p.BlockCache.Misses,
		RowBytes:            rowBytes,
		RowHits:             rowHits,
		RowMisses:           rowMisses,
		Tables:              total.TablesCount,
		TablesL0:            p.Levels[0].TablesCount,
		ReadAmplification:   p.ReadAmp(),
		Flushes:             p.Flush.Count,
		Compactions:         p.Compact.Count,
		CompactionDebtBytes: int64(p.Compact.EstimatedDebt),
		FlushedBytes:        int64(p.Levels[0].TableBytesFlushed),
		CompactedBytes:      int64(total.TableBytesCompacted),
		LogWrittenBytes:     int64(p.WAL.BytesWritten),
		LogSyncs:            e.rotations.syncs.Snapshot(),
		Stalls:              e.events.stalls.Load(),
		CompactionFailures:  e.events.compactionFailures.Load(),
		CorruptFiles:        e.events.corruptFiles(),
		OpenSnapshots:       p.Snapshots.Count,
	}
}

// DiskUsage estimates how many bytes on disk the keys of [lower, upper) take, to a block; what is still in memory does
// not count. A nil upper is the end of the store.
func (e *Engine) DiskUsage(lower, upper []byte) (int64, error) {
	if upper == nil {
		upper = endOfStore
	}
	n, err := e.db.EstimateDiskUsage(lower, upper)
	if err != nil {
		return 0, e.fault("estimating disk usage", err)
	}
	return int64(n), nil
}

// endOfStore is above every key: a key begins with the letter of its space.
var endOfStore = []byte{0xff, 0xff}

// Compact writes out the memtables and rewrites every table, until nothing deleted or overwritten takes room.
func (e *Engine) Compact(ctx context.Context) error {
	if err := e.db.Flush(); err != nil {
		return e.fault("compacting", err)
	}
	defer e.compactions.hurry()()
	if err := e.db.Compact(ctx, []byte{0}, endOfStore, true); err != nil {
		return e.fault("compacting", err)
	}
	return nil
}

// VerifyChecksums reads every block of every table and compares its checksum. It returns an error that joins an
// *ErrCorrupt for each damaged file. (Log and manifest are verified by every open.)
func (e *Engine) VerifyChecksums(ctx context.Context) error {
	levels, err := e.db.SSTables()
	if err != nil {
		return e.fault("listing tables", err)
	}
	var damaged []error
	seen := make(map[uint64]bool)
	for _, tables := range levels {
		for _, t := range tables {
			if seen[uint64(t.BackingSSTNum)] {
				continue
			}
			seen[uint64(t.BackingSSTNum)] = true
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := e.verifyTable(ctx, fmt.Sprintf("%06d.sst", uint64(t.BackingSSTNum))); err != nil {
				damaged = append(damaged, err)
			}
		}
	}
	return errors.Join(damaged...)
}

// verifyTable passes over a table that a compaction has removed in the meantime.
func (e *Engine) verifyTable(ctx context.Context, name string) error {
	path := e.layout.fs.PathJoin(e.layout.db, name)
	f, err := e.layout.fs.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("verifying %s: %w", path, err)
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return fmt.Errorf("verifying %s: %w", path, errors.Join(err, f.Close()))
	}
	r, err := sstable.NewReader(ctx, readable, (&pebble.Options{}).MakeReaderOptions())
	if err != nil {
		return &ErrCorrupt{File: path, Cause: errors.Join(err, readable.Close())}
	}
	err = r.ValidateBlockChecksums()
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	if pebble.IsCorruptionError(err) {
		return &ErrCorrupt{File: path, Cause: err}
	}
	return err
}
