// Package history is what clients asked and were told, held against what one copy of each item would have answered. It does
// not know who answered.
package history

import (
	"math"
	"slices"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// Item names an item for ever: a table that is made anew has another id.
type Item struct {
	Table uint64
	Key   string // the key suffix
}

// Operation is what a client asked of one item and what it was told.
type Operation struct {
	Item   Item
	Client int
	Write  *command.Command // nil is a read
	Read   attr.Map         // what a read saw; nil is no item
	Result command.Result   // what a write was told
	// Part tells that the write is one of a transaction.
	Part bool
	// Unknown is a write of which nobody knows whether it happened.
	Unknown    bool
	Begun, End int64
}

// History is everything that clients saw, in the order of one clock that never stands still.
type History struct {
	now  int64
	done []*Operation
	// under are the operations without an answer.
	under []*Operation
	// endAt is when the world ended, 0 while it goes on: what was answered later was answered by nobody.
	endAt int64
}

// Tick moves the clock and tells its time.
func (h *History) Tick() int64 {
	h.now++
	return h.now
}

// Stop tells that the world ended now.
func (h *History) Stop() { h.endAt = h.Tick() }

// EndAt is when the world ended, 0 while it goes on.
func (h *History) EndAt() int64 { return h.endAt }

// Begin notes that a client asks something.
func (h *History) Begin(o *Operation) {
	o.Begun = h.Tick()
	h.under = append(h.under, o)
}

// Finish notes the answer.
func (h *History) Finish(o *Operation) {
	h.leave(o)
	o.End = h.Tick()
	if h.endAt > 0 {
		h.lost(o)
		return
	}
	h.done = append(h.done, o)
}

// Cancel forgets an operation that certainly did not happen.
func (h *History) Cancel(o *Operation) { h.leave(o) }

// Open keeps a write that was answered with nobody knows.
func (h *History) Open(o *Operation) {
	h.leave(o)
	o.Unknown, o.End = true, math.MaxInt64
	if o.Write != nil {
		h.done = append(h.done, o)
	}
}

func (h *History) leave(o *Operation) {
	if i := slices.Index(h.under, o); i >= 0 {
		h.under = slices.Delete(h.under, i, i+1)
	}
}

// Written is the key of the item of a table that a write has been under way to for longest.
func (h *History) Written(table uint64) (key string, ok bool) {
	for _, o := range h.under {
		if o.Write != nil && o.Item.Table == table {
			return o.Item.Key, true
		}
	}
	return "", false
}

// lost is an operation whose answer the end of the world cut off: a write may have happened until then, and not later.
func (h *History) lost(o *Operation) {
	if o.Write == nil || o.Begun > h.endAt {
		return
	}
	o.Unknown, o.End = true, h.endAt
	if o.Part {
		o.End = math.MaxInt64 // a transaction that was committed is applied by whoever settles it
	}
	h.done = append(h.done, o)
}

// End closes the history of a world: what has no answer gets none.
func (h *History) End() {
	if h.endAt == 0 {
		h.endAt = h.Tick()
	}
	for _, o := range h.under {
		h.lost(o)
	}
	h.under, h.endAt = nil, 0
}

// Done lists the operations that came to an end, or of which nobody knows.
func (h *History) Done() []*Operation { return h.done }

// Items lists what was ever written or read, in the order of its first mention.
func (h *History) Items() []Item {
	var items []Item
	seen := map[Item]bool{}
	for _, o := range h.done {
		if !seen[o.Item] {
			seen[o.Item] = true
			items = append(items, o.Item)
		}
	}
	return items
}

// Observe notes what an item is in a store at rest as a read: an acknowledged write that is gone has no place in any order.
func (h *History) Observe(item Item, read attr.Map) {
	h.done = append(h.done, &Operation{Item: item, Client: -1, Read: read, Begun: h.Tick(), End: h.Tick()})
}
