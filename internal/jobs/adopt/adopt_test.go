package adopt_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
)

func change(t *testing.T, n *nodetest.Node, name string, f func(*table.Table)) {
	t.Helper()
	_, err := n.Catalog().Update(t.Context(), name, func(now *table.Table) (*table.Table, error) {
		next := now.Clone()
		f(next)
		return next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// behind counts the partitions of a table and its indexes that are not here or do not have its version.
func behind(n *nodetest.Node, name string) (count int) {
	entry := n.Entry(name)
	for id, list := range entry.Partitions {
		for _, p := range list {
			r, up := n.Replica(p.ID)
			if !up || r.State().Table == nil || r.State().Table.Version != entry.Table.Version || r.State().Table.ID != id {
				count++
			}
		}
	}
	return count
}

// chains adds up how often the partitions of a table decided something.
func chains(n *nodetest.Node, name string) (sum uint64) {
	for _, list := range n.Entry(name).Partitions {
		for _, p := range list {
			sum += n.Must(p.ID).State().Applied.Chain
		}
	}
	return sum
}

// A new table is active once all its partitions, and those of its indexes, are born and have its description.
func TestNewTable(t *testing.T) {
	n := nodetest.Open(t, nil)
	if _, err := n.Catalog().Create(t.Context(), nodetest.Things("color", "size"), 3); err != nil {
		t.Fatal(err)
	}
	if got := behind(n, "things"); got != 9 {
		t.Fatalf("%d of 9 partitions are behind", got)
	}
	if err := n.Control(t.Context()); err != nil {
		t.Fatal(err)
	}
	entry := n.Entry("things")
	if behind(n, "things") != 0 || entry.Table.State != table.Active || !entry.Table.Settled() {
		t.Errorf("%d partitions are behind, the table is %v, its indexes settled %t", behind(n, "things"), entry.Table.State, entry.Table.Settled())
	}
	decided, revision := chains(n, "things"), entry.Revision
	if err := n.Control(t.Context()); err != nil || chains(n, "things") != decided || n.Entry("things").Revision != revision {
		t.Errorf("a second step changed something: %v", err)
	}
	n.FillTable("things", 20, "color", "size")
	n.Rest()
	n.Check("things")
}

// A changed table is adopted by all before it is active; what an index waits for depends on how it came.
func TestChangedTable(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color"), 2)
	change(t, n, "things", func(now *table.Table) {
		now.State, now.Throughput.Before = table.Updating, &table.Throughput{Read: 1}
		now.Global[0].Status, now.Global[0].Throughput.Before = table.IndexUpdating, &table.Throughput{Read: 1}
		added := nodetest.Index("size")
		added.Added = true
		now.Global = append(now.Global, added)
	})
	if got := behind(n, "things"); got != 6 {
		t.Errorf("%d of 6 partitions are behind", got)
	}
	if err := n.Control(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := n.Entry("things").Table
	if behind(n, "things") != 0 || now.State != table.Active || now.Global[0].Status != table.IndexActive {
		t.Errorf("%d partitions are behind, the table is %v, its index %v", behind(n, "things"), now.State, now.Global[0].Status)
	}
	if now.Throughput.Before != nil || now.Global[0].Throughput.Before != nil {
		t.Error("the table, or its index, is described with the units it had before")
	}
	if added := &now.Global[1]; added.Status != table.IndexCreating || !added.Backfilling {
		t.Errorf("the added index is %v, backfilling %t", added.Status, added.Backfilling)
	}
}

// A partition that cannot adopt keeps its table from being active, and no other table.
func TestPartitionThatCannot(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things(), 2)
	other := nodetest.Things()
	other.Name = "zebras"
	n.Create(other, 1)
	n.Must(n.Catalog().Partitions(n.Entry("things").Table.ID)[1].ID).Stop()
	for _, name := range []string{"things", "zebras"} {
		change(t, n, name, func(now *table.Table) {
			now.State = table.Updating
			now.Global = append(now.Global, nodetest.Index("color"))
		})
	}
	if err := n.Control(t.Context()); err == nil {
		t.Error("nobody says that a partition cannot adopt")
	}
	if got := n.Entry("things").Table.State; got != table.Updating || behind(n, "things") != 3 {
		t.Errorf("the table is %v with %d partitions behind", got, behind(n, "things"))
	}
	if got := n.Entry("zebras").Table.State; got != table.Active {
		t.Errorf("the other table is %v", got)
	}
}

// While a split is reserved there may be a half that has not adopted.
func TestReservedSplit(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things(), 1)
	reserve := func(splits []catalog.Reservation, state table.State) {
		_, err := n.Catalog().UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
			next := *now
			next.Table = now.Table.Clone()
			next.Table.State, next.Splits = state, splits
			return &next, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Control(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	reserve([]catalog.Reservation{{Child: 7777}}, table.Updating)
	if got := n.Entry("things").Table.State; got != table.Updating {
		t.Errorf("beside a split the table is %v", got)
	}
	reserve(nil, table.Updating)
	if got := n.Entry("things").Table.State; got != table.Active {
		t.Errorf("after it the table is %v", got)
	}
}

// A crash at any step of a creation is made good by the next start.
func TestCrashAtEveryStep(t *testing.T) {
	crashes := 0
	for at := 0; ; at++ {
		files := vfs.NewCrashableMem()
		n := nodetest.Open(t, files)
		var left *vfs.MemFS
		turns := 0
		n.Turned = func() {
			if turns++; turns == at+1 {
				left = files.CrashClone(vfs.CrashCloneCfg{})
			}
		}
		n.Create(nodetest.Things("color"), 2)
		if n.Turned = nil; left == nil {
			break
		}
		crashes++
		n = n.Crash(left)
		n.Rest()
		if len(n.Catalog().Names()) == 0 {
			n.Create(nodetest.Things("color"), 2)
		}
		n.FillTable("things", 10, "color")
		n.Rest()
		if items := n.Check("things"); len(items) != 10 || n.Entry("things").Table.State != table.Active {
			t.Errorf("step %d: %d items in a table that is %v", at, len(items), n.Entry("things").Table.State)
		}
	}
	if crashes < 10 {
		t.Errorf("%d crashes", crashes)
	}
}
