package sim

import (
	"fmt"
	"math"
	"slices"

	"stator/sim/history"
)

// deed is what a teller did, with the version of what was written.
type deed struct {
	history.Deed
	version uint64
}

// ledger is every deed of a bank, to be put into one order in which each saw what the one before it left.
type ledger struct {
	done, under []*deed
}

func (l *ledger) begin(d *deed, now int64) {
	d.Begun = now
	l.under = append(l.under, d)
}

func (l *ledger) leave(d *deed) {
	if i := slices.Index(l.under, d); i >= 0 {
		l.under = slices.Delete(l.under, i, i+1)
	}
}

// finish enters a deed that was answered, unless the world had ended by then: then nobody heard the answer.
func (l *ledger) finish(d *deed, now, endAt int64) {
	if endAt > 0 {
		l.open(d)
		return
	}
	l.leave(d)
	d.End = now
	l.done = append(l.done, d)
}

func (l *ledger) cancel(d *deed) { l.leave(d) }

// open enters a deed of which nobody knows whether it was done.
func (l *ledger) open(d *deed) {
	l.leave(d)
	if d.Tag != 0 {
		d.Unknown, d.End, d.Saw = true, math.MaxInt64, nil
		l.done = append(l.done, d)
	}
}

// end closes the deeds of a world that ended at a moment.
func (l *ledger) end(int64) {
	for _, d := range slices.Clone(l.under) {
		l.open(d)
	}
}

// deedsMax bounds the histories of which porcupine is asked.
const deedsMax = 300

// check looks for the order.
func (l *ledger) check() error {
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
func (l *ledger) checkVersions() error {
	unknown := map[int64]bool{}
	var known []*deed
	for _, d := range l.done {
		if d.Unknown {
			unknown[d.Tag] = true
		} else if d.version > 0 {
			known = append(known, d)
		}
	}
	slices.SortStableFunc(known, func(a, b *deed) int {
		if a.version < b.version {
			return -1
		}
		return 1
	})
	last := map[int]int64{}
	for _, d := range known {
		for i, account := range d.Looked {
			if tag, ok := last[account]; ok && d.Saw[i] != tag && !unknown[d.Saw[i]] {
				return fmt.Errorf("deed %d of version %d saw %d in account %d, not %d", d.Tag, d.version, d.Saw[i], account, tag)
			}
		}
		for _, account := range d.Wrote {
			last[account] = d.Tag
		}
	}
	return nil
}
