package catalog_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/cluster/catalog"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// follower is a second catalog over a node's partition 1, which learns of changes only when it follows.
type follower struct {
	*catalog.Catalog
	changed int
}

func follow(t *testing.T, n *nodetest.Node) *follower {
	t.Helper()
	f := &follower{}
	c, err := catalog.Open(t.Context(), catalog.Options{Store: n.System(), Wait: n.Wait, Changed: func() { f.changed++ }})
	if err != nil {
		t.Fatal(err)
	}
	f.Catalog = c
	return f
}

// things is a table with so many global indexes, none of which has an id yet.
func things(name string, indexes int) *table.Table {
	key := table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}}
	t := &table.Table{Name: name, State: table.Creating, Key: key}
	for i := range indexes {
		t.Global = append(t.Global, table.Index{Name: fmt.Sprint("index", i), Key: key, Status: table.IndexCreating,
			Projection: table.Projection{Kind: table.All}})
	}
	return t
}

// ids lists every id an entry has given out.
func ids(e *catalog.Entry) []uint64 {
	all := []uint64{e.Table.ID}
	for i := range e.Table.Global {
		all = append(all, e.Table.Global[i].ID)
	}
	for _, partitions := range e.Partitions {
		for _, p := range partitions {
			all = append(all, p.ID)
		}
	}
	slices.Sort(all)
	return all
}

// A created table has ids for itself, its indexes and all their partitions, which divide the ring evenly.
func TestCreate(t *testing.T) {
	n := nodetest.Open(t, nil)
	c := follow(t, n)
	made, err := c.Create(t.Context(), things("things", 2), 3)
	if err != nil {
		t.Fatal(err)
	}
	entry, ok := c.Entry("things")
	if !ok || !reflect.DeepEqual(entry.Table, made) || made.Version != 1 {
		t.Fatalf("entry %+v, made %+v", entry, made)
	}
	all := ids(entry)
	if len(all) != 3+9 || len(slices.Compact(slices.Clone(all))) != len(all) || all[0] <= machine.CatalogPartition {
		t.Errorf("ids %v, want 12 different ones", all)
	}
	for _, id := range []uint64{made.ID, made.Global[0].ID, made.Global[1].ID} {
		partitions := c.Partitions(id)
		if len(partitions) != 3 || partitions[0].Bounds.Lower != nil || partitions[2].Bounds.Upper != nil {
			t.Fatalf("partitions of %d: %+v", id, partitions)
		}
		for i := range 2 {
			upper, want := partitions[i].Bounds.Upper, uint64(1<<63)/3*2*uint64(i+1)
			if got := binary.BigEndian.Uint64(upper); len(upper) != keys.TokenBytes || got-want > 2 || string(upper) != string(partitions[i+1].Bounds.Lower) {
				t.Errorf("bound %d of %d is %x, which is not at %d/3 of the ring", i, id, upper, i+1)
			}
		}
	}
	if byID, ok := c.TableByID(made.ID); !ok || byID.Name != "things" {
		t.Errorf("by its id: %v", byID)
	}
	if _, ok := c.TableByID(made.Global[0].ID); ok {
		t.Error("an index's hidden table was found as a table")
	}
}

// A name that is taken is refused, by whoever took it: this catalog, another node's, or one that is not followed yet.
func TestCreateTaken(t *testing.T) {
	n := nodetest.Open(t, nil)
	c, late := follow(t, n), follow(t, n)
	if _, err := c.Create(t.Context(), things("things", 0), 1); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]*follower{"same": c, "late": late} {
		if _, err := from.Create(t.Context(), things("things", 0), 1); !errors.Is(err, catalog.ErrExists) {
			t.Errorf("%s: %v, want ErrExists", name, err)
		}
	}
}

// Two that change a table at the same time both have their way: the later one is asked again with what the first one made.
func TestUpdatesRace(t *testing.T) {
	n := nodetest.Open(t, nil)
	c, other := follow(t, n), follow(t, n)
	if _, err := c.Create(t.Context(), things("things", 0), 1); err != nil {
		t.Fatal(err)
	}
	if err := other.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	tag := func(name string) func(*table.Table) (*table.Table, error) {
		return func(now *table.Table) (*table.Table, error) {
			next := now.Clone()
			if next.Tags == nil {
				next.Tags = map[string]string{}
			}
			next.Tags[name] = "yes"
			return next, nil
		}
	}
	asked := 0
	got, err := c.Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
		if asked++; asked == 1 {
			if _, err := other.Update(t.Context(), "things", tag("other")); err != nil {
				t.Fatal(err)
			}
		}
		return tag("mine")(now)
	})
	if err != nil || asked != 2 {
		t.Fatalf("asked %d times, %v", asked, err)
	}
	want := map[string]string{"mine": "yes", "other": "yes"}
	now, _ := c.Table("things")
	if !reflect.DeepEqual(got.Tags, want) || !reflect.DeepEqual(now.Tags, want) {
		t.Errorf("tags %v and %v, want %v", got.Tags, now.Tags, want)
	}
	refused := errors.New("no")
	if _, err := c.Update(t.Context(), "things", func(*table.Table) (*table.Table, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("a change that is refused: %v", err)
	}
	if _, err := c.Update(t.Context(), "nothing", tag("x")); !errors.Is(err, catalog.ErrMissing) {
		t.Errorf("a table that is not there: %v", err)
	}
}

