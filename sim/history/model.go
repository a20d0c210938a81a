package history

import (
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// The attributes by which an item is told in few words: no two writes share a tag.
const (
	Tag   = "tag"
	Count = "n"
)

// CheckTimeout bounds the search for an order of one item's operations. Histories are short; it is a net.
const CheckTimeout = 2 * time.Minute

// Check looks for an order of each item's operations in which every answer is right.
func (h *History) Check() error {
	byItem := map[Item][]porcupine.Operation{}
	for _, o := range h.done {
		byItem[o.Item] = append(byItem[o.Item], porcupine.Operation{ClientId: o.Client, Input: o, Output: o, Call: o.Begun, Return: o.End})
	}
	for _, item := range h.Items() {
		switch porcupine.CheckOperationsTimeout(itemModel, byItem[item], CheckTimeout) {
		case porcupine.Illegal:
			return fmt.Errorf("item %x of table %d is not linearizable:\n%s", item.Key, item.Table, h.story(item))
		case porcupine.Unknown:
			return fmt.Errorf("item %x of table %d: no order was found in %s", item.Key, item.Table, CheckTimeout)
		}
	}
	return nil
}

// story tells what happened to an item.
func (h *History) story(item Item) string {
	text := ""
	var told []*Operation
	for _, o := range h.done {
		if o.Item == item {
			told = append(told, o)
		}
	}
	slices.SortFunc(told, func(a, b *Operation) int { return int(a.Begun - b.Begun) })
	for _, o := range told {
		text += fmt.Sprintf("  [%d, %d] client %d %s\n", o.Begun, o.End, o.Client, o)
	}
	return text
}

func (o *Operation) String() string {
	if o.Write == nil {
		return "reads " + Shown(o.Read)
	}
	verb := map[command.Action]string{command.Put: "puts " + Shown(o.Write.Item), command.Update: "updates", command.Delete: "deletes", command.Check: "checks"}[o.Write.Action]
	if o.Unknown {
		return verb + ": unknown"
	}
	return fmt.Sprintf("%s: refusal %d, %s -> %s", verb, o.Result.Refusal, Shown(o.Result.Before), Shown(o.Result.After))
}

// Shown is an item in few words: its tag, which no two writes share, and its counter.
func Shown(item attr.Map) string {
	if len(item) == 0 {
		return "nothing"
	}
	tag, _ := item.Get(Tag)
	n, _ := item.Get(Count)
	return tag.Text() + n.Text()
}

// itemModel is one item: its bytes, or none. A write whose answer is not known has two ways to go on.
var itemModel = (&porcupine.NondeterministicModel{
	Init:  func() []any { return []any{""} },
	Step:  func(state, input, _ any) []any { return step(state.(string), input.(*Operation)) },
	Equal: func(a, b any) bool { return a == b },
}).ToModel()

func step(state string, o *Operation) []any {
	before := attr.Map(state)
	if o.Write == nil {
		if state != string(o.Read) {
			return nil
		}
		return []any{state}
	}
	after, held := applied(before, o.Write)
	if o.Unknown {
		return []any{state, string(after)}
	}
	switch o.Result.Refusal {
	case command.Accepted:
		unseen := o.Write.Blind && o.Result.Before == nil
		if !held || string(o.Result.Before) != state && !unseen || string(o.Result.After) != string(after) {
			return nil
		}
		return []any{string(after)}
	case command.ConditionFailed:
		if held || string(o.Result.Before) != state {
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
