package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/split"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/sim/shapes"
)

// startBackground makes the loops that a node's goroutines would run.
func (w *world) startBackground() {
	w.loop("control", 20, w.node.Control)
	w.loop("fill", 20, w.node.Fill)
	w.loop("follow", 20, w.node.Follow)
	w.loop("trim", 2000, w.node.Trim)
	w.loop("expire", 20, w.node.Expire)
	w.loop("settle", 100, w.node.SettleTransactions)
	for i := range 2 {
		w.loop(fmt.Sprintf("feed %d", i), 5, func(ctx context.Context) error {
			for w.node.Feed(ctx) {
				continue
			}
			return nil
		})
	}
}

// loop makes a step every so often. A step may fail when the world changes under it; it is then made again.
func (w *world) loop(name string, everyMillis int64, step func(context.Context) error) {
	w.start(name, func(ctx context.Context) {
		for {
			if err := step(ctx); err != nil {
				w.run.note("%s: %v", name, err)
			}
			_ = w.pause(ctx, time.Duration(1+w.run.random.Int64N(everyMillis*2000))*time.Microsecond)
		}
	})
}

// startUnrest makes what troubles the clients.
func (w *world) startUnrest() {
	w.trouble("tables", 5, w.createTable)
	if w.run.options.Calm {
		return
	}
	w.trouble("splits", 40, w.split)
	w.trouble("indexes", 60, w.moveIndex)
	if w.run.options.Bank != nil {
		return // a bank stays, and its tokens are kept for as long as they should
	}
	w.trouble("times to live", 60, w.moveTimeToLive)
	w.trouble("drops", 400, w.dropTable)
	w.trouble("jumps", 500, func(context.Context) error {
		d := []time.Duration{time.Second, 61 * time.Second, 11 * time.Minute}[w.run.random.IntN(3)]
		w.run.note("the clock jumps by %s", d)
		w.run.clock.Advance(d)
		return nil
	})
}

// trouble does something every so often until the world shall come to rest.
func (w *world) trouble(name string, everyMillis int64, something func(context.Context) error) {
	w.start(name, func(ctx context.Context) {
		for !w.calm {
			if err := something(ctx); err != nil {
				w.run.note("%s: %v", name, err)
			}
			if !w.calm {
				_ = w.pause(ctx, time.Duration(1+w.run.random.Int64N(everyMillis*2000))*time.Microsecond)
			}
		}
	})
}

// createTable makes the first shape that is not there.
func (w *world) createTable(ctx context.Context) error {
	for _, s := range shapes.All {
		if _, ok := w.node.Catalog().Table(s.Name); ok {
			continue
		}
		t := s.Table()
		if w.run.random.IntN(2) == 0 {
			t.Global = []table.Index{w.newIndex(false)}
			t.Definitions = shapes.Definitions(t)
		}
		t.CreatedMillis = w.run.clock.Now().UnixMilli()
		if w.run.random.IntN(2) == 0 {
			t.Streams = []table.Stream{{CreatedMillis: t.CreatedMillis, View: table.ViewBoth}}
		}
		created, err := w.node.Catalog().Create(ctx, t, w.run.habits.partitions)
		if err == nil {
			w.run.note("table %s is created as %d", s.Name, created.ID)
		}
		return err
	}
	return nil
}

func (w *world) newIndex(added bool) table.Index {
	indexes := shapes.GlobalIndexes()
	ix := indexes[w.run.random.IntN(len(indexes))]
	ix.Status, ix.Added = table.IndexCreating, added
	return ix
}

// errNotNow says that a table is in no state for the change.
var errNotNow = errors.New("not now")

