// Package ledger is what the tellers of a bank did, to be put into one order in which each saw what the one before it left.
// It does not know how they did it.
package ledger

import (
	"fmt"
	"math"
	"slices"

	"stator/sim/history"
)

// Deed is what a teller did, with the version of what was written.
type Deed struct {
	history.Deed
	Version uint64
}

// Ledger is every deed of a bank, to be put into one order in which each saw what the one before it left.
type Ledger struct {
	done, under []*Deed
}

// Begin enters a deed that is under way.
func (l *Ledger) Begin(d *Deed, now int64) {
	d.Begun = now
	l.under = append(l.under, d)
}

func (l *Ledger) leave(d *Deed) {
	if i := slices.Index(l.under, d); i >= 0 {
		l.under = slices.Delete(l.under, i, i+1)
	}
}

// Finish enters a deed that was answered, unless the world had ended by then: then nobody heard the answer.
func (l *Ledger) Finish(d *Deed, now, endAt int64) {
	if endAt > 0 {
		l.Open(d)
		return
	}
	l.leave(d)
	d.End = now
	l.done = append(l.done, d)
}

// Cancel forgets a deed that was certainly not done.
func (l *Ledger) Cancel(d *Deed) { l.leave(d) }

// Open enters a deed of which nobody knows whether it was done.
func (l *Ledger) Open(d *Deed) {
	l.leave(d)
	if d.Tag != 0 {
		d.Unknown, d.End, d.Saw = true, math.MaxInt64, nil
		l.done = append(l.done, d)
	}
}

// End closes the deeds of a world that ended.
func (l *Ledger) End() {
	for _, d := range slices.Clone(l.under) {
		l.Open(d)
	}
}

// deedsMax bounds the histories of which porcupine is asked.
const deedsMax = 300

// Check looks for the order.
func (l *Ledger) Check() error {
	if err := l.checkVersions(); err != nil {
		return err
	}
	all := make([]*history.Deed, len(l.done))
	for i, d := range l.done {
		all[i] = &d.Deed
	}
	deeds := history.Known(all)
	if err := history.CheckOrder(deeds); err != nil {
		return err
	}
	if len(deeds) > deedsMax || slices.ContainsFunc(deeds, func(d *history.Deed) bool {
		return len(d.Wrote) > 0 && slices.Max(d.Wrote) >= history.DeedItemsMax
	}) {
		return nil
	}
	return history.CheckDeeds(deeds)
}

// checkVersions replays what was written in the order of versions: each write saw what the one before it left, or one of
// which nobody knows when it was.
func (l *Ledger) checkVersions() error {
	unknown := map[int64]bool{}
	var known []*Deed
	for _, d := range l.done {
		if d.Unknown {
			unknown[d.Tag] = true
		} else if d.Version > 0 {
			known = append(known, d)
		}
	}
	slices.SortStableFunc(known, func(a, b *Deed) int {
		if a.Version < b.Version {
			return -1
		}
		return 1
	})
	last := map[int]int64{}
	for _, d := range known {
		for i, account := range d.Looked {
			if tag, ok := last[account]; ok && d.Saw[i] != tag && !unknown[d.Saw[i]] {
				return fmt.Errorf("deed %d of version %d saw %d in account %d, not %d", d.Tag, d.Version, d.Saw[i], account, tag)
			}
		}
		for _, account := range d.Wrote {
			last[account] = d.Tag
		}
	}
	return nil
}
