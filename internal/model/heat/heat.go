// Package heat tells where in a partition its traffic falls: which keys take most of it, and where it could be cut in two. It does not know
// what time it is, what a key means, or who asks.
package heat

import (
	"time"

	"stator/internal/model/capacity"
)

const (
	// keyBytesMax is how much is kept of a key: a longer one is one with all that begin like it. So a sketch takes less than a megabyte,
	// however long the keys are.
	keyBytesMax = 256
	// idleAfter is how long nothing has to come for nothing to be worth remembering.
	idleAfter = 10 * HalfLife
)

// Sketch is the traffic of one copy of a partition, its reads and writes apart. The zero value has seen nothing. Whoever owns it has others
// wait while it is used, and tells the time by a clock that is never set back.
type Sketch struct {
	flows [capacity.Kinds]flow
	last  time.Duration // when something came last
	// lower and upper are the partition's bounds as the last look found them.
	lower, upper []byte
	bounded      bool
}

// flow is the traffic of one kind.
type flow struct {
	top    Top
	sample sample
	watch  watch
}

// Add counts what a request for a key consumed. A walk is counted where it begins.
func (s *Sketch) Add(kind capacity.Kind, key []byte, units float64, now time.Duration) {
	key = key[:min(len(key), keyBytesMax)]
	f := &s.flows[kind]
	f.top.Add(key, units, now)
	f.sample.add(key, units)
	f.watch.add(key, units)
	s.last = now
}

// PerSecond is the units of a kind that come in a second.
func (s *Sketch) PerSecond(kind capacity.Kind, now time.Duration) float64 {
	return s.flows[kind].top.PerSecond(now)
}

// Keys lists the keys that take most units of a kind, at most so many.
func (s *Sketch) Keys(kind capacity.Kind, most int, now time.Duration) []Key {
	return s.flows[kind].top.Keys(most, now)
}

// Idle tells that so long ago nothing came that the sketch may be thrown away.
func (s *Sketch) Idle(now time.Duration) bool { return now-s.last > idleAfter }
