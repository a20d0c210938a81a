// Package limiter holds bounds: of what many requests share, and of how often a trouble is told of. It does not know what they are.
package limiter

import (
	"sync"
	"sync/atomic"
	"time"
)

// waitersMax bounds how many takers may queue in one lane. One more is refused at once: behind a thousand others it
// would only wait to be refused later.
const waitersMax = 1024

// Budget is a number of bytes that requests under way share. Takers stand in lanes: each lane may fill the budget only
// up to its own ceiling, so that takers who hold bytes for long (bodies that arrive slowly) leave room for those who
// finish soon. It is safe for concurrent use.
//
// Invariant: used is the sum of what was taken and owed and not given back; a grant never lifts it over the lane's ceiling.
type Budget struct {
	used  atomic.Int64
	lanes []lane
}

// lane is one queue of takers with a common ceiling. Its takers are served in order of arrival; a smaller one does not
// overtake, or a large one might never have its turn.
type lane struct {
	ceiling int64
	waiting atomic.Int32 // len(queue), readable without the mutex

	mu    sync.Mutex // guards queue
	queue []*waiter
}

type waiter struct {
	need    int64
	granted chan struct{}
}

// NewBudget returns a budget with one lane for each ceiling, in bytes. Lanes are served in the order given when bytes
// come free.
func NewBudget(ceilings ...int64) *Budget {
	b := &Budget{lanes: make([]lane, len(ceilings))}
	for i, c := range ceilings {
		b.lanes[i].ceiling = c
	}
	return b
}

// Try takes n bytes if they are free now and nobody waits in the lane. A demand larger than the lane's ceiling counts
// as the ceiling (see Charge), so that it can be met when the lane is otherwise empty.
func (b *Budget) Try(laneIndex int, n int64) bool {
	l := &b.lanes[laneIndex]
	return l.waiting.Load() == 0 && b.grab(min(n, l.ceiling), l.ceiling)
}

// Charge is what a demand of n bytes costs in a lane, and so what must be given back.
func (b *Budget) Charge(laneIndex int, n int64) int64 {
	return min(n, b.lanes[laneIndex].ceiling)
}

// Take is Try, but waits up to patience for bytes to come free.
func (b *Budget) Take(laneIndex int, n int64, patience time.Duration) bool {
	if b.Try(laneIndex, n) {
		return true
	}
	l := &b.lanes[laneIndex]
	w := &waiter{need: min(n, l.ceiling), granted: make(chan struct{})}
	if !l.enqueue(w) {
		return false
	}
	// What was given back between the failed Try and the enqueueing has woken nobody.
	b.serve(l)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.granted:
		return true
	case <-timer.C:
	}
	if !l.leave(w) {
		return true // granted while the timer fired
	}
	b.serve(l) // the one behind may need less
	return false
}

// Owe takes n bytes without asking: what is there already is better counted, even if it lifts used over every ceiling
// until it is given back.
func (b *Budget) Owe(n int64) { b.used.Add(n) }

// Give gives back n bytes, as Charge counted them.
func (b *Budget) Give(n int64) {
	b.used.Add(-n)
	for i := range b.lanes {
		if l := &b.lanes[i]; l.waiting.Load() > 0 {
			b.serve(l)
		}
	}
}

// Used is the number of bytes taken now.
func (b *Budget) Used() int64 { return b.used.Load() }

func (b *Budget) serve(l *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) > 0 && b.grab(l.queue[0].need, l.ceiling) {
		close(l.queue[0].granted)
		l.queue = l.queue[1:]
		l.waiting.Add(-1)
	}
}

// grab never lifts used over the ceiling, not even for a moment. An addition that is taken back when it went too far
// would be cheaper, but a waiter refused because of it would sleep on: the taking back wakes nobody.
func (b *Budget) grab(n, ceiling int64) bool {
	for {
		used := b.used.Load()
		if used+n > ceiling {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

func (l *lane) enqueue(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) >= waitersMax {
		return false
	}
	l.queue = append(l.queue, w)
	l.waiting.Add(1)
	return true
}

// leave takes w out of the queue and reports whether it was still there.
func (l *lane) leave(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.queue {
		if other == w {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			l.waiting.Add(-1)
			return true
		}
	}
	return false
}