// moveIndex creates or deletes one index of one table, as UpdateTable does.
func (w *world) moveIndex(ctx context.Context) error {
	s := shapes.All[w.run.random.IntN(len(shapes.All))]
	ix := w.newIndex(true)
	did := ""
	_, err := w.node.Catalog().Update(ctx, s.Name, func(now *table.Table) (*table.Table, error) {
		if now.State != table.Active {
			return nil, errNotNow
		}
		next := now.Clone()
		next.State = table.Updating
		if there, ok := next.GlobalIndex(ix.Name); ok {
			if there.Status == table.IndexDeleting || there.Status == table.IndexCreating && !there.Backfilling || w.moving(now, ix.Name) {
				return nil, errNotNow
			}
			did = "deleted"
			there.Status, there.Backfilling = table.IndexDeleting, false
			return next, nil
		}
		if w.moving(now, "") {
			return nil, errNotNow
		}
		did = "created"
		next.Global = append(next.Global, ix)
		next.Definitions = shapes.Definitions(next)
		return next, nil
	})
	if err == nil {
		w.run.result.Indexes++
		w.run.note("index %s of table %s is being %s", ix.Name, s.Name, did)
	}
	return err
}

// moveTimeToLive turns time to live of one table on, off, or over to another attribute.
func (w *world) moveTimeToLive(ctx context.Context) error {
	s := shapes.All[w.run.random.IntN(len(shapes.All))]
	attribute := []string{"", shapes.Ends, shapes.Ends, shapes.Until}[w.run.random.IntN(4)]
	_, err := w.node.Catalog().Update(ctx, s.Name, func(now *table.Table) (*table.Table, error) {
		if now.State != table.Active || now.TimeToLive == attribute {
			return nil, errNotNow
		}
		next := now.Clone()
		next.TimeToLive = attribute
		return next, nil
	})
	if err == nil {
		w.run.note("the items of table %s end by %q", s.Name, attribute)
	}
	return err
}

// moving tells whether an index other than except is being created or deleted.
func (w *world) moving(t *table.Table, except string) bool {
	for i := range t.Global {
		if t.Global[i].Name != except && t.Global[i].Status != table.IndexActive {
			return true
		}
	}
	return false
}

// dropTable deletes a table, as DeleteTable does.
func (w *world) dropTable(ctx context.Context) error {
	s := shapes.All[w.run.random.IntN(len(shapes.All))]
	_, err := w.node.Catalog().Update(ctx, s.Name, func(now *table.Table) (*table.Table, error) {
		if now.State != table.Active || !now.Settled() {
			return nil, errNotNow
		}
		next := now.Clone()
		next.State = table.Deleting
		return next, nil
	})
	if err == nil {
		w.run.result.Dropped++
		w.run.note("table %s is being deleted", s.Name)
	}
	return err
}

// split cuts some partition, of a table or of one of its indexes, at its middle or at some key.
func (w *world) split(ctx context.Context) error {
	s := shapes.All[w.run.random.IntN(len(shapes.All))]
	entry, ok := w.node.Catalog().Entry(s.Name)
	if !ok {
		return nil
	}
	id, at := w.place(s, entry)
	child, err := w.node.Split(ctx, s.Name, id, at)
	if err == nil {
		w.run.result.Splits++
		w.run.note("table %d: partition %d is split off", id, child)
		return nil
	}
	if !errors.Is(err, split.ErrNothing) && !certainlyNot(err) {
		return fmt.Errorf("splitting table %d: %w", id, err)
	}
	return nil
}

// place draws a table or hidden table to split, and where; an empty key is its middle.
func (w *world) place(s shapes.Shape, entry *catalog.Entry) (tableID uint64, at []byte) {
	if n := len(entry.Table.Global); n > 0 && w.run.random.IntN(3) == 0 {
		return entry.Table.Global[w.run.random.IntN(n)].ID, nil
	}
	if w.run.random.IntN(2) == 0 {
		return entry.Table.ID, nil
	}
	key := w.run.draw.Key(s)
	if hash, _ := key.Get(shapes.Hash); s.Local || w.run.random.IntN(2) == 0 {
		key = attr.NewMap([]attr.Entry{{Name: shapes.Hash, Value: hash}})
	}
	return entry.Table.ID, s.Suffix(key)
}
