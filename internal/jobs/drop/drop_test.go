package drop_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/drop"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
)

func setDeleting(now *table.Table) (*table.Table, error) {
	next := now.Clone()
	next.State = table.Deleting
	return next, nil
}

// settled answers whether transactions are.
type settled bool

func (s settled) Table(context.Context, []catalog.Partition) (bool, error) { return bool(s), nil }

func setIndexDeleting(now *table.Table) (*table.Table, error) {
	next := now.Clone()
	next.Global[0].Status = table.IndexDeleting
	return next, nil
}

func change(t *testing.T, n *nodetest.Node, f func(*table.Table) (*table.Table, error)) {
	t.Helper()
	if _, err := n.Catalog().Update(t.Context(), "things", f); err != nil {
		t.Fatal(err)
	}
}

// rows counts what the store holds of tables (data to transactions) and partitions (logs to part state).
func rows(t *testing.T, n *nodetest.Node, tables []uint64, partitions []uint64) (count int) {
	t.Helper()
	under := func(prefix []byte) {
		it, err := n.Engine().Iter(prefix, keys.SuccessorPrefix(prefix))
		if err != nil {
			t.Fatal(err)
		}
		defer it.Close()
		for ok := it.First(); ok; ok = it.Next() {
			count++
		}
	}
	for _, id := range tables {
		for _, space := range []keys.Space{keys.SpaceData, keys.SpaceLocalIndex, keys.SpaceLock, keys.SpaceSize, keys.SpaceTransaction} {
			under(keys.Prefix(space, id))
		}
	}
	for _, id := range partitions {
		for _, space := range []keys.Space{keys.SpaceLog, keys.SpaceExpiry, keys.SpacePart} {
			under(keys.Prefix(space, id))
		}
	}
	return count
}

func owned(e *catalog.Entry) (tables, partitions []uint64) {
	for id, list := range e.Partitions {
		tables = append(tables, id)
		for _, p := range list {
			partitions = append(partitions, p.ID)
		}
	}
	return tables, partitions
}

// A deleted table leaves nothing behind, its indexes and their partitions included; its neighbour stays as it is.
func TestTable(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color"), 3)
	neighbour := nodetest.Things("color")
	neighbour.Name = "neighbour"
	n.Create(neighbour, 3)
	n.FillTable("things", 40, "color")
	n.FillTable("neighbour", 40, "color")
	n.Rest()
	tables, partitions := owned(n.Entry("things"))
	if rows(t, n, tables, partitions) < 60 {
		t.Fatal("the table holds too little to prove anything")
	}
	change(t, n, setDeleting)
	n.Rest()
	if _, there := n.Catalog().Entry("things"); there {
		t.Error("the catalog still has the table")
	}
	if left := rows(t, n, tables, partitions); left != 0 {
		t.Errorf("%d rows are left", left)
	}
	for _, id := range partitions {
		if _, up := n.Replica(id); up {
			t.Errorf("partition %d is up", id)
		}
	}
	if items := n.Check("neighbour"); len(items) != 40 {
		t.Errorf("the neighbour has %d items", len(items))
	}
	n.Create(nodetest.Things("color"), 3)
	if items := n.Check("things"); len(items) != 0 {
		t.Errorf("a table of the same name begins with %d items", len(items))
	}
}

// A deleted index goes alone. Nothing is recorded for it any more, and one of the same name begins anew.
func TestIndex(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color", "size"), 2)
	n.FillTable("things", 30, "color", "size")
	n.Rest()
	before := n.Entry("things")
	gone := before.Table.Global[0].ID
	var partitions []uint64
	for _, p := range before.Partitions[gone] {
		partitions = append(partitions, p.ID)
	}
	late := n.Put("things", "late", "1", "color", "red", "size", "big")
	change(t, n, setIndexDeleting)
	n.Write(late)
	n.Rest()
	entry := n.Entry("things")
	if len(entry.Table.Global) != 1 || entry.Table.Global[0].Name != "size" || len(entry.Partitions) != 2 {
		t.Fatalf("indexes %+v", entry.Table.Global)
	}
	for _, a := range entry.Table.Definitions {
		if a.Name == "color" {
			t.Error("the index's key attribute is still defined")
		}
	}
	if left := rows(t, n, []uint64{gone}, partitions); left != 0 {
		t.Errorf("%d rows are left", left)
	}
	if items := n.Check("things"); len(items) != 31 {
		t.Errorf("%d items", len(items))
	}
}

// spy is a host that writes down what it is to drop.
type spy struct {
	*nodetest.Node
	dropped []uint64
}

func (s *spy) Drop(id uint64, _ []catalog.Partition) error {
	s.dropped = append(s.dropped, id)
	return nil
}

