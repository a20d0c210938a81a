package backfill_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/backfill"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

const itemsHeld = 60

// add wishes for an index on a table that holds items.
func add(name string) func(*table.Table) (*table.Table, error) {
	return func(now *table.Table) (*table.Table, error) {
		next := now.Clone()
		ix := nodetest.Index(name)
		ix.Added = true
		next.Global = append(next.Global, ix)
		return next, nil
	}
}

func change(t *testing.T, n *nodetest.Node, f func(*table.Table) (*table.Table, error)) {
	t.Helper()
	if _, err := n.Catalog().Update(t.Context(), "things", f); err != nil {
		t.Fatal(err)
	}
}

func index(t *testing.T, n *nodetest.Node, name string) *table.Index {
	t.Helper()
	ix, ok := n.Entry("things").Table.GlobalIndex(name)
	if !ok {
		t.Fatalf("no index %s", name)
	}
	return ix
}

func control(t *testing.T, n *nodetest.Node) {
	t.Helper()
	if err := n.Control(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func fill(t *testing.T, n *nodetest.Node) {
	t.Helper()
	if err := n.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// An index that is added to a table with items shows them all, and says that it is being filled until it does.
func TestFill(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things(), 3)
	n.FillTable("things", itemsHeld, "color")
	change(t, n, add("color"))
	control(t, n)
	if ix := index(t, n, "color"); ix.Status != table.IndexCreating || !ix.Backfilling {
		t.Fatalf("after the adoption the index is %v, backfilling %t", ix.Status, ix.Backfilling)
	}
	n.Rest()
	if ix := index(t, n, "color"); ix.Status != table.IndexActive || ix.Backfilling {
		t.Errorf("at rest the index is %v, backfilling %t", ix.Status, ix.Backfilling)
	}
	if items := n.Check("things"); len(items) != itemsHeld {
		t.Errorf("%d items", len(items))
	}
	if shown := n.Items(index(t, n, "color").ID, n.Entry("things").Table.Version); len(shown) != 45 {
		t.Errorf("the index shows %d items, want 45", len(shown))
	}
	read := int64(0)
	for _, p := range n.Catalog().Partitions(n.Entry("things").Table.ID) {
		done := n.Must(p.ID).State().Backfills[index(t, n, "color").ID]
		if read += done.Items; !done.Done {
			t.Errorf("partition %d says %+v", p.ID, done)
		}
	}
	if read != itemsHeld {
		t.Errorf("%d items were read", read)
	}
}

// While an index is filled, items come, change, lose its key and go, partitions split and the machine crashes. It ends as
// the function of the table.
func TestFillAmidUnrest(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			files := vfs.NewCrashableMem()
			n := nodetest.Open(t, files)
			made := n.Create(nodetest.Things(), 2)
			n.FillTable("things", itemsHeld, "color")
			change(t, n, add("color"))
			for range 40 {
				switch random.IntN(8) {
				case 0:
					control(t, n)
				case 1:
					fill(t, n)
				case 2:
					n.Feed(t.Context())
				case 3:
					if _, err := n.Split(t.Context(), "things", made.ID, nil); err != nil {
						t.Fatal(err)
					}
				case 4:
					left := files.CrashClone(vfs.CrashCloneCfg{})
					files = left
					n = n.Crash(left)
				default:
					write(n, random)
				}
			}
			n.Rest()
			if ix := index(t, n, "color"); ix.Status != table.IndexActive {
				t.Errorf("the index is %v", ix.Status)
			}
			n.Check("things")
		})
	}
}

// write puts or deletes an item that may be there, with or without the index key. The partitions have to know the table.
func write(n *nodetest.Node, random *rand.Rand) {
	if err := n.Control(context.Background()); err != nil {
		panic(err)
	}
	i := random.IntN(itemsHeld + 10)
	pk, sk := fmt.Sprint("collection ", i%9), fmt.Sprint("item ", i)
	switch random.IntN(3) {
	case 0:
		n.Write(n.Delete("things", pk, sk))
	case 1:
		n.Write(n.Put("things", pk, sk))
	default:
		n.Write(n.Put("things", pk, sk, "color", fmt.Sprint("value ", random.IntN(9))))
	}
}

