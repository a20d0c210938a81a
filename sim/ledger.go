package sim

import (
	"fmt"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"

	"stator/sim/history"
)

// deed is what a teller did, as a whole: a transaction, a read of several accounts, or a plain write.
type deed struct {
	client     int
	begun, end int64
	unknown    bool
	// tag is what it wrote to the accounts wrote; no two deeds share one.
	tag   int64
	wrote []int
	// saw are the tags that it found in the accounts looked at, of a deed that was done.
	looked  []int
	saw     []int64
	version uint64
}

// ledger is every deed of a bank, to be put into one order in which each saw what the one before it left.
type ledger struct {
	done, under []*deed
}

func (l *ledger) begin(d *deed, now int64) {
	d.begun = now
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
	d.end = now
	l.done = append(l.done, d)
}

func (l *ledger) cancel(d *deed) { l.leave(d) }

// open enters a deed of which nobody knows whether it was done.
func (l *ledger) open(d *deed) {
	l.leave(d)
	if d.tag != 0 {
		d.unknown, d.end, d.saw = true, math.MaxInt64, nil
		l.done = append(l.done, d)
	}
}

// end closes the deeds of a world that ended at a moment.
func (l *ledger) end(int64) {
	for _, d := range slices.Clone(l.under) {
		l.open(d)
	}
}

// accountsMax and deedsMax bound the histories of which porcupine is asked.
const (
	accountsMax = 10
	deedsMax    = 300
)

// check looks for the order.
func (l *ledger) check() error {
	if err := l.checkVersions(); err != nil {
		return err
	}
	deeds := l.seen()
	if err := checkOrder(deeds); err != nil {
		return err
	}
	if len(deeds) > deedsMax || slices.ContainsFunc(deeds, func(d *deed) bool {
		return len(d.wrote) > 0 && slices.Max(d.wrote) >= accountsMax
	}) {
		return nil
	}
	var operations []porcupine.Operation
	for _, d := range deeds {
		operations = append(operations, porcupine.Operation{ClientId: d.client, Input: d, Output: d, Call: d.begun, Return: d.end})
	}
	if verdict := porcupine.CheckOperationsTimeout(bankModel, operations, history.CheckTimeout); verdict != porcupine.Ok {
		return fmt.Errorf("the %d deeds of the bank have no order (%s)", len(deeds), verdict)
	}
	return nil
}

// seen are the deeds without those of which nobody knows anything. One whose answer was lost was done if some other deed saw
// its tag, and by the end of that one. If none did, an order with it is one without it, too: whoever overwrote it would have
// seen it, unless its own answer was lost.
func (l *ledger) seen() []*deed {
	firstSeen := map[int64]int64{}
	for _, d := range l.done {
		for _, tag := range d.saw {
			if end, ok := firstSeen[tag]; !ok || d.end < end {
				firstSeen[tag] = d.end
			}
		}
	}
	var deeds []*deed
	for _, d := range l.done {
		if end, ok := firstSeen[d.tag]; d.unknown && ok {
			done := *d
			done.end, done.looked = end, nil
			deeds = append(deeds, &done)
		} else if !d.unknown {
			deeds = append(deeds, d)
		}
	}
	return deeds
}

// bankModel is the tags of all accounts.
var bankModel = porcupine.Model{
	Init: func() any { return [accountsMax]int64{} },
	Step: func(state, input, _ any) (bool, any) {
		tags, d := state.([accountsMax]int64), input.(*deed)
		for i, account := range d.looked {
			if tags[account] != d.saw[i] {
				return false, state
			}
		}
		for _, account := range d.wrote {
			tags[account] = d.tag
		}
		return true, tags
	},
}

// checkVersions replays what was written in the order of versions: each write saw what the one before it left, or one of
// which nobody knows when it was.
func (l *ledger) checkVersions() error {
	unknown := map[int64]bool{}
	var known []*deed
	for _, d := range l.done {
		if d.unknown {
			unknown[d.tag] = true
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
		for i, account := range d.looked {
			if tag, ok := last[account]; ok && d.saw[i] != tag && !unknown[d.saw[i]] {
				return fmt.Errorf("deed %d of version %d saw %d in account %d, not %d", d.tag, d.version, d.saw[i], account, tag)
			}
		}
		for _, account := range d.wrote {
			last[account] = d.tag
		}
	}
	return nil
}

// checkOrder takes deeds away one by one, each behind those whose tags it saw, before those that overwrote what it saw, and
// never behind one that began after its end. If none can be, there is no order. This is fast where porcupine is not.
func checkOrder(deeds []*deed) error {
	follows := precedences(deeds)
	missing := make([]int, len(deeds)) // how many must go before
	for _, later := range follows {
		for _, i := range later {
			missing[i]++
		}
	}
	gone := make([]bool, len(deeds))
	for range deeds {
		firstEnd := int64(math.MaxInt64)
		for i, d := range deeds {
			if !gone[i] {
				firstEnd = min(firstEnd, d.end)
			}
		}
		next := 0
		for next < len(deeds) && (gone[next] || missing[next] > 0 || deeds[next].begun > firstEnd) {
			next++
		}
		if next == len(deeds) {
			return fmt.Errorf("%d deeds of the bank are in a circle", len(deeds))
		}
		gone[next] = true
		for _, i := range follows[next] {
			missing[i]--
		}
	}
	return nil
}

// precedences maps each deed to those that must come after it.
func precedences(deeds []*deed) [][]int {
	type place struct {
		account int
		tag     int64
	}
	writer, readers := map[place]int{}, map[place][]int{}
	for i, d := range deeds {
		for _, account := range d.wrote {
			writer[place{account, d.tag}] = i
		}
		for j := range d.saw {
			p := place{d.looked[j], d.saw[j]}
			readers[p] = append(readers[p], i)
		}
	}
	follows := make([][]int, len(deeds))
	for p, saw := range readers {
		by, written := writer[p]
		for _, i := range saw {
			if written {
				follows[by] = append(follows[by], i)
			}
			if !slices.Contains(deeds[i].wrote, p.account) {
				continue
			}
			for _, other := range saw {
				if other != i {
					follows[other] = append(follows[other], i)
				}
			}
		}
	}
	return follows
}
