package engine

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrReplaced says that what a snapshot was asked for has been replaced since it was taken, and is gone.
var ErrReplaced = errors.New("what the snapshot shows here has been replaced since")

// excisesMax is how many excised spans are remembered. To a snapshot that is older than all of them everything is replaced.
const excisesMax = 1024

// excises tells which spans were taken out of the store at once. Pebble does it behind the back of snapshots, whose
// later reads find nothing there, where deletions would have been passed over; and it does it a moment before the new
// keys can be seen. (A snapshot that excises respect has Pebble write out its memtables: too dear for the page of a
// query.)
//
// Invariant: an excise is counted in begun before anything is taken out, and a reader looks at begun after it has read.
type excises struct {
	// begun is the number of the last one, settled that of the last one before which, and with which, all have ended.
	begun, settled atomic.Uint64

	mu     sync.Mutex // guards what follows, and that both counts move
	under  []uint64
	recent [excisesMax]span
}

// begin numbers an excise that is about to be performed. One of nothing counts as well.
func (x *excises) begin(s span) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	number := x.begun.Load() + 1
	x.recent[number%excisesMax] = s
	x.under = append(x.under, number)
	x.begun.Store(number)
	return number
}

// end is called once an excise shows to every later reader, or has failed.
func (x *excises) end(number uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.under = slices.DeleteFunc(x.under, func(n uint64) bool { return n == number })
	settled := x.begun.Load()
	for _, n := range x.under {
		settled = min(settled, n-1)
	}
	x.settled.Store(settled)
}

// missed is ErrReplaced if [lower, upper) lost something since so many excises had settled.
func (x *excises) missed(since uint64, lower, upper []byte) error {
	if x.begun.Load() == since {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	begun := x.begun.Load()
	if begun-since > excisesMax {
		return ErrReplaced
	}
	for n := since + 1; n <= begun; n++ {
		s := x.recent[n%excisesMax]
		if (upper == nil || bytes.Compare(s.lower, upper) < 0) && bytes.Compare(lower, s.upper) < 0 {
			return ErrReplaced
		}
	}
	return nil
}

// missedKey is missed for one key.
func (x *excises) missedKey(since uint64, key []byte) error {
	if x.begun.Load() == since {
		return nil
	}
	return x.missed(since, key, append(bytes.Clone(key), 0))
}
