package engine

import (
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// MemtablesMax bounds the memtables, the one written to included: writes wait for a flush beyond it. Usually there are two:
// one fills while one is written out, and rows and blocks have the room of the others.
const (
	MemtablesMax   = 8
	memtablesUsual = 2
)

// engineFormats are the formats of Pebble's files in directories of each format of ours. They are named and not "newest", so
// that an update of the library does not silently make directories which the release before cannot read.
var engineFormats = []pebble.FormatMajorVersion{1: pebble.FormatValueSeparation, 2: pebble.FormatValueSeparation}

// engineFormat is that of a directory. One that a test raised beyond what there is has the newest.
func engineFormat(version int) pebble.FormatMajorVersion {
	return engineFormats[min(version, len(engineFormats)-1)]
}

const (
	// blockBytes is the unit that is read, checked and cached. CPU microseconds of ten items of 1 KB in a row, of 500k with few
	// cached: 44 at 4 KiB, of which they take 3.3 blocks, 39 at 8, of which they take 2.3. Of a random get that finds none of
	// 400k cached, and no row: 8.6 at 4 KiB, 9.8 at 8, 12 at 16; with all cached 3.2 at any size.
	blockBytes = 8 << 10
	// indexBlockBytes is the unit of a table's index. One block for the whole of it, 256 KiB, saves a get half a microsecond
	// while the cache holds all indexes; beyond that, reading one costs a hundred.
	indexBlockBytes = 32 << 10
	bloomBitsPerKey = 10

	openFilesMax    = 4000
	flushSplitBytes = 2 << 20
	levelBaseBytes  = 256 << 20
	// compactionsMax leaves a core to requests on the two of a small machine.
	compactionsMax = 2
	// sublevelsToCompact is twice as many tables of level 0 as must overlap for a compaction, which then waits until it is due
	// (see compactions). At sublevelsToStop writes wait; before, a burst outruns compactions for minutes.
	sublevelsToCompact = 4
	sublevelsToStop    = 48
	// tableSyncBytes has tables written to disk as they grow rather than at their end, where it would hold up the log's syncs.
	tableSyncBytes = 1 << 20
)

// tableBytes is the size of a table in level 0, in the highest of the others that is in use, and in those below it. Most tables of a store
// of a terabyte so can be open at once: a get that has to open one first costs several.
var tableBytes = [...]int64{2 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20, 256 << 20, 256 << 20}

// MemoryBytesMax is what the store keeps in memory at most, besides iterators and what Go adds.
func (o Options) MemoryBytesMax() int64 {
	o = o.withDefaults()
	return o.CacheBytes + MemtablesMax*o.MemtableBytes
}

// blockBytesMax is what Pebble may use: memtables, as many as there usually are, and blocks, among them every table's index.
// Pebble books memtables against its block cache, which so gets what they leave.
func (o Options) blockBytesMax() int64 {
	if len(o.RowPrefix) == 0 {
		return o.MemoryBytesMax()
	}
	return o.cacheBlockBytesMax() + memtablesUsual*o.MemtableBytes
}

// cacheBlockBytesMax is what blocks have while balance lends nothing: three quarters of the cache, with what the heap adds.
func (o Options) cacheBlockBytesMax() int64 { return fitting(o.CacheBytes / 4 * 3) }

// collected is what so many bytes of blocks, memtables and heads take in the collected heap: two fifths more, for the garbage
// that gathers beside them, which is mostly blocks that made way for others.
func collected(bytes int64) int64 { return bytes / 5 * 7 }

// fitting is the other way round: so many bytes of blocks take no more than bytes in the collected heap.
func fitting(bytes int64) int64 { return bytes / 7 * 5 }

// rowBytesMax is what rows have, while no more memtables exist than usual. Further ones take their room back from them: a
// row is found for a tenth of what its block costs, so no room should be idle.
func (o Options) rowBytesMax() int64 {
	if len(o.RowPrefix) == 0 {
		return 0
	}
	return max(0, o.MemoryBytesMax()-collected(o.blockBytesMax()+o.headBytesMax()))
}

// blocksBorrowMax is what blocks may have of the rows' share: all but an eighth of it, with what the heap adds to them.
func (o Options) blocksBorrowMax() int64 { return fitting(o.rowBytesMax() / 8 * 7) }

// headBytesMax is what heads have: by default for 260,000 keys. They meet in buckets by chance: of half as many 1 % are not
// known, of all 14 %.
func (o Options) headBytesMax() int64 { return o.CacheBytes / 8 }

// allocatorSizeClasses are the sizes that Go's allocator rounds up to, those near a block and near an index block. Blocks end
// where one is full: of the memory of blocks that end at 8 KiB, to which Pebble adds some bytes, a tenth was empty.
var allocatorSizeClasses = []int{4096, 4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 24576, 27264, 28672, 32768, 40960, 49152}

func (e *Engine) pebbleOptions(o Options, version int) *pebble.Options {
	options := &pebble.Options{
		Cache:                       pebble.NewCache(o.blockBytesMax() + o.blocksBorrowMax()),
		FS:                          tableFS{rotationFS{FS: vfs.OnDiskFull(storeFS{o.FS}, e.space.full), rotations: e.rotations}},
		Logger:                      e.health,
		EventListener:               e.events.listener(),
		ReadOnly:                    o.ReadOnly,
		DisableWAL:                  o.Volatile,
		FormatMajorVersion:          engineFormat(version),
		MemTableSize:                uint64(o.MemtableBytes),
		MemTableStopWritesThreshold: MemtablesMax,
		MaxOpenFiles:                openFilesMax,
		BytesPerSync:                tableSyncBytes,
		AllocatorSizeClasses:        allocatorSizeClasses,
		L0CompactionThreshold:       sublevelsToCompact,
		L0StopWritesThreshold:       sublevelsToStop,
		LBaseMaxBytes:               levelBaseBytes,
		FlushSplitBytes:             flushSplitBytes,
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, compactionsMax },
	}
	options.TargetFileSizes = tableBytes
	options.Experimental.SpanPolicyFunc = bySpace
	for i := range options.Levels {
		options.Levels[i] = pebble.LevelOptions{
			BlockSize:      blockBytes,
			IndexBlockSize: indexBlockBytes,
			FilterPolicy:   bloom.FilterPolicy(bloomBitsPerKey),
			Compression:    compression,
		}
	}
	// A get never asks the filters of the last level, where most keys are found: they would be a hundredth of the disk for
	// nothing. Those above it keep a get from looking into every level.
	options.Levels[len(options.Levels)-1].FilterPolicy = pebble.NoFilterPolicy
	return options
}

