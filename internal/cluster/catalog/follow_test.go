package catalog_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
)

// agree tells whether two catalogs show the same map.
func agree(t *testing.T, a, b *follower) {
	t.Helper()
	if !slices.Equal(a.Names(), b.Names()) || !reflect.DeepEqual(a.Entries(), b.Entries()) {
		t.Errorf("the catalogs differ: %v and %v", a.Names(), b.Names())
	}
	for _, entry := range a.Entries() {
		for id := range entry.Partitions {
			if !reflect.DeepEqual(a.Partitions(id), b.Partitions(id)) {
				t.Errorf("partitions of %d differ", id)
			}
		}
	}
}

func remove(*table.Table) (*table.Table, error) { return nil, nil }

// A follower comes to the same map as the one who changes it, a step at a time or all at once.
func TestFollow(t *testing.T) {
	n := nodetest.Open(t, nil)
	c, late := follow(t, n), follow(t, n)
	steps := []func() error{
		func() error { _, err := c.Create(t.Context(), things("b", 1), 2); return err },
		func() error { _, err := c.Create(t.Context(), things("a", 0), 1); return err },
		func() error {
			_, err := c.Update(t.Context(), "b", func(now *table.Table) (*table.Table, error) {
				next := now.Clone()
				next.State = table.Active
				return next, nil
			})
			return err
		},
		func() error { _, err := c.Update(t.Context(), "b", remove); return err },
		func() error { _, err := c.Create(t.Context(), things("b", 0), 1); return err },
	}
	prompt := follow(t, n)
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		before := prompt.changed
		if err := prompt.Follow(t.Context()); err != nil || prompt.changed == before {
			t.Fatalf("step %d: told of a change %t, %v", i, prompt.changed != before, err)
		}
		agree(t, c, prompt)
	}
	before := prompt.changed
	if err := prompt.Follow(t.Context()); err != nil || prompt.changed != before {
		t.Errorf("nothing happened: told of a change %t, %v", prompt.changed != before, err)
	}
	if names := late.Names(); len(names) != 0 {
		t.Errorf("a catalog that does not follow shows %v", names)
	}
	if err := late.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	agree(t, c, late)
	agree(t, c, follow(t, n))
	if names := c.Names(); !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("names %v", names)
	}
}

// A follower whose next change was trimmed reads the whole map anew.
func TestTrimmedFollowerReloads(t *testing.T) {
	n := nodetest.Open(t, nil)
	c, late := follow(t, n), follow(t, n)
	for i := range 5 {
		if _, err := c.Create(t.Context(), things(fmt.Sprint("table", i), 1), 2); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Update(t.Context(), "table1", remove); err != nil {
		t.Fatal(err)
	}
	trim := func(keep uint64) {
		sequence := n.System().State().Applied.Sequence - keep
		_, err := n.System().WriteAndWait(t.Context(), n.Wait, &command.Command{Action: command.Consume, Consumer: "catalog", Sequence: sequence})
		if err != nil {
			t.Fatal(err)
		}
	}
	trim(1)
	if err := late.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	agree(t, c, late)
	trim(0)
	if _, err := c.Create(t.Context(), things("last", 0), 1); err != nil {
		t.Fatal(err)
	}
	if err := late.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	agree(t, c, late)
}

// An entry carries splits that are reserved, and the partitions a split has made.
func TestReservations(t *testing.T) {
	n := nodetest.Open(t, nil)
	c, late := follow(t, n), follow(t, n)
	made, err := c.Create(t.Context(), things("things", 1), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := catalog.Reservation{Table: made.ID, Parent: c.Partitions(made.ID)[0].ID, Generation: 3, At: []byte{1, 2}, Child: 77}
	_, err = c.UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
		next := *now
		next.Splits = []catalog.Reservation{want}
		return &next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The last 64 that were finished are remembered, each once.
	_, err = c.UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
		for child := range uint64(70) {
			now = now.Finished(catalog.Reservation{Child: child}).Finished(catalog.Reservation{Child: child})
		}
		return now, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := late.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	entry, _ := late.Entry("things")
	if !reflect.DeepEqual(entry.Splits, []catalog.Reservation{want}) || entry.Table.Version != 1 {
		t.Errorf("reservations %+v at version %d", entry.Splits, entry.Table.Version)
	}
	if len(entry.Past) != 64 || entry.Past[0].Child != 6 || entry.Past[63].Child != 69 {
		t.Errorf("finished are %+v", entry.Past)
	}
	if len(late.Partitions(made.ID)) != 2 || len(late.Partitions(made.Global[0].ID)) != 2 {
		t.Error("a reservation changed the partitions")
	}
}

// The hidden table of an index is keyed by the index key, made unique by the table's.
func TestIndexTable(t *testing.T) {
	base := things("things", 1)
	base.Version, base.Global[0].ID = 7, 99
	base.Global[0].Key.Hash = []table.KeyAttribute{{Name: "a"}, {Name: "b"}}
	base.Global[0].Key.Range = []table.KeyAttribute{{Name: "c"}}
	hidden := catalog.IndexTable(base, &base.Global[0])
	if got := hidden.Key.Names(); !slices.Equal(got, []string{"a", "b", "c", "pk"}) || len(hidden.Key.Hash) != 2 {
		t.Errorf("key %v", got)
	}
	if hidden.ID != 99 || hidden.Version != 7 || len(base.Global[0].Key.Range) != 1 {
		t.Errorf("hidden table %+v", hidden)
	}
}

// A split that is reserved and not entered may bring something that the map lacks, whichever node has reserved it.
func TestSplitting(t *testing.T) {
	n := nodetest.Open(t, nil)
	c, late := follow(t, n), follow(t, n)
	made, err := c.Create(t.Context(), things("things", 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	splitting := func(want bool) {
		t.Helper()
		table, err := late.Splitting(t.Context(), made.ID)
		index, failed := late.Splitting(t.Context(), made.Global[0].ID)
		if err != nil || failed != nil || table != want || index {
			t.Errorf("the table %t, %v, its index %t, %v", table, err, index, failed)
		}
	}
	change := func(change func(next *catalog.Entry)) {
		t.Helper()
		if _, err := c.UpdateEntry(t.Context(), "things", func(e *catalog.Entry) (*catalog.Entry, error) {
			next := *e
			change(&next)
			return &next, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	splitting(false)
	parent := c.Partitions(made.ID)[0].ID
	change(func(next *catalog.Entry) {
		next.Splits = []catalog.Reservation{{Table: made.ID, Parent: parent, Generation: 1, At: []byte{0x80}, Child: 99}}
	})
	splitting(true)
	change(func(next *catalog.Entry) {
		next.Partitions = maps.Clone(next.Partitions)
		next.Partitions[made.ID] = catalog.EvenPartitions(2, 98)
	})
	splitting(false)
}
