// Package clock is the time of day as a value that can be handed in. It does not know timers.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time. Code that compares moments takes one, so that a test or the simulator decides what time it is.
type Clock interface {
	Now() time.Time
}

// System is the machine's own clock.
type System struct{}

// Now is the machine's time.
func (System) Now() time.Time { return time.Now() }

// Manual stands still until it is told to move. It is safe for concurrent use.
type Manual struct {
	mu  sync.Mutex // guards now
	now time.Time
}

// NewManual returns a clock that stands at now.
func NewManual(now time.Time) *Manual { return &Manual{now: now} }

// Now is the moment the clock was last set or moved to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock by d.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}
