package sim

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// itemName names an item for ever: a table that is made anew has another id.
type itemName struct {
	table uint64
	key   string // the key suffix
}

// operation is what a client asked of one item and what it was told.
type operation struct {
	item   itemName
	client int
	write  *command.Command // nil is a read
	read   attr.Map         // what a read saw; nil is no item
	result command.Result   // what a write was told
	// part tells that the write is one of a transaction.
	part bool
	// unknown is a write of which nobody knows whether it happened.
	unknown    bool
	begun, end int64
}

// history is everything that clients saw, in the order of one clock that never stands still.
type history struct {
	now  int64
	done []*operation
	// under are the operations without an answer.
	under []*operation
	// endAt is when the world ended, 0 while it goes on: what was answered later was answered by nobody.
	endAt int64
}

func (h *history) tick() int64 {
	h.now++
	return h.now
}

// begin notes that a client asks something.
func (h *history) begin(o *operation) {
	o.begun = h.tick()
	h.under = append(h.under, o)
}

// finish notes the answer.
func (h *history) finish(o *operation) {
	h.leave(o)
	o.end = h.tick()
	if h.endAt > 0 {
		h.lost(o)
		return
	}
	h.done = append(h.done, o)
}

// cancel forgets an operation that certainly did not happen.
func (h *history) cancel(o *operation) { h.leave(o) }

// open keeps a write that was answered with nobody knows.
func (h *history) open(o *operation) {
	h.leave(o)
	o.unknown, o.end = true, math.MaxInt64
	if o.write != nil {
		h.done = append(h.done, o)
	}
}

func (h *history) leave(o *operation) {
	if i := slices.Index(h.under, o); i >= 0 {
		h.under = slices.Delete(h.under, i, i+1)
	}
}

// written is the key of the item of a table that a write has been under way to for longest.
func (h *history) written(table uint64) (key string, ok bool) {
	for _, o := range h.under {
		if o.write != nil && o.item.table == table {
			return o.item.key, true
		}
	}
	return "", false
}

// lost is an operation whose answer the end of the world cut off: a write may have happened until then, and not later.
func (h *history) lost(o *operation) {
	if o.write == nil || o.begun > h.endAt {
		return
	}
	o.unknown, o.end = true, h.endAt
	if o.part {
		o.end = math.MaxInt64 // a transaction that was committed is applied by whoever settles it
	}
	h.done = append(h.done, o)
}

// end closes the history of a world: what has no answer gets none.
func (h *history) end() {
	if h.endAt == 0 {
		h.endAt = h.tick()
	}
	for _, o := range h.under {
		h.lost(o)
	}
	h.under, h.endAt = nil, 0
}

// items lists what was ever written or read, in the order of its first mention.
func (h *history) items() []itemName {
	var items []itemName
	seen := map[itemName]bool{}
	for _, o := range h.done {
		if !seen[o.item] {
			seen[o.item] = true
			items = append(items, o.item)
		}
	}
	return items
}

// checkTimeout bounds the search for an order of one item's operations. Histories are short; it is a net.
const checkTimeout = 20 * time.Second

// check looks for an order of each item's operations in which every answer is right.
func (h *history) check() error {
	byItem := map[itemName][]porcupine.Operation{}
	for _, o := range h.done {
		byItem[o.item] = append(byItem[o.item], porcupine.Operation{ClientId: o.client, Input: o, Output: o, Call: o.begun, Return: o.end})
	}
	for _, item := range h.items() {
		switch porcupine.CheckOperationsTimeout(itemModel, byItem[item], checkTimeout) {
		case porcupine.Illegal:
			return fmt.Errorf("item %x of table %d is not linearizable:\n%s", item.key, item.table, h.story(item))
		case porcupine.Unknown:
			return fmt.Errorf("item %x of table %d: no order was found in %s", item.key, item.table, checkTimeout)
		}
	}
	return nil
}

// story tells what happened to an item.
func (h *history) story(item itemName) string {
	text := ""
	var told []*operation
	for _, o := range h.done {
		if o.item == item {
			told = append(told, o)
		}
	}
	slices.SortFunc(told, func(a, b *operation) int { return int(a.begun - b.begun) })
	for _, o := range told {
		text += fmt.Sprintf("  [%d, %d] client %d %s\n", o.begun, o.end, o.client, o)
	}
	return text
}

func (o *operation) String() string {
	if o.write == nil {
		return "reads " + shown(o.read)
	}
	verb := map[command.Action]string{command.Put: "puts " + shown(o.write.Item), command.Update: "updates", command.Delete: "deletes", command.Check: "checks"}[o.write.Action]
	if o.unknown {
		return verb + ": unknown"
	}
	return fmt.Sprintf("%s: refusal %d, %s -> %s", verb, o.result.Refusal, shown(o.result.Before), shown(o.result.After))
}

// shown is an item in few words: its tag, which no two writes share, and its counter.
func shown(item attr.Map) string {
	if len(item) == 0 {
		return "nothing"
	}
	tag, _ := item.Get(attrTag)
	n, _ := item.Get(attrCount)
	return tag.Text() + n.Text()
}

// itemModel is one item: its bytes, or none. A write whose answer is not known has two ways to go on.
var itemModel = (&porcupine.NondeterministicModel{
	Init:  func() []any { return []any{""} },
	Step:  func(state, input, _ any) []any { return step(state.(string), input.(*operation)) },
	Equal: func(a, b any) bool { return a == b },
}).ToModel()

func step(state string, o *operation) []any {
	before := attr.Map(state)
	if o.write == nil {
		if state != string(o.read) {
			return nil
		}
		return []any{state}
	}
	after, held := applied(before, o.write)
	if o.unknown {
		return []any{state, string(after)}
	}
	switch o.result.Refusal {
	case command.Accepted:
		unseen := o.write.Blind && o.result.Before == nil
		if !held || string(o.result.Before) != state && !unseen || string(o.result.After) != string(after) {
			return nil
		}
		return []any{string(after)}
	case command.ConditionFailed:
		if held || string(o.result.Before) != state {
			return nil
		}
	}
	// Other refusals depend on more than the item; they leave it as it is.
	return []any{state}
}

// applied is the item after a write, and whether the write's condition holds.
func applied(before attr.Map, c *command.Command) (after attr.Map, held bool) {
	if !c.Condition.Holds(before) {
		return before, false
	}
	switch c.Action {
	case command.Put:
		return c.Item, true
	case command.Delete:
		return nil, true
	case command.Check:
		return before, true
	}
	if len(before) == 0 && !c.Update.CreatesItem() {
		return nil, true
	}
	after, err := c.Update.Apply(before, c.Item)
	if err != nil {
		return before, true
	}
	return after, true
}
