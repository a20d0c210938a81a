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
	// blockBytesLeast and a blockShareOfTables of all tables stay for blocks: a table's index and filter are about as
	// much, and a get that does not find them in memory costs five times one that does.
	blockBytesLeast    = 8 << 20
	blockShareOfTables = 48
)

// balance lends memory of the block cache to rows while gets miss rows more often than ranges are read, and takes it back
// otherwise: gets hardly use blocks whose rows are kept, ranges use nothing else.
type balance struct {
	cache    *pebble.Cache
	bytesMax int64 // what is ever lent

	misses, ranges atomic.Int64

	mu      sync.Mutex // guards what follows
	lent    int64
	release func()
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
	wanted := b.lent + balanceStepBytes
	if b.misses.Swap(0) < b.ranges.Swap(0) {
		wanted = b.lent - balanceStepBytes
	}
	tables := e.db.Metrics().Total().TablesSize
	wanted = max(0, min(wanted, b.bytesMax-blockBytesLeast-tables/blockShareOfTables))
	if wanted == b.lent {
		return
	}
	if b.release != nil {
		b.release()
	}
	b.release = b.cache.Reserve(int(wanted))
	e.rows.grow(wanted - b.lent)
	b.lent = wanted
	e.rows.shrink()
}
