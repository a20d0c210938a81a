package machine

import (
	"encoding/binary"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Rows is an ordered walk over engine rows in the direction and within the bounds of a plan. Key and Value live until
// the next step.
type Rows interface {
	Next() bool
	Key() []byte
	Value() ([]byte, error)
	Err() error
}

// Span is the engine range [Lower, Upper) of a plan within a partition's bounds. clipped tells that the partition ends
// before the plan does, in the plan's direction.
func Span(d Descriptor, p *command.Plan) (lower, upper []byte, clipped bool) {
	from, to := p.Lower, p.Upper
	if string(from) < string(d.Bounds.Lower) {
		from = d.Bounds.Lower
		clipped = p.Reverse
	}
	if len(d.Bounds.Upper) > 0 && (len(to) == 0 || string(to) > string(d.Bounds.Upper)) {
		to = d.Bounds.Upper
		clipped = clipped || !p.Reverse
	}
	lower = spaceKey(p, from)
	if len(to) == 0 {
		return lower, keys.SuccessorPrefix(spaceKey(p, nil)), clipped
	}
	return lower, spaceKey(p, to), clipped
}

func spaceKey(p *command.Plan, suffix []byte) []byte {
	if p.Index != 0 {
		return append(keys.Prefix(keys.SpaceLocalIndex, p.Table), suffix...)
	}
	return keys.Data(p.Table, suffix)
}

// indexOf is the ordinal of the local index an entry belongs to: entries of all of them lie together in a collection.
func (w *walk) indexOf(key []byte) uint32 {
	_, rest := keys.SplitSuffix(key[w.prefix:], 1)
	return binary.BigEndian.Uint32(rest)
}

// Scan walks rows until the plan's limit, its budget or the rows end. fetch brings a whole item by its local index
// entry, with its size. A page ends at the first item that reaches the budget, which it still holds (semantics §10.1). Where
// the rows are clipped, the page tells its last item even if they end: a client may have to go on from there.
func Scan(p *command.Plan, rows Rows, clipped bool, fetch func(entry attr.Map) (attr.Map, error)) (command.Page, error) {
	w := walk{plan: p, clipped: clipped, prefix: len(spaceKey(p, nil))}
	for rows.Next() {
		if p.Index != 0 && w.indexOf(rows.Key()) != p.Index {
			continue
		}
		stored, err := rows.Value()
		if err != nil {
			return command.Page{}, err
		}
		item, err := record.ParseItem(stored)
		if err != nil {
			return command.Page{}, err
		}
		if p.Raw {
			w.take(rows.Key(), item)
		} else if item.Deleted {
			continue
		} else if err := w.evaluate(item, fetch); err != nil {
			return command.Page{}, err
		}
		if w.full(rows.Key()) {
			break
		}
	}
	if clipped && w.page.LastItem == nil {
		w.page.LastItem = w.last
	}
	return w.page, rows.Err()
}

// walk is a page under way.
type walk struct {
	plan    *command.Plan
	clipped bool
	page    command.Page
	prefix  int
	// last is the last evaluated item; the page's own where the rows are clipped, else the engine's. shown tells that the last
	// of the page's items is the same.
	last  []byte
	shown bool
}

func (w *walk) evaluate(item record.Item, fetch func(attr.Map) (attr.Map, error)) error {
	w.page.Examined++
	w.page.Bytes += int64(item.Size)
	if w.clipped {
		w.last = append(w.last[:0], item.Attributes...)
	} else {
		w.last = item.Attributes
	}
	w.shown = false
	whole := item.Attributes
	if w.plan.Fetch {
		var err error
		if whole, err = fetch(item.Attributes); err != nil {
			return err
		}
		w.page.FetchUnits += (int64(whole.Size()) + fetchUnitBytes - 1) / fetchUnitBytes
	}
	if !w.plan.Filter.Holds(whole) {
		return nil
	}
	w.page.Matched++
	if w.plan.Discard {
		return nil
	}
	shown := whole
	if w.plan.Project != nil {
		shown = w.plan.Project.Apply(whole)
	}
	w.show(shown)
	w.shown = !w.plan.Fetch && w.plan.Project == nil
	return nil
}

// show adds an item to the page: the engine's bytes live only until the next row.
func (w *walk) show(item attr.Map) {
	if w.plan.Lend && w.page.Arena == nil {
		w.page.Arena = attr.NewArena()
		w.page.Items = w.page.Arena.List()
	}
	w.page.Items = append(w.page.Items, w.page.Arena.Clone(item))
}

// take adds an entry to the page of a Raw plan.
func (w *walk) take(key []byte, item record.Item) {
	w.page.Examined++
	w.page.Bytes += int64(len(key) + len(item.Attributes))
	entry := command.Entry{Key: append([]byte(nil), key[w.prefix:]...), Version: item.Version}
	if !item.Deleted {
		entry.Item = item.Attributes.Clone()
	}
	w.page.Entries = append(w.page.Entries, entry)
}

// fetchUnitBytes is what one read unit covers of an item brought from the table.
const fetchUnitBytes = 4096

// full ends the page at this row if limit or budget say so.
func (w *walk) full(key []byte) bool {
	switch {
	case w.plan.Limit > 0 && w.page.Examined >= w.plan.Limit:
		w.page.Reason = command.Limit
	case w.plan.Bytes > 0 && w.page.Bytes >= w.plan.Bytes:
		w.page.Reason = command.Budget
	default:
		return false
	}
	w.page.Next = append([]byte(nil), key[w.prefix:]...)
	if w.shown {
		w.page.LastItem = w.page.Items[len(w.page.Items)-1]
	} else {
		w.page.LastItem = w.page.Arena.Clone(w.last)
	}
	return true
}
