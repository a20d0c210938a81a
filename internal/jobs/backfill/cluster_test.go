package backfill_test

import (
	"context"
	"fmt"
	"testing"

	"stator/internal/cluster/router/routertest"
	"stator/internal/jobs/adopt"
	"stator/internal/jobs/backfill"
	"stator/internal/jobs/propagate"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
)

// worker is what one node of a fleet does for an index.
type worker struct {
	member    *routertest.Member
	adopt     adopt.Job
	backfill  backfill.Job
	propagate propagate.Job
}

func newWorkers(f *routertest.Fleet) []*worker {
	var workers []*worker
	for _, m := range f.Members {
		workers = append(workers, &worker{member: m,
			adopt: adopt.Job{Catalog: m.Catalog, Host: m.Node, Wait: replica.WaitOnChannel, Node: m.ID, Leaders: m.Router, Unready: func() {}},
			backfill: backfill.Job{Catalog: m.Catalog, Host: m.Node, Router: m.Router, Wait: replica.WaitOnChannel,
				NowMillis: f.NowMillis, Leaders: m.Router, Progress: func(string, string, int64) {}, Consumed: func(uint64, float64) {}},
			propagate: propagate.Job{Router: m.Router, Wait: replica.WaitOnChannel, NowMillis: f.NowMillis},
		})
	}
	return workers
}

// feed feeds the changes of what the node leads.
func (w *worker) feed(ctx context.Context) error {
	for _, id := range w.member.Node.Partitions() {
		r, leads := w.member.Led(id)
		for leads {
			more, err := w.propagate.Step(ctx, r)
			if err != nil {
				return err
			}
			leads = more
		}
	}
	return nil
}

// Each leader fills an index from its own partitions, the next one goes on where a leader stopped, and the index is active
// once all of them are done.
func TestLeadersFill(t *testing.T) {
	f := routertest.OpenFleet(t, 5)
	workers := newWorkers(f)
	if _, err := f.Members[0].Catalog.Create(t.Context(), nodetest.Things(), 5); err != nil {
		t.Fatal(err)
	}
	adopted := func() error {
		for _, w := range workers {
			if err := w.adopt.Step(t.Context()); err != nil {
				return err
			}
		}
		return nil
	}
	made := f.Table("things", adopted)
	put := func(i int, version uint64) {
		t.Helper()
		item := attr.NewMap([]attr.Entry{{Name: "color", Value: attr.String(fmt.Sprint(i % 7))},
			{Name: "pk", Value: attr.String(fmt.Sprint("collection ", i))}, {Name: "sk", Value: attr.String("a")}})
		hash, rng, _ := made.Key.Values(item)
		_, err := f.Members[i%5].Router.Write(t.Context(), &command.Command{Action: command.Put, Table: made.ID, TableVersion: version,
			Key: keys.Suffix(hash, rng), Item: item})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range itemsHeld {
		put(i, made.Version)
	}
	if _, err := f.Members[3].Catalog.Update(t.Context(), "things", add("color")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		f.Follow()
		if err := adopted(); err != nil {
			t.Fatal(err)
		}
	}
	now := f.Entry("things")
	status := func() table.Index { return f.Entry("things").Table.Global[0] }
	if ix := status(); ix.Status != table.IndexCreating || !ix.Backfilling {
		t.Fatalf("the index is %v, backfilling %t", ix.Status, ix.Backfilling)
	}
	for round := range 8 {
		for i, w := range workers {
			if round == 0 && i == 4 {
				continue // the last node has not come to it
			}
			if _, err := w.backfill.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if round == 0 {
			if ix := status(); ix.Status == table.IndexActive {
				t.Error("the index is active before all partitions are done")
			}
			for i, p := range now.Partitions[made.ID] {
				f.Lead(p.ID, p.Members[i%3].Node)
			}
			put(itemsHeld, now.Table.Version)
		}
	}
	for _, w := range workers {
		if err := w.feed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ix := status()
	if ix.Status != table.IndexActive || ix.Backfilling {
		t.Fatalf("in the end the index is %v, backfilling %t", ix.Status, ix.Backfilling)
	}
	page, err := f.Members[4].Router.Scan(t.Context(), command.Plan{Table: ix.ID, TableVersion: f.Entry("things").Table.Version, Strong: true})
	if err != nil || len(page.Items) != itemsHeld+1 {
		t.Errorf("the index shows %d items, want %d, %v", len(page.Items), itemsHeld+1, err)
	}
}