// Nothing goes before every partition has adopted the deletion, nor while a split could leave a half behind.
func TestNothingGoesTooEarly(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color"), 2)
	host := &spy{Node: n}
	job := drop.Job{Catalog: n.Catalog(), Host: host, Wait: n.Wait, Settled: settled(true)}
	step := func(what string) {
		t.Helper()
		if err := job.Step(t.Context()); err != nil || len(host.dropped) != 0 {
			t.Errorf("%s: dropped %v, %v", what, host.dropped, err)
		}
	}
	step("an active table")
	change(t, n, setDeleting)
	step("a deletion that nobody adopted")
	_, err := n.Catalog().UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
		next := *now
		next.Splits = []catalog.Reservation{{Table: now.Table.ID, Parent: now.Partitions[now.Table.ID][0].ID, Child: 7777}}
		return &next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := n.Control(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if has := n.Must(n.Entry("things").Partitions[n.Entry("things").Table.ID][0].ID).State().Table; has.State != table.Deleting {
		t.Fatalf("the deletion was not adopted: %v", has.State)
	}
	step("a deletion beside a split")
	_, err = n.Catalog().UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
		next := *now
		next.Splits = nil
		return &next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Step(t.Context()); err != nil || len(host.dropped) != 2 {
		t.Errorf("dropped %v, %v", host.dropped, err)
	}
}

// halfGone is a host that a crash left without the partitions of a table, whose transactions can be settled only without it.
type halfGone struct {
	*spy
	table *catalog.Entry
}

func (h halfGone) Replica(partition uint64) (*replica.Replica, bool) {
	if h.has(partition) {
		return h.spy.Replica(partition)
	}
	return nil, false
}

func (h halfGone) has(partition uint64) bool {
	return !slices.ContainsFunc(h.table.Partitions[h.table.Table.ID], func(p catalog.Partition) bool { return p.ID == partition })
}

func (h halfGone) Table(_ context.Context, partitions []catalog.Partition) (bool, error) {
	if _, there := h.Catalog().Entry(h.table.Table.Name); there && h.has(partitions[0].ID) {
		return false, errors.New("a partition of a table is asked that is not there")
	}
	return true, nil
}

// A crash took a table's partitions and left it in the catalog: another one, whose transactions took part in it, goes all the same.
func TestCrashBetweenTwoTables(t *testing.T) {
	n := nodetest.Open(t, nil)
	zoo := nodetest.Things()
	zoo.Name = "zoo"
	n.Create(nodetest.Things(), 2)
	n.Create(zoo, 2)
	for _, entry := range n.Catalog().Entries() {
		if _, err := n.Catalog().Update(t.Context(), entry.Table.Name, setDeleting); err != nil {
			t.Fatal(err)
		}
		entry = n.Entry(entry.Table.Name)
		adopt(t, n, entry.Partitions[entry.Table.ID], entry.Table)
	}
	host := halfGone{&spy{Node: n}, n.Entry("zoo")}
	job := drop.Job{Catalog: n.Catalog(), Host: host, Wait: n.Wait, Settled: host}
	if err := job.Step(t.Context()); err != nil || len(host.dropped) != 2 || host.dropped[0] != host.table.Table.ID {
		t.Errorf("dropped are %v: %v", host.dropped, err)
	}
}

// A batch that was under way when its partition goes would be performed after it, and bring back a partition that is half
// there: the next start would fail on it.
func TestBatchUnderWay(t *testing.T) {
	files := vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	n.Create(nodetest.Things("color"), 1)
	n.Write(n.Put("things", "a", "1", "color", "red"))
	change(t, n, setDeleting)
	entry := n.Entry("things")
	tables, partitions := owned(entry)
	adopt(t, n, entry.Partitions[entry.Table.ID], entry.Table)
	adopt(t, n, entry.Partitions[tables[0]+tables[1]-entry.Table.ID], catalog.IndexTable(entry.Table, &entry.Table.Global[0]))
	for _, id := range partitions {
		correct := &command.Command{
			Action: command.Correct, Generation: n.Must(id).State().Descriptor.Generation, Correction: command.Stats{Items: 1},
		}
		n.Must(id).Write(correct, func(command.Result, error) {})
	}
	for n.Executable() > 0 {
		n.Execute(0)
	}
	if err := n.Control(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n.Turn() {
		continue
	}
	if left := rows(t, n, tables, partitions); left != 0 {
		t.Errorf("%d rows are left", left)
	}
	n.Crash(files.CrashClone(vfs.CrashCloneCfg{}))
}

func adopt(t *testing.T, n *nodetest.Node, partitions []catalog.Partition, description *table.Table) {
	t.Helper()
	for _, p := range partitions {
		err := replica.ChangeAndWait(t.Context(), n.Wait, func(done func(error)) { n.Must(p.ID).Adopt(description, done) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

var _ drop.Host = (*spy)(nil)