// Two that raise what tables are provisioned with know of each other, whichever tables they are: the later one is asked again, and may be
// refused. One that raises nothing is not held up by them.
func TestRaisesRace(t *testing.T) {
	n := nodetest.Open(t, nil)
	c, other := follow(t, n), follow(t, n)
	provisioned := func(name string, units int64) *table.Table {
		made := things(name, 0)
		made.Billing, made.Throughput = table.Provisioned, table.Throughput{Read: 1, Write: units}
		return made
	}
	raise := func(name string, by int64, meanwhile func()) (asked int, err error) {
		_, err = c.Update(t.Context(), name, func(now *table.Table) (*table.Table, error) {
			if asked++; asked == 1 {
				meanwhile()
			}
			next := now.Clone()
			next.Throughput.Write += by
			return next, nil
		})
		return asked, err
	}
	asked, full := 0, errors.New("there is no room")
	_, err := c.CreateBeside(t.Context(), provisioned("late", 1), 1, func() error {
		if asked++; asked == 1 {
			if _, err := other.Create(t.Context(), provisioned("first", 1), 1); err != nil {
				t.Fatal(err)
			}
		}
		if _, there := c.Table("first"); there {
			return full
		}
		return nil
	})
	if _, made := c.Table("late"); asked != 2 || !errors.Is(err, full) || made {
		t.Fatalf("asked %d times, %v, made %v", asked, err, made)
	}
	if _, err := c.Create(t.Context(), provisioned("late", 5), 1); err != nil {
		t.Fatal(err)
	}
	elsewhere := func() {
		_, err := other.Update(t.Context(), "first", func(now *table.Table) (*table.Table, error) {
			next := now.Clone()
			next.Throughput.Write++
			return next, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for by, want := range map[int64]int{1: 2, -1: 1} {
		if asked, err := raise("late", by, elsewhere); err != nil || asked != want {
			t.Errorf("changed by %d: asked %d times, %v, want %d", by, asked, err, want)
		}
	}
	if now := follow(t, n); !reflect.DeepEqual(now.Entries(), c.Entries()) {
		t.Error("what is loaded is not what was followed")
	}
	if _, err := c.Create(t.Context(), provisioned("another", 1), 1); err != nil {
		t.Error(err)
	}
}

// A race that goes on for ever is given up.
func TestEndlessRace(t *testing.T) {
	n := nodetest.Open(t, nil)
	c, other := follow(t, n), follow(t, n)
	if _, err := c.Create(t.Context(), things("things", 0), 1); err != nil {
		t.Fatal(err)
	}
	same := func(now *table.Table) (*table.Table, error) { return now, nil }
	_, err := c.Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
		if err := other.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Update(t.Context(), "things", same); err != nil {
			t.Fatal(err)
		}
		return now, nil
	})
	if err == nil {
		t.Error("the race was won")
	}
}

// A change of a table that is gone by now does not meet another one that was made under its name meanwhile, however alike
// their histories are.
func TestTableOfTheSameName(t *testing.T) {
	for what, late := range map[string]func(*table.Table) (*table.Table, error){
		"changed": func(now *table.Table) (*table.Table, error) { return now, nil },
		"removed": remove,
	} {
		n := nodetest.Open(t, nil)
		c, other := follow(t, n), follow(t, n)
		first, err := c.Create(t.Context(), things("things", 0), 1)
		if err != nil {
			t.Fatal(err)
		}
		var second *table.Table
		_, err = c.Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
			if now.ID != first.ID {
				return nil, catalog.ErrMissing
			}
			if _, err := other.Update(t.Context(), "things", remove); err != nil {
				t.Fatal(err)
			}
			if second, err = other.Create(t.Context(), things("things", 0), 1); err != nil {
				t.Fatal(err)
			}
			return late(now)
		})
		if !errors.Is(err, catalog.ErrMissing) {
			t.Errorf("the table that was to be %s: %v, want ErrMissing", what, err)
		}
		if err := other.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now, ok := other.Table("things"); !ok || now.ID != second.ID {
			t.Errorf("the first table was %s: there is %+v, want table %d", what, now, second.ID)
		}
	}
}

