package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/model/scaling"
	"stator/internal/model/table"
)

// memoryCatalog keeps tables in a map and plays the jobs that bring them from state to state.
type memoryCatalog struct {
	tables     map[string]*table.Table
	partitions map[string]int
	held       map[string]table.Count // by table name, or TABLE/INDEX
	lastID     uint64
	scaled     map[scaling.ID]*scaling.Target
	// races is how many changes are made by somebody else first.
	races int
}

func newMemoryCatalog() *memoryCatalog {
	return &memoryCatalog{tables: map[string]*table.Table{}, partitions: map[string]int{}, held: map[string]table.Count{},
		scaled: map[scaling.ID]*scaling.Target{}}
}

func (c *memoryCatalog) Table(name string) (*table.Table, bool) {
	t, ok := c.tables[name]
	return t, ok
}

func (c *memoryCatalog) Await(context.Context, *table.Table) {}

func (c *memoryCatalog) Sync(context.Context) error { return nil }

func (c *memoryCatalog) TableByID(id uint64) (*table.Table, bool) {
	for _, t := range c.tables {
		if t.ID == id {
			return t, true
		}
	}
	return nil, false
}

func (c *memoryCatalog) Names() []string { return slices.Sorted(maps.Keys(c.tables)) }

func (c *memoryCatalog) CreateBeside(_ context.Context, t *table.Table, partitions int, allowed func() error) (*table.Table, error) {
	if _, taken := c.tables[t.Name]; taken {
		return nil, catalog.ErrExists
	}
	if err := allowed(); err != nil {
		return nil, err
	}
	t = t.Clone()
	t.Version = 1
	c.partitions[t.Name] = partitions
	c.store(t)
	return t, nil
}

func (c *memoryCatalog) Update(_ context.Context, name string, change Change) (*table.Table, error) {
	for {
		t, ok := c.tables[name]
		if !ok {
			return nil, catalog.ErrMissing
		}
		before := string(t.Encode())
		changed, err := change(t)
		if string(t.Encode()) != before {
			panic("a change altered the description that it was given")
		}
		if err != nil {
			return nil, err
		}
		if c.races > 0 {
			c.races--
			continue
		}
		c.store(changed.Clone())
		return c.tables[name], nil
	}
}

func (c *memoryCatalog) ScalingTarget(id scaling.ID) (*scaling.Target, bool) {
	t, ok := c.scaled[id]
	return t, ok
}

func (c *memoryCatalog) ScalingTargets() []*scaling.Target {
	return slices.SortedFunc(maps.Values(c.scaled), func(a, b *scaling.Target) int { return a.ID.Compare(b.ID) })
}

func (c *memoryCatalog) UpdateScalingTarget(
	_ context.Context, id scaling.ID, change func(*scaling.Target) (*scaling.Target, error),
) error {
	changed, err := change(c.scaled[id])
	if err != nil {
		return err
	}
	if changed == nil {
		delete(c.scaled, id)
	} else {
		c.scaled[id] = changed
	}
	return nil
}

// store gives ids to what has none and proves that the description survives its stored form.
func (c *memoryCatalog) store(t *table.Table) {
	if t.ID == 0 {
		c.lastID++
		t.ID = c.lastID
	}
	for i := range t.Global {
		if t.Global[i].ID == 0 {
			c.lastID++
			t.Global[i].ID = c.lastID
		}
	}
	stored, err := table.Decode(t.Encode())
	if err != nil {
		panic(fmt.Sprintf("decoding a stored table: %v", err))
	}
	c.tables[t.Name] = stored
}

func (c *memoryCatalog) Stats(_ context.Context, t *table.Table) (table.Statistics, error) {
	held := table.Statistics{Count: c.held[t.Name], Indexes: map[string]table.Count{}}
	for _, ix := range slices.Concat(t.Local, t.Global) {
		held.Indexes[ix.Name] = c.held[t.Name+"/"+ix.Name]
	}
	return held, nil
}

// adopt plays the partitions' part: they have taken notice, and added indexes are being backfilled.
func (c *memoryCatalog) adopt(name string) {
	t := c.tables[name].Clone()
	t.Activate()
	for i := range t.Global {
		ix := &t.Global[i]
		ix.Backfilling = ix.Added && ix.Status == table.IndexCreating
	}
	c.store(t)
}

// settle lets all jobs finish.
func (c *memoryCatalog) settle() {
	for name, t := range c.tables {
		if t.State == table.Deleting {
			delete(c.tables, name)
			continue
		}
		t := t.Clone()
		t.Activate()
		for _, ix := range t.Global {
			if ix.Status == table.IndexDeleting {
				t = t.WithoutGlobal(ix.Name)
			}
		}
		for i := range t.Global {
			t.Global[i].Status, t.Global[i].Backfilling = table.IndexActive, false
		}
		c.store(t)
	}
}
