package cluster

import (
	"context"
	"errors"
	"slices"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/sim/shapes"
)

// accounts is the table of the bank, tables are those of all other clients.
var (
	accounts = shapes.Shape{Name: "accounts"}
	tables   = shapes.All
)

// createTables makes, once, the tables of a run, each with a stream of its changes and an index.
func (w *world) createTables() {
	if w.creating {
		return
	}
	w.creating = true
	w.Start("tables", func() {
		c := &client{w, -1}
		for _, s := range append(slices.Clone(tables), accounts) {
			for !c.create(s) {
				w.Sleep(100 * time.Millisecond)
			}
		}
	})
}

func (c *client) create(s shapes.Shape) bool {
	t := s.Table()
	t.CreatedMillis = startMoment.UnixMilli()
	t.Streams = []table.Stream{{CreatedMillis: t.CreatedMillis, View: table.ViewBoth}}
	t.TimeToLive = shapes.Ends
	ix := c.newIndex(false)
	t.Global = []table.Index{ix}
	t.Definitions = shapes.Definitions(t)
	partitions := c.habits.partitions
	created, err := ask(c, func(ctx context.Context, m *machine) (*table.Table, error) {
		return m.steps.Catalog().Create(ctx, t, partitions)
	})
	c.Note("table %s with index %s: %v", s.Name, ix.Name, err)
	return errors.Is(err, catalog.ErrExists) || err == nil && created != nil
}

func (w *world) newIndex(added bool) table.Index {
	indexes := shapes.GlobalIndexes()
	ix := indexes[w.Random.IntN(len(indexes))]
	ix.Status, ix.Added = table.IndexCreating, added
	return ix
}

// moveIndex creates or deletes one index of one table, as UpdateTable does.
func (c *client) moveIndex() error {
	s, ix := tables[c.Random.IntN(len(tables))], c.newIndex(true)
	_, err := ask(c, func(ctx context.Context, m *machine) (*table.Table, error) {
		return m.steps.Catalog().Update(ctx, s.Name, func(now *table.Table) (*table.Table, error) {
			if now.State != table.Active || !now.Settled() {
				return nil, errNotNow
			}
			next := now.Clone()
			next.State = table.Updating
			if there, ok := next.GlobalIndex(ix.Name); ok {
				there.Status = table.IndexDeleting
				return next, nil
			}
			next.Global = append(next.Global, ix)
			next.Definitions = shapes.Definitions(next)
			return next, nil
		})
	})
	c.Note("index %s of table %s begins or ends: %v", ix.Name, s.Name, err)
	if err == nil {
		c.result.Indexes++
	}
	return err
}

// partitionsOf lists all partitions of a catalog, its own first.
func partitionsOf(c *catalog.Catalog) []uint64 {
	all := []uint64{1}
	for _, entry := range c.Entries() {
		for _, partitions := range entry.Partitions {
			for _, p := range partitions {
				all = append(all, p.ID)
			}
		}
	}
	slices.Sort(all)
	return all
}
