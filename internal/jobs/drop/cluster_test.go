package drop_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router/routertest"
	"stator/internal/cluster/txn"
	adopting "stator/internal/jobs/adopt"
	"stator/internal/jobs/drop"
	"stator/internal/jobs/settle"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
)

// worker is what one node of a fleet does about tables that go.
type worker struct {
	adopt  *adopting.Job
	settle *settle.Job
	drop   *drop.Job
}

func newWorkers(f *routertest.Fleet) []*worker {
	var workers []*worker
	for _, m := range f.Members {
		transactions := txn.New(txn.Options{Router: m.Router, NowMillis: f.NowMillis, Random: rand.NewChaCha8([32]byte{}),
			Pause: func(context.Context, time.Duration) error { return nil }})
		workers = append(workers, &worker{
			adopt: &adopting.Job{Catalog: m.Catalog, Host: m.Node, Wait: replica.WaitOnChannel, Node: m.ID, Leaders: m.Router, Unready: func() {}},
			settle: &settle.Job{Catalog: m.Catalog, Host: m.Node, Transactions: transactions, Wait: replica.WaitOnChannel,
				NowMillis: f.NowMillis, Empties: true},
			drop: &drop.Job{Catalog: m.Catalog, Host: m.Node, Elsewhere: &drop.Elsewhere{Leaders: m.Router, Copies: m.Node}},
		})
	}
	return workers
}

// rest has all nodes work until nothing is left to do.
func rest(t *testing.T, f *routertest.Fleet, workers []*worker) {
	t.Helper()
	for range 4 {
		f.Follow()
		for _, w := range workers {
			for _, step := range []func(context.Context) error{w.adopt.Step, w.settle.Step, w.drop.Step, w.drop.Orphans} {
				if err := step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	f.Follow()
}

// kept counts the copies of partitions, the catalog's apart.
func kept(f *routertest.Fleet) (copies int) {
	for _, n := range f.Nodes {
		for _, id := range n.Partitions() {
			if id != machine.CatalogPartition {
				copies++
			}
		}
	}
	return copies
}

func deleting(t *testing.T, c *catalog.Catalog) {
	t.Helper()
	_, err := c.Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
		next := now.Clone()
		next.State = table.Deleting
		return next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A table that goes leaves the catalog, and then every node drops its copies, also one that was away meanwhile.
func TestTableGoesEverywhere(t *testing.T) {
	f := routertest.OpenFleet(t, 5)
	workers := newWorkers(f)
	if _, err := f.Members[2].Catalog.Create(t.Context(), nodetest.Things("color"), 5); err != nil {
		t.Fatal(err)
	}
	rest(t, f, workers)
	if copies := kept(f); copies != 30 || f.Entry("things").Table.State != table.Active {
		t.Fatalf("%d copies of ten partitions, the table is %v", copies, f.Entry("things").Table.State)
	}
	deleting(t, f.Members[3].Catalog)
	rest(t, f, workers[:4])
	if names := f.Members[4].Catalog.Names(); len(names) > 0 {
		t.Fatalf("tables %v are left", names)
	}
	if copies := kept(f); copies == 0 || copies != len(f.Nodes[4].Partitions()) {
		t.Fatalf("%d copies are left, of which the node that was away has %d", copies, len(f.Nodes[4].Partitions()))
	}
	if err := workers[4].drop.Orphans(t.Context()); err != nil || kept(f) > 0 {
		t.Errorf("%d copies are left, %v", kept(f), err)
	}
}

// A node whose map is old keeps what a newer one names: it asks before it drops.
func TestOldMapDropsNothing(t *testing.T) {
	f := routertest.OpenFleet(t, 5)
	workers := newWorkers(f)
	if _, err := f.Members[0].Catalog.Create(t.Context(), nodetest.Things(), 5); err != nil {
		t.Fatal(err)
	}
	entry, _ := f.Members[0].Catalog.Entry("things")
	for _, p := range entry.Partitions[entry.Table.ID] {
		for _, m := range p.Members {
			if err := f.Node(m.Node).Birth(entry.Table.ID, []catalog.Partition{p}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, w := range workers[1:] {
		if err := w.drop.Orphans(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if copies := kept(f); copies != 15 {
		t.Errorf("%d of 15 copies are left", copies)
	}
	f.Lead(machine.CatalogPartition, 0)
	f.Members[4].Node.Stale(machine.CatalogPartition, true)
	orphan := catalog.Partition{ID: 9999, Members: []command.Member{{Replica: 1, Node: 5}}}
	if err := f.Node(5).Birth(entry.Table.ID, []catalog.Partition{orphan}); err != nil {
		t.Fatal(err)
	}
	if err := workers[4].drop.Orphans(t.Context()); err == nil || len(f.Copies(9999)) != 1 {
		t.Errorf("without anybody to ask a copy was dropped: %v", err)
	}
}

// A table whose records say what became of a transaction elsewhere stays until that is settled there.
func TestUnsettledTableStays(t *testing.T) {
	f := routertest.OpenFleet(t, 5)
	workers := newWorkers(f)
	if _, err := f.Members[0].Catalog.Create(t.Context(), nodetest.Things(), 2); err != nil {
		t.Fatal(err)
	}
	other := nodetest.Things()
	other.Name = "others"
	if _, err := f.Members[0].Catalog.Create(t.Context(), other, 2); err != nil {
		t.Fatal(err)
	}
	rest(t, f, workers)
	things, others := f.Entry("things").Table, f.Entry("others").Table
	put := func(of *table.Table, pk string) *command.Command {
		item := attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String(pk)}, {Name: "sk", Value: attr.String("a")}})
		hash, rng, _ := of.Key.Values(item)
		return &command.Command{Action: command.Put, Table: of.ID, TableVersion: of.Version, Key: keys.Suffix(hash, rng), Item: item}
	}
	coordinator := txn.New(txn.Options{Router: f.Members[1].Router, NowMillis: f.NowMillis, Random: rand.NewChaCha8([32]byte{1}),
		Failpoint: func(step string) error {
			if step == "apply" {
				return context.Canceled
			}
			return nil
		}})
	_, err := coordinator.Write(t.Context(), txn.Request{Actions: []*command.Command{put(things, "a"), put(others, "b")}})
	if err == nil {
		t.Fatal("the coordinator did not die")
	}
	deleting(t, f.Members[3].Catalog)
	f.Follow()
	for _, w := range workers {
		if err := w.adopt.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.drop.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// All have adopted the deletion, and one of the table's partitions keeps a record.
	if err := workers[0].drop.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Entry("things")
	rest(t, f, workers)
	if _, there := f.Members[2].Catalog.Table("things"); there {
		t.Error("the table is still there")
	}
	result, err := f.Members[4].Router.Read(t.Context(), command.Get{Table: others.ID, TableVersion: others.Version, Key: put(others, "b").Key, Strong: true})
	if err != nil || len(result.Item) == 0 {
		t.Errorf("the committed item of the other table: %v, %v", result.Item, err)
	}
}
