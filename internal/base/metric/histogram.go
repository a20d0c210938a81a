// Package metric counts and measures what happens on hot paths. It does not know who reads the numbers.
package metric

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// The buckets of a Histogram: bucket i holds durations of less than 2^(i+shift) nanoseconds, the last one the rest.
// The first bound is 16 us, below which no answer over a socket comes; the last one is 17 s.
const (
	bucketShift = 14
	bucketsMax  = 21
)

// Histogram counts durations in buckets that double. Observing costs two atomic additions and no search, which is why
// the buckets are powers of two rather than round numbers of milliseconds. The zero Histogram is ready for use.
type Histogram struct {
	counts   [bucketsMax + 1]atomic.Uint64
	sumNanos atomic.Int64
}

// Observe counts one duration. A negative one counts as zero: the clock was set back.
func (h *Histogram) Observe(d time.Duration) {
	d = max(d, 0)
	h.counts[doubling(int64(d), bucketShift, bucketsMax)].Add(1)
	h.sumNanos.Add(int64(d))
}

// doubling is the bucket of a number that is not negative, where bucket i holds those below 2^(i+shift), and the last one the rest.
func doubling(n int64, shift, last int) int { return min(max(bits.Len64(uint64(n))-shift, 0), last) }

// Snapshot is what a Histogram held at one moment.
type Snapshot struct {
	Count   uint64
	Sum     time.Duration
	Buckets map[float64]uint64 // upper bound in seconds → durations of at most that, cumulated
}

// Snapshot reads the counters one after the other: under load it may be short of an observation that has not reached
// all of them, never inconsistent in itself.
func (h *Histogram) Snapshot() Snapshot {
	s := Snapshot{Sum: time.Duration(h.sumNanos.Load()), Buckets: make(map[float64]uint64, bucketsMax)}
	for i := range bucketsMax {
		s.Count += h.counts[i].Load()
		s.Buckets[time.Duration(int64(1)<<(i+bucketShift)).Seconds()] = s.Count
	}
	s.Count += h.counts[bucketsMax].Load()
	return s
}