// A partition reads only after it has adopted the index: what it writes before is in no change log.
func TestNotBeforeTheAdoption(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(nodetest.Things(), 1)
	n.FillTable("things", itemsHeld, "color")
	late := n.Put("things", "late", "1", "color", "red")
	change(t, n, func(now *table.Table) (*table.Table, error) {
		next, err := add("color")(now)
		next.Global[0].Backfilling = true
		return next, err
	})
	fill(t, n)
	r := n.Must(n.Catalog().Partitions(made.ID)[0].ID)
	if progress := r.State().Backfills[index(t, n, "color").ID]; progress.Items != 0 || progress.Done {
		t.Errorf("before the adoption the partition was read: %+v", progress)
	}
	n.Write(late)
	// The hidden partitions are born as the index is created.
	change(t, n, func(now *table.Table) (*table.Table, error) {
		next := now.Clone()
		next.Global[0].Backfilling = false
		return next, nil
	})
	n.Rest()
	if items := n.Check("things"); len(items) != itemsHeld+1 || index(t, n, "color").Status != table.IndexActive {
		t.Errorf("%d items, index %v", len(items), index(t, n, "color").Status)
	}
}

// An index is not active while a split has made a partition that the catalog does not name yet: it is not filled.
func TestNotWhileAHalfIsUnknown(t *testing.T) {
	files := vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	made := n.Create(nodetest.Things(), 1)
	n.FillTable("things", itemsHeld, "color")
	change(t, n, add("color"))
	control(t, n)
	parent := n.Must(n.Catalog().Partitions(made.ID)[0].ID)
	wish := catalog.Reservation{Table: made.ID, Parent: parent.State().Descriptor.Partition, Child: 5000,
		Generation: parent.State().Descriptor.Generation, At: nodetest.Suffix("collection 3", "item 3")}
	_, err := n.Catalog().UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
		next := *now
		next.Splits = []catalog.Reservation{wish}
		return &next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = replica.ChangeAndWait(t.Context(), n.Wait, func(done func(error)) {
		parent.Split(&command.Command{At: wish.At, Child: wish.Child, Generation: wish.Generation}, done)
	})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, n)
	if progress := parent.State().Backfills[index(t, n, "color").ID]; !progress.Done {
		t.Errorf("the left half is not filled: %+v", progress)
	}
	if ix := index(t, n, "color"); ix.Status != table.IndexCreating {
		t.Errorf("the index is %v with half of the table", ix.Status)
	}
	n = n.Crash(files.CrashClone(vfs.CrashCloneCfg{}))
	n.Rest()
	if ix := index(t, n, "color"); ix.Status != table.IndexActive {
		t.Errorf("the index is %v", ix.Status)
	}
	n.Check("things")
}

// A crash in the middle does not begin anew: what is saved as done is not read again.
func TestResume(t *testing.T) {
	files := vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	made := n.Create(nodetest.Things(), 2)
	n.FillTable("things", itemsHeld, "color")
	change(t, n, add("color"))
	control(t, n)
	read := int64(0)
	job := func(n *nodetest.Node) *backfill.Job {
		return &backfill.Job{Catalog: n.Catalog(), Host: n, Router: n.Router(), Wait: n.Wait,
			NowMillis: func() int64 { return n.Clock.Now().UnixMilli() }, Progress: func(_, _ string, items int64) { read = items },
			Consumed: func(uint64, float64) {}}
	}
	if more, err := job(n).Step(t.Context()); err != nil || !more {
		t.Fatalf("more %t, %v", more, err)
	}
	first := n.Catalog().Partitions(made.ID)[0].ID
	done := n.Must(first).State().Backfills[index(t, n, "color").ID]
	if !done.Done || done.Items != read || read == 0 || read == itemsHeld {
		t.Fatalf("a step read %d items, the partition says %+v", read, done)
	}
	n = n.Crash(files.CrashClone(vfs.CrashCloneCfg{}))
	chain := n.Must(first).State().Applied.Chain
	if more, err := job(n).Step(t.Context()); err != nil || !more || read != itemsHeld {
		t.Errorf("the second step read up to %d items, %v", read, err)
	}
	if n.Must(first).State().Applied.Chain != chain {
		t.Error("the partition that was done was asked again")
	}
	n.Rest()
	n.Check("things")
}

// A table whose index is deleted, or that is deleted itself, in the middle is no fault.
func TestGoneInTheMiddle(t *testing.T) {
	for name, gone := range map[string]func(*table.Table){
		"index": func(now *table.Table) { now.Global[0].Status = table.IndexDeleting },
		"table": func(now *table.Table) { now.State = table.Deleting },
	} {
		t.Run(name, func(t *testing.T) {
			n := nodetest.Open(t, nil)
			n.Create(nodetest.Things(), 1)
			n.FillTable("things", itemsHeld, "color")
			change(t, n, add("color"))
			control(t, n)
			change(t, n, func(now *table.Table) (*table.Table, error) {
				next := now.Clone()
				gone(next)
				return next, nil
			})
			fill(t, n)
			n.Rest()
			if entry, there := n.Catalog().Entry("things"); there && (name == "table" || len(entry.Table.Global) != 0) {
				t.Errorf("at rest there is %+v", entry.Table)
			}
		})
	}
}
