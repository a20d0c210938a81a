package split_test

import (
	"context"
	"fmt"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router/routertest"
	"stator/internal/jobs/adopt"
	"stator/internal/jobs/split"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
)

// fleet is five nodes, each of which splits what it leads.
type fleet struct {
	*routertest.Fleet
	table *table.Table
	jobs  []*split.Job
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{Fleet: routertest.OpenFleet(t, 5)}
	var adopts []*adopt.Job
	for _, m := range f.Members {
		j := &split.Job{Catalog: m.Catalog, Host: m.Node, Wait: replica.WaitOnChannel, Leaders: m.Router,
			NowMillis: func() int64 { return 1 }}
		m.Ordered = func(ctx context.Context, partition uint64, o command.Order) (uint64, error) {
			if o.Recount {
				return 0, j.Recount(ctx, partition)
			}
			return j.Of(ctx, partition, o.At)
		}
		f.jobs = append(f.jobs, j)
		adopts = append(adopts, &adopt.Job{Catalog: m.Catalog, Host: m.Node, Wait: replica.WaitOnChannel, Node: m.ID,
			Leaders: m.Router, Unready: func() {}})
	}
	_, err := f.Members[4].Catalog.Create(t.Context(), &table.Table{Name: "things", State: table.Creating,
		Key: table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	f.table = f.Table("things", func() error {
		for _, j := range adopts {
			if err := j.Step(t.Context()); err != nil {
				return err
			}
		}
		return nil
	})
	return f
}

func (f *fleet) put(i int) *command.Command {
	pk := attr.String(fmt.Sprint("item ", i))
	return &command.Command{Action: command.Put, Table: f.table.ID, TableVersion: f.table.Version,
		Key: keys.Suffix([]attr.Value{pk}, nil), Item: attr.NewMap([]attr.Entry{{Name: "pk", Value: pk}})}
}

// check reads all items through every node, and compares what the partitions say they hold with it.
func (f *fleet) check(t *testing.T, partitions, items int) {
	t.Helper()
	entry := f.Entry("things")
	if len(entry.Partitions[f.table.ID]) != partitions || len(entry.Splits) > 0 || len(entry.Past) != partitions-1 {
		t.Fatalf("the catalog has %+v, reserved %+v, finished %+v", entry.Partitions[f.table.ID], entry.Splits, entry.Past)
	}
	for _, m := range f.Members {
		page, err := m.Router.Scan(t.Context(), command.Plan{Table: f.table.ID, TableVersion: f.table.Version, Strong: true})
		if err != nil || len(page.Items) != items {
			t.Errorf("node %d shows %d of %d items, %v", m.ID, len(page.Items), items, err)
		}
	}
	reports, err := f.Members[0].Router.Reports(t.Context(), entry.Partitions[f.table.ID])
	if err != nil {
		t.Fatal(err)
	}
	held := int64(0)
	for i := range reports {
		held += reports[i].Stats.Items
		if p := entry.Partitions[f.table.ID][i]; len(p.Members) != 3 || string(reports[i].Bounds.Lower) != string(p.Bounds.Lower) {
			t.Errorf("partition %+v reports %+v", p, reports[i])
		}
		led, _ := f.Member(f.Leader(reports[i].Partition)).Led(reports[i].Partition)
		if missing, err := f.Member(f.Leader(reports[i].Partition)).Missing(led.State().Descriptor)(); err != nil || missing.Items != 0 {
			t.Errorf("partition %d says that it holds %d items, %d too few, %v", reports[i].Partition, reports[i].Stats.Items, missing.Items, err)
		}
	}
	if held != int64(items) {
		t.Errorf("%d items by the statistics, want %d", held, items)
	}
}

// A split may be asked of any node. The one that leads the partition carries it through, and all find both halves.
func TestSplitFromAnywhere(t *testing.T) {
	f := newFleet(t)
	for i := range 60 {
		if _, err := f.Members[i%5].Router.Write(t.Context(), f.put(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		child, err := f.jobs[i].At(t.Context(), "things", f.table.ID, routertest.Token(uint64(i+1)<<60))
		if err != nil || child == 0 {
			t.Fatalf("node %d: %d, %v", i+1, child, err)
		}
		f.check(t, i+2, 60)
		f.Lead(child, uint64(i%3+1))
	}
	if _, err := f.jobs[3].At(t.Context(), "things", f.table.ID, routertest.Token(1<<60)); err == nil {
		t.Error("a partition was split at its beginning")
	}
}

// planting is a host on which another leader's batch comes between a change and the look at what it left.
type planting struct {
	split.Host
	plant func()
}

func (p *planting) Missing(d machine.Descriptor) func() (command.Stats, error) {
	p.plant()
	return p.Host.Missing(d)
}

// Whatever another leader writes before the halves are counted, their counts become right.
func TestWriteBeforeTheCount(t *testing.T) {
	f := newFleet(t)
	for i := range 60 {
		if _, err := f.Members[0].Router.Write(t.Context(), f.put(i)); err != nil {
			t.Fatal(err)
		}
	}
	parent := f.Entry("things").Partitions[f.table.ID][0].ID
	leader := f.Leader(parent)
	planted := 0
	f.jobs[leader-1].Host = &planting{f.Member(leader).Node, func() {
		f.Lead(parent, leader%3+1)
		for i := 60; i < 80; i++ {
			if f.put(i).Key[0] < 0x40 {
				if _, err := f.Member(leader%3+1).Router.Write(t.Context(), f.put(i)); err != nil {
					t.Error(err)
				}
				planted++
			}
		}
		f.Lead(parent, leader)
	}}
	if _, err := f.jobs[leader-1].At(t.Context(), "things", f.table.ID, routertest.Token(1<<62)); err != nil || planted == 0 {
		t.Fatalf("%d items came in between, %v", planted, err)
	}
	f.check(t, 2, 60+planted)
}

// Where heat is felt by a copy that does not lead, the partition is split all the same, and once.
func TestHeatOfAFollower(t *testing.T) {
	f := newFleet(t)
	p := f.Entry("things").Partitions[f.table.ID][0]
	hot := []split.Hot{{Partition: p.ID, Table: f.table.ID, At: routertest.Token(1 << 60)}}
	for _, m := range p.Members {
		if m.Node == f.Leader(p.ID) {
			continue
		}
		if err := f.jobs[m.Node-1].Cool(t.Context(), hot); err != nil {
			t.Error(err)
		}
		f.Follow()
	}
	f.check(t, 2, 0)
}

// What a leader leaves reserved the next one finishes: a split that was performed is entered and counted, one that was not
// never will be.
func TestNextLeaderReconciles(t *testing.T) {
	for _, performed := range []bool{false, true} {
		t.Run(fmt.Sprint("performed ", performed), func(t *testing.T) {
			f := newFleet(t)
			for i := range 60 {
				if _, err := f.Members[1].Router.Write(t.Context(), f.put(i)); err != nil {
					t.Fatal(err)
				}
			}
			parent := f.Entry("things").Partitions[f.table.ID][0]
			first := f.Member(f.Leader(parent.ID))
			r, _ := first.Led(parent.ID)
			reserved := catalog.Reservation{Table: f.table.ID, Parent: parent.ID, Generation: r.State().Descriptor.Generation,
				At: routertest.Token(1 << 62), Child: 7777}
			_, err := first.Catalog.UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
				next := *now
				next.Splits = []catalog.Reservation{reserved}
				return &next, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			late := &command.Command{At: reserved.At, Child: reserved.Child, Generation: reserved.Generation}
			if performed {
				err := replica.ChangeAndWait(t.Context(), replica.WaitOnChannel, func(done func(error)) { r.Split(late, done) })
				if err != nil {
					t.Fatal(err)
				}
				for i := range 30 {
					c := f.put(i + 100)
					p := parent
					if string(c.Key) >= string(reserved.At) {
						p.ID = reserved.Child
					}
					if _, err := f.Members[3].Router.WriteTo(t.Context(), &p, c); err != nil {
						t.Fatal(err)
					}
				}
			}
			second := parent.Members[0].Node%3 + 1
			f.Lead(parent.ID, second)
			f.Follow()
			for _, j := range f.jobs {
				if err := j.Reconcile(t.Context()); err != nil {
					t.Fatal(err)
				}
				f.Follow()
			}
			if performed {
				f.check(t, 2, 90)
				return
			}
			f.check(t, 1, 60)
			r, _ = f.Member(second).Led(parent.ID)
			if err := replica.ChangeAndWait(t.Context(), replica.WaitOnChannel, func(done func(error)) { r.Split(late, done) }); err == nil {
				t.Error("the late split was performed")
			}
		})
	}
}
