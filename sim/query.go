package sim

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/sim/history"
	"stator/sim/shapes"
)

// query walks one collection, or a whole table, page by page. Every page is a read of each key that it went over.
func (w *world) query(ctx context.Context, client int, s shapes.Shape) {
	r := w.run
	q := queried{shape: s, client: client, plan: command.Plan{
		Strong: r.random.IntN(2) == 0, Reverse: r.random.IntN(2) == 0,
	}}
	if r.random.IntN(2) == 0 {
		q.plan.Limit = 1 + r.random.IntN(3)
	}
	if r.random.IntN(3) > 0 {
		hash, _ := s.Key(r.random.IntN(r.draw.Keys), 0).Get(shapes.Hash)
		q.plan.Lower = keys.Suffix([]attr.Value{hash}, nil)
		q.collection = q.plan.Lower
		if s.Local && r.random.IntN(2) == 0 {
			q.plan.Index = 1 + r.random.Uint32N(2)
			q.plan.Fetch = q.plan.Index == 1
			q.plan.Lower = binary.BigEndian.AppendUint32(append([]byte(nil), q.plan.Lower...), q.plan.Index)
		}
		q.plan.Upper = keys.SuccessorPrefix(q.plan.Lower)
	}
	for range plansMax {
		t, ok := w.node.Catalog().Table(s.Name)
		if !ok || !t.Serves() {
			return
		}
		q.plan.Table, q.plan.TableVersion = t.ID, t.Version
		more, err := w.page(ctx, t, &q)
		if err != nil && !replan(err) {
			r.failedRead(err)
			return
		}
		if err != nil {
			_ = w.pause(ctx, time.Millisecond)
		} else if !more {
			return
		}
	}
}

// queried is a query with what is left of it.
type queried struct {
	shape      shapes.Shape
	client     int
	collection []byte // empty for a scan
	plan       command.Plan
}

// page reads one page and notes what it says of each key of the universe that lies in what it covered.
func (w *world) page(ctx context.Context, t *table.Table, q *queried) (more bool, err error) {
	reads := map[string]*history.Operation{}
	var order []*history.Operation
	for hash := range w.run.draw.Keys {
		for rng := range w.run.draw.Keys {
			key := string(q.shape.Suffix(q.shape.Key(hash, rng)))
			if reads[key] == nil && q.covers(key) {
				reads[key] = &history.Operation{Item: history.Item{Table: t.ID, Key: key}, Client: q.client}
				order = append(order, reads[key])
				w.run.history.Begin(reads[key])
			}
		}
	}
	page, err := w.node.Router().Scan(ctx, q.plan)
	found := map[string]attr.Map{}
	for _, item := range page.Items {
		found[string(q.shape.Suffix(item))] = item
	}
	for _, o := range order {
		item, present := found[o.Item.Key]
		if err != nil || !present && !q.saw(o.Item.Key, &page) {
			w.run.history.Cancel(o)
			continue
		}
		o.Read = item
		w.run.history.Finish(o)
	}
	if err != nil {
		return false, err
	}
	w.run.note("client %d queries %d of table %d: %d items, reason %d", q.client, q.plan.Index, t.ID, len(page.Items), page.Reason)
	for key := range found {
		if reads[key] == nil && !w.over() {
			return false, fmt.Errorf("a query of table %d brought an item outside its range", t.ID)
		}
	}
	return q.advance(&page), nil
}

// covers tells whether a key's item may be in what is left of the query.
func (q *queried) covers(key string) bool {
	if q.plan.Index != 0 {
		return len(key) > len(q.collection) && key[:len(q.collection)] == string(q.collection)
	}
	return key >= string(q.plan.Lower) && (len(q.plan.Upper) == 0 || key < string(q.plan.Upper))
}

// saw tells whether a page that does not hold a key says that it is absent. An index says nothing of the sort: items
// without its key are not in it.
func (q *queried) saw(key string, page *command.Page) bool {
	switch {
	case q.plan.Index != 0:
		return false
	case page.Reason == command.Done:
		return true
	case q.plan.Reverse:
		return key > string(page.Next)
	default:
		return key < string(page.Next)
	}
}

// advance makes the plan what is left after a page.
func (q *queried) advance(page *command.Page) bool {
	if page.Reason == command.Done {
		return false
	}
	if q.plan.Reverse {
		q.plan.Upper = page.Next
	} else {
		q.plan.Lower = append(append([]byte(nil), page.Next...), 0)
	}
	return true
}
