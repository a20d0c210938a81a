package engine

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// MemtablesMax bounds the memtables, the one written to included: writes wait for a flush beyond it. Two would make every
// flush a pause; three let one fill while one is written out.
const MemtablesMax = 3

const (
	blockBytes = 8 << 10
	bloomBitsPerKey    = 10
	openFilesMax       = 1000
	fileBytesL0        = 2 << 20
	flushSplitBytes    = 2 << 20
	levelBaseBytes     = 64 << 20
	compactionsAtMost  = 2
	sublevelsToCompact = 2
	sublevelsToStop    = 24
	tableSyncBytes     = 1 << 20
)

func (e *Engine) pebbleOptions(o Options) *pebble.Options {
	options := &pebble.Options{
		Cache:                       pebble.NewCache(o.CacheBytes + MemtablesMax*o.MemtableBytes),
		FS:                          vfs.OnDiskFull(o.FS, e.space.full),
		Logger:                      e.health,
		EventListener:               e.events.listener(),
		ReadOnly:                    o.ReadOnly,
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                uint64(o.MemtableBytes),
		MemTableStopWritesThreshold: MemtablesMax,
		MaxOpenFiles:                openFilesMax,
		BytesPerSync:                tableSyncBytes,
		L0CompactionThreshold:       sublevelsToCompact,
		L0StopWritesThreshold:       sublevelsToStop,
		LBaseMaxBytes:               levelBaseBytes,
		FlushSplitBytes:             flushSplitBytes,
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, compactionsAtMost },
	}
	options.TargetFileSizes[0] = fileBytesL0
	for i := range options.Levels {
		options.Levels[i] = pebble.LevelOptions{
			BlockSize:    blockBytes,
			FilterPolicy: bloom.FilterPolicy(bloomBitsPerKey),
			Compression:  func() *sstable.CompressionProfile { return sstable.NoCompression },
		}
	}
	return options
}