// The version rises with what partitions must adopt and with nothing else.
func TestVersion(t *testing.T) {
	n := nodetest.Open(t, nil)
	c := follow(t, n)
	if _, err := c.Create(t.Context(), things("things", 1), 2); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name   string
		change func(*table.Table)
		want   uint64
	}{
		{"active", func(t *table.Table) { t.State = table.Active; t.Global[0].Status = table.IndexActive }, 1},
		{"tags", func(t *table.Table) { t.Tags = map[string]string{"a": "b"} }, 1},
		{"another index", func(t *table.Table) { t.Global = append(t.Global, things("", 2).Global[1]) }, 2},
		{"backfilling", func(t *table.Table) { t.Global[1].Backfilling = true }, 2},
		{"index deleting", func(t *table.Table) { t.Global[1].Status = table.IndexDeleting }, 3},
		{"index gone", func(t *table.Table) { t.Global = t.Global[:1] }, 4},
		{"deleting", func(t *table.Table) { t.State = table.Deleting }, 5},
	} {
		before, _ := c.Entry("things")
		got, err := c.Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
			next := now.Clone()
			step.change(next)
			return next, nil
		})
		if err != nil || got.Version != step.want {
			t.Fatalf("%s: version %d, want %d (%v)", step.name, got.Version, step.want, err)
		}
		after, _ := c.Entry("things")
		if after.Revision != before.Revision+1 || len(after.Partitions) != 1+len(after.Table.Global) {
			t.Errorf("%s: revision %d after %d, partitions of %d tables", step.name, after.Revision, before.Revision, len(after.Partitions))
		}
		for i := range after.Table.Global {
			if ix := &after.Table.Global[i]; ix.ID == 0 || len(c.Partitions(ix.ID)) != 2 {
				t.Errorf("%s: index %s has id %d and %d partitions", step.name, ix.Name, ix.ID, len(c.Partitions(ix.ID)))
			}
		}
	}
}

// Ids are never given twice, not to what takes the place of what is gone, not after a crash.
func TestIDsAreNotReused(t *testing.T) {
	files := vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	c := follow(t, n)
	highest := uint64(0)
	for round := range 6 {
		if round == 3 {
			n = n.Crash(files.CrashClone(vfs.CrashCloneCfg{}))
			c = follow(t, n)
		}
		if _, err := c.Create(t.Context(), things("things", 1), 2); err != nil {
			t.Fatal(err)
		}
		entry, _ := c.Entry("things")
		all := ids(entry)
		if all[0] <= highest {
			t.Fatalf("round %d: ids %v after %d", round, all, highest)
		}
		highest = all[len(all)-1]
		_, err := c.Update(t.Context(), "things", func(*table.Table) (*table.Table, error) { return nil, nil })
		if _, there := c.Table("things"); err != nil || there || len(c.Partitions(entry.Table.ID)) != 0 {
			t.Fatalf("round %d: the table was not removed: %v", round, err)
		}
	}
	first, err := c.Reserve(context.Background(), 5)
	if err != nil || first <= highest {
		t.Errorf("reserved from %d after %d, %v", first, highest, err)
	}
	if next, err := c.Reserve(context.Background(), 1); err != nil || next != first+5 {
		t.Errorf("reserved %d after 5 from %d, %v", next, first, err)
	}
}

// writeCatalog puts an item into partition 1 behind every catalog's back.
func writeCatalog(t *testing.T, n *nodetest.Node, item attr.Map) {
	t.Helper()
	pk, _ := item.Get("pk")
	_, err := n.System().WriteAndWait(t.Context(), n.Wait, &command.Command{Action: command.Put, Table: machine.CatalogTable,
		TableVersion: catalog.SystemTable().Version, Key: keys.Suffix([]attr.Value{pk}, nil), Item: item})
	if err != nil {
		t.Fatal(err)
	}
}

// An item that no release wrote is an error that names the table, and the map stays as it was.
func TestDamagedItem(t *testing.T) {
	n := nodetest.Open(t, nil)
	c := follow(t, n)
	for _, body := range []string{"{", `{"table":null}`, `{"table":{}}`} {
		writeCatalog(t, n, attr.NewMap([]attr.Entry{
			{Name: "pk", Value: attr.String("table/broken")}, {Name: "revision", Value: attr.Int(1)}, {Name: "body", Value: attr.Binary([]byte(body))},
		}))
		if err := c.Follow(t.Context()); err == nil || !strings.Contains(err.Error(), "broken") {
			t.Errorf("body %s: following gives %v", body, err)
		}
		if _, err := catalog.Open(t.Context(), catalog.Options{Store: n.System(), Wait: n.Wait, Changed: func() {}}); err == nil {
			t.Errorf("body %s was loaded", body)
		}
	}
	if len(c.Names()) != 0 {
		t.Errorf("tables %v", c.Names())
	}
	writeCatalog(t, n, attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("another/kind")}}))
}
