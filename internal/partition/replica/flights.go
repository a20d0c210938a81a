package replica

import (
	"bytes"
	"slices"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// flights are the batches under way to the log, with the keys of every space they write: the in-flight set.
//
// Invariant: a key is in writes from before its batch can be seen in the engine until the batch is durable. What an
// ambiguous batch wrote stays: the engine may show it, and nobody knows whether it will be there after a restart.
type flights struct {
	// writes maps an engine key to its newest value under way and the batch that brings it.
	writes map[string]flown
	ranges []flownRange
	// under are the batches under way, oldest first; newest is the number of the last one that ever was.
	under  []place
	newest uint64
	// lost tells that a batch ended ambiguous.
	lost   bool
	waits  []wait
	recent recent
}

// place is a batch under way with its number.
type place struct {
	number uint64
	batch  *machine.Batch
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

func (f *flights) count() int { return len(f.under) }

// add puts a batch's keys into the set and numbers it.
func (f *flights) add(b *machine.Batch) uint64 {
	f.newest++
	f.under = append(f.under, place{number: f.newest, batch: b})
	for _, w := range b.Writes {
		f.writes[string(w.Key)] = flown{value: w.Value, batch: f.newest}
		f.recent.wrote(w.Key, f.newest)
	}
	for _, r := range b.Ranges {
		f.ranges = append(f.ranges, flownRange{Range: r, batch: f.newest})
	}
	return f.newest
}

// numberOf is the number of a batch under way, 0 for one that another copy decided.
func (f *flights) numberOf(b *machine.Batch) uint64 {
	for _, p := range f.under {
		if p.batch.Epoch == b.Epoch && p.batch.Chain == b.Chain {
			return p.number
		}
	}
	return 0
}

// isUnder tells whether the batch with this number is still under way.
func (f *flights) isUnder(number uint64) bool {
	return slices.ContainsFunc(f.under, func(p place) bool { return p.number == number })
}

// land ends the way of a batch and returns the readers that waited for it. Once a batch is lost no key leaves the set: a
// later batch that certainly did not happen may have hidden a key of the lost one.
func (f *flights) land(number uint64, b *machine.Batch, outcome Outcome) []wait {
	f.under = slices.DeleteFunc(f.under, func(p place) bool { return p.number == number })
	if f.lost = f.lost || outcome == Ambiguous; f.lost {
		return f.landed(number)
	}
	for _, w := range b.Writes {
		if f.writes[string(w.Key)].batch == number {
			delete(f.writes, string(w.Key))
		}
	}
	f.ranges = slices.DeleteFunc(f.ranges, func(r flownRange) bool { return r.batch == number })
	if outcome == Rejected {
		f.uncover()
	}
	return f.landed(number)
}

// uncover brings back the keys of batches under way that a rejected one had hidden.
func (f *flights) uncover() {
	for _, p := range f.under {
		for _, w := range p.batch.Writes {
			if f.writes[string(w.Key)].batch < p.number {
				f.writes[string(w.Key)] = flown{value: w.Value, batch: p.number}
			}
		}
	}
}

// landed takes out the waits for a batch.
func (f *flights) landed(number uint64) (done []wait) {
	f.waits = slices.DeleteFunc(f.waits, func(w wait) bool {
		landed := w.batch == number
		if landed {
			done = append(done, w)
		}
		return landed
	})
	return done
}

// forget empties the set of lost batches' keys: the log has told the copy a state that is certain.
func (f *flights) forget() {
	if !f.lost {
		return
	}
	f.lost = false
	for key, w := range f.writes {
		if !f.isUnder(w.batch) {
			delete(f.writes, key)
		}
	}
	f.ranges = slices.DeleteFunc(f.ranges, func(r flownRange) bool { return !f.isUnder(r.batch) })
}

// touching is the newest batch under way, or lost, that writes key, 0 for none.
func (f *flights) touching(key []byte) uint64 {
	return f.writes[string(key)].batch
}

// touchingRange is the newest batch under way, or lost, that writes into [lower, upper). The set holds at most flightsMax
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

// await has done called once a batch is durable, or with why it is not. A batch that is not under way is lost: that is
// said at once, and done is not called.
func (f *flights) await(batch uint64, done func(error)) error {
	if !f.isUnder(batch) {
		return &command.Rejected{Cause: errLost}
	}
	f.waits = append(f.waits, wait{batch: batch, done: done})
	return nil
}