// bySpace has a table end where the first byte of keys changes, which tells kinds of records apart. A change log grows at its
// end and goes as a whole; tables that held its end together with what stands behind it overlapped with all that came later,
// and were compacted with it.
func bySpace(first []byte) (policy pebble.SpanPolicy, end []byte, err error) {
	if first[0] < math.MaxUint8 {
		end = []byte{first[0] + 1}
	}
	return policy, end, nil
}

// compression is the fastest there is, and none where it does not pay: of a table whose blocks hardly shrink one in ten is
// tried and the others are stored as they are, which costs nothing to write nor to read. Documents shrink to about a half,
// for a microsecond a block. Indexes and filters stay as they are: they are a hundredth of the disk.
func compression() *sstable.CompressionProfile { return &adaptiveCompression }

// shrinkPercentMin is how much a block must shrink to be stored compressed.
const shrinkPercentMin = 12

// adaptiveCompression bears Pebble's own name for the algorithm, so that its tools can read a store's options.
var adaptiveCompression = sstable.CompressionProfile{
	Name:                           sstable.FastestCompression.Name,
	DataBlocks:                     sstable.FastestCompression.DataBlocks,
	ValueBlocks:                    sstable.FastestCompression.DataBlocks,
	OtherBlocks:                    sstable.NoCompression.DataBlocks,
	MinReductionPercent:            shrinkPercentMin,
	AdaptiveReductionCutoffPercent: shrinkPercentMin,
}
