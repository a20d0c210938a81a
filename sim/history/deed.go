package history

import (
	"fmt"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"
)

// Deed is what a client did, as a whole: a transaction, a read of several items, or a plain write. What it saw and what it left are told
// by tags, and no two deeds share one.
type Deed struct {
	Client     int
	Begun, End int64
	// Unknown is a deed that writes, and of which nobody knows whether it was done.
	Unknown bool
	// Tag is what it wrote to the items Wrote.
	Tag   int64
	Wrote []int
	// Saw are the tags that it found in the items Looked at, of a deed that was done.
	Looked []int
	Saw    []int64
}

// Known are the deeds without those of which nobody knows anything. One whose answer was lost was done if some other deed saw
// its tag, and by the end of that one. If none did, an order with it is one without it, too: whoever overwrote it did not see it.
func Known(all []*Deed) []*Deed {
	firstSeen := map[int64]int64{}
	for _, d := range all {
		for _, tag := range d.Saw {
			if end, ok := firstSeen[tag]; !ok || d.End < end {
				firstSeen[tag] = d.End
			}
		}
	}
	var deeds []*Deed
	for _, d := range all {
		if end, ok := firstSeen[d.Tag]; d.Unknown && ok {
			done := *d
			done.End, done.Looked = end, nil
			deeds = append(deeds, &done)
		} else if !d.Unknown {
			deeds = append(deeds, d)
		}
	}
	return deeds
}

// DeedItemsMax bounds the items of deeds of which porcupine is asked.
const DeedItemsMax = 10

// CheckDeeds looks for an order of deeds that are all known, of few items, in which each saw what those before it left.
func CheckDeeds(deeds []*Deed) error {
	var operations []porcupine.Operation
	for _, d := range deeds {
		operations = append(operations, porcupine.Operation{ClientId: d.Client, Input: d, Output: d, Call: d.Begun, Return: d.End})
	}
	if verdict := porcupine.CheckOperationsTimeout(deedModel, operations, CheckTimeout); verdict != porcupine.Ok {
		return fmt.Errorf("%d deeds have no order (%s)", len(deeds), verdict)
	}
	return nil
}

// deedModel is the tags of all items.
var deedModel = porcupine.Model{
	Init: func() any { return [DeedItemsMax]int64{} },
	Step: func(state, input, _ any) (bool, any) {
		tags, d := state.([DeedItemsMax]int64), input.(*Deed)
		for i, item := range d.Looked {
			if tags[item] != d.Saw[i] {
				return false, state
			}
		}
		for _, item := range d.Wrote {
			tags[item] = d.Tag
		}
		return true, tags
	},
}

// CheckOrder takes deeds away one by one, each behind those whose tags it saw, before those that overwrote what it saw, and
// never behind one that began after its end. If none can be, there is no order. This is fast where porcupine is not, and finds
// everything where whoever writes to an item has seen what was there.
func CheckOrder(deeds []*Deed) error {
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
				firstEnd = min(firstEnd, d.End)
			}
		}
		next := 0
		for next < len(deeds) && (gone[next] || missing[next] > 0 || deeds[next].Begun > firstEnd) {
			next++
		}
		if next == len(deeds) {
			return fmt.Errorf("of %d deeds some are in a circle", len(deeds))
		}
		gone[next] = true
		for _, i := range follows[next] {
			missing[i]--
		}
	}
	return nil
}

// precedences maps each deed to those that must come after it.
func precedences(deeds []*Deed) [][]int {
	type place struct {
		item int
		tag  int64
	}
	writer, readers := map[place]int{}, map[place][]int{}
	for i, d := range deeds {
		for _, item := range d.Wrote {
			writer[place{item, d.Tag}] = i
		}
		for j := range d.Saw {
			p := place{d.Looked[j], d.Saw[j]}
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
			if !slices.Contains(deeds[i].Wrote, p.item) {
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
