package capacity

import "time"

// Bucket holds the units that may be consumed under a bound. They come in evenly and are saved up to the bound's burst. A request is let
// through while there is anything in it, whatever it turns out to cost: the level goes below zero then, and what comes after waits until
// that is made up for. To wait for the whole cost instead would refuse for ever what costs more than can be saved.
//
// Invariant: over any time the units taken are at most what came in, what had been saved, and the cost of the last request let through.
type Bucket struct {
	level float64
	at    time.Duration // when it was last filled
}

// NewBucket is the bucket of something that begins to be counted: it has a second's units.
func NewBucket(b Bound, now time.Duration) Bucket {
	return Bucket{level: b.PerSecond, at: now}
}

// fill brings in what has come since the last time. A moment before that is the word of a clock that was set back: what it says the
// time is counts from now on, or nothing would come in until it had caught up.
func (k *Bucket) fill(b Bound, now time.Duration) {
	if since := now - k.at; since > 0 {
		k.level += b.PerSecond * since.Seconds()
	}
	k.at = now
	k.level = min(k.level, max(b.Burst(), b.PerSecond))
}

// Take lets a request through, at a cost that is known so far, or refuses it.
func (k *Bucket) Take(b Bound, now time.Duration, units float64) bool {
	k.fill(b, now)
	if k.level <= 0 {
		return false
	}
	k.level -= units
	return true
}

// Charge takes what a request that was let through cost besides; less than nothing gives back.
func (k *Bucket) Charge(units float64) { k.level -= units }

// Forgive leaves a second's units at most to be made up for.
func (k *Bucket) Forgive(b Bound) { k.level = max(k.level, -b.PerSecond) }

// Level is how much is in it.
func (k *Bucket) Level(b Bound, now time.Duration) float64 {
	k.fill(b, now)
	return k.level
}
