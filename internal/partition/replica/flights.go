package replica

import (
	"bytes"

	"stator/internal/partition/machine"
)

// flights are the batches under way to the log, with the keys of every space they write: the in-flight set.
//
// Invariant: a key is in writes from before its batch can be seen in the engine until the batch is durable.
type flights struct {
	// writes maps an engine key to its newest value under way and the batch that brings it.
	writes map[string]flown
	ranges []flownRange
	// last is the number of the newest batch under way, first of the oldest; first > last is none.
	first, last uint64
	waits       []wait
}

type flown struct {
	value []byte
	batch uint64
}

type flownRange struct {
	machine.Range
	batch uint64
}

// wait is a reader that saw a key of a batch that was not durable.
type wait struct {
	batch uint64
	done  func(error)
}

func (f *flights) count() int { return int(f.last - f.first) }

// add puts a batch's keys into the set and numbers it.
func (f *flights) add(b *machine.Batch) uint64 {
	f.last++
	for _, w := range b.Writes {
		f.writes[string(w.Key)] = flown{value: w.Value, batch: f.last}
	}
	for _, r := range b.Ranges {
		f.ranges = append(f.ranges, flownRange{Range: r, batch: f.last})
	}
	return f.last
}

// land takes the oldest batch out of the set and returns the readers that waited for it.
func (f *flights) land(b *machine.Batch) []wait {
	f.first++
	number := f.first
	for _, w := range b.Writes {
		if f.writes[string(w.Key)].batch == number {
			delete(f.writes, string(w.Key))
		}
	}
	kept := f.ranges[:0]
	for _, r := range f.ranges {
		if r.batch != number {
			kept = append(kept, r)
		}
	}
	f.ranges = kept
	return f.landed(number)
}

// landed takes out the waits for batches up to number.
func (f *flights) landed(number uint64) []wait {
	var done []wait
	kept := f.waits[:0]
	for _, w := range f.waits {
		if w.batch <= number {
			done = append(done, w)
		} else {
			kept = append(kept, w)
		}
	}
	f.waits = kept
	return done
}

// touching is the newest batch under way that writes key, 0 for none.
func (f *flights) touching(key []byte) uint64 {
	return f.writes[string(key)].batch
}

// touchingRange is the newest batch under way that writes into [lower, upper). The set holds at most flightsMax
// batches, so a walk over it is short.
func (f *flights) touchingRange(lower, upper []byte) uint64 {
	newest := uint64(0)
	for key, w := range f.writes {
		if w.batch > newest && key >= string(lower) && (upper == nil || key < string(upper)) {
			newest = w.batch
		}
	}
	for _, r := range f.ranges {
		if r.batch > newest && (upper == nil || bytes.Compare(r.Lower, upper) < 0) && bytes.Compare(lower, r.Upper) < 0 {
			newest = r.batch
		}
	}
	return newest
}
