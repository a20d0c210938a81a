package engine

import (
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// balanceEvery is after how many looks for what rows or blocks could have had ready the balance is struck again.
	balanceEvery = 1024
	// balanceStepBytes is how much then moves.
	balanceStepBytes = 4 << 20
	// blockBytesLeast and a blockShareOfTables of all tables stay for blocks, or come to them: a table's index and filter are
	// less than that, and a get that does not find them in memory costs five times one that does.
	blockBytesLeast    = 8 << 20
	blockShareOfTables = 48
	// rangesPerMiss is how many ranges are read for each block that was not in memory where blocks have enough.
	rangesPerMiss = 8
)

// balance lends memory of the block cache to rows while gets miss rows more often than ranges are read, and memory of rows to
// blocks where it is the other way and blocks are missed: gets hardly use blocks whose rows are kept, ranges use nothing else.
type balance struct {
	cache        *pebble.Cache
	blocks, rows int64 // what each ever lends to the other, counted as blocks

	misses, ranges atomic.Int64

	mu sync.Mutex // guards what follows
	// lent is what blocks leave to rows, which get what that took in the heap; below 0, what blocks have of the rows' share.
	// release ends that the cache leaves room for what blocks do not have.
	lent        int64
	release     func()
	blockMisses int64 // how many there had been
}

// begin lends nothing.
func (b *balance) begin(o Options, cache *pebble.Cache) {
	b.cache, b.blocks, b.rows = cache, o.cacheBlockBytesMax(), o.blocksBorrowMax()
	b.release = cache.Reserve(int(b.rows))
}

// missed counts a get that rows could not answer.
func (e *Engine) missed() {
	if e.balance.misses.Add(1)%balanceEvery == 0 {
		e.strike()
	}
}

// ranged counts a range that is read.
func (e *Engine) ranged(lower []byte) {
	if e.rows.keeps(lower) && e.balance.ranges.Add(1)%balanceEvery == 0 {
		e.strike()
	}
}

// strike moves a step of memory to where it was missed more since the last time.
func (e *Engine) strike() {
	b := &e.balance
	if !b.mu.TryLock() {
		return // somebody does
	}
	defer b.mu.Unlock()
	metrics := e.db.Metrics()
	blockMisses := metrics.BlockCache.Misses - b.blockMisses
	b.blockMisses += blockMisses
	wanted := b.next(b.misses.Swap(0), b.ranges.Swap(0), blockMisses, metrics.Total().TablesSize)
	if wanted == b.lent {
		return
	}
	b.release()
	b.release = b.cache.Reserve(int(b.rows + wanted))
	e.rows.grow(collected(wanted) - collected(b.lent))
	b.lent = wanted
	e.rows.shrink()
}

// next is what should be lent after so many gets that missed rows, ranges, and blocks that were not in memory.
func (b *balance) next(misses, ranges, blockMisses, tables int64) int64 {
	wanted := b.lent
	switch {
	case misses >= ranges:
		wanted += balanceStepBytes
	case blockMisses*rangesPerMiss > ranges:
		wanted -= balanceStepBytes
	}
	return max(-b.rows, min(wanted, b.blocks-blockBytesLeast-tables/blockShareOfTables))
}
