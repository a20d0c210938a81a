package adopt_test

import (
	"context"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router/routertest"
	"stator/internal/jobs/adopt"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// fleet is five nodes, each of which adopts.
type fleet struct {
	*routertest.Fleet
	jobs    []*adopt.Job
	unready int
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{Fleet: routertest.OpenFleet(t, 5)}
	for _, m := range f.Members {
		f.jobs = append(f.jobs, &adopt.Job{Catalog: m.Catalog, Host: m.Node, Wait: replica.WaitOnChannel, Node: m.ID,
			Leaders: m.Router, Unready: func() { f.unready++ }})
	}
	return f
}

// step has some nodes look at all tables, or all nodes if none are named.
func (f *fleet) step(t *testing.T, nodes ...uint64) {
	t.Helper()
	f.Follow()
	if len(nodes) == 0 {
		nodes = []uint64{1, 2, 3, 4, 5}
	}
	for _, id := range nodes {
		if err := f.jobs[id-1].Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A new table's partitions are born on the nodes that the catalog names, and on no others. The table is active once all
// leaders have adopted it, and it is the leader of the catalog's partition that says so.
func TestBirths(t *testing.T) {
	f := newFleet(t)
	if _, err := f.Members[4].Catalog.Create(t.Context(), nodetest.Things("color"), 5); err != nil {
		t.Fatal(err)
	}
	f.step(t, 5, 2, 1)
	f.step(t, 5, 2, 1)
	if state := f.Entry("things").Table.State; state != table.Creating || f.unready == 0 {
		t.Fatalf("while a partition is not born, the table is %v, unready %d times", state, f.unready)
	}
	f.step(t, 3, 4)
	f.step(t, 2, 3, 4, 5)
	if state := f.Entry("things").Table.State; state != table.Creating {
		t.Fatalf("a node that does not lead the catalog made the table %v", state)
	}
	f.step(t, 1)
	entry := f.Entry("things")
	if entry.Table.State != table.Active || !entry.Table.Settled() {
		t.Fatalf("the table is %v, settled %t", entry.Table.State, entry.Table.Settled())
	}
	for _, partitions := range entry.Partitions {
		for i, p := range partitions {
			copies := f.Copies(p.ID)
			if len(copies) != 3 || len(p.Members) != 3 {
				t.Errorf("partition %d has copies on %v, members %v", p.ID, copies, p.Members)
			}
			if lead, _ := f.Member(f.Leader(p.ID)).Replica(p.ID); lead == nil || lead.State().Table.Version != 1 {
				t.Errorf("partition %d, the %d. of its table, has not adopted it", p.ID, i)
			}
		}
	}
	f.step(t)
	if again := f.Entry("things"); again.Revision != entry.Revision {
		t.Errorf("the jobs have nothing to do and make revision %d of %d", again.Revision, entry.Revision)
	}
}

// A change of a table is adopted by the leaders, wherever they move meanwhile.
func TestAdoptedByLeaders(t *testing.T) {
	f := newFleet(t)
	if _, err := f.Members[4].Catalog.Create(t.Context(), nodetest.Things(), 5); err != nil {
		t.Fatal(err)
	}
	all := func() error {
		for _, j := range f.jobs {
			if err := j.Step(t.Context()); err != nil {
				return err
			}
		}
		return nil
	}
	f.Table("things", all)
	for round := range 3 {
		_, err := f.Members[round].Catalog.Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
			next := now.Clone()
			next.State = table.Updating
			next.TimeToLive = []string{"a", "b", "c"}[round]
			return next, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Entry("things").Partitions[f.Entry("things").Table.ID] {
			f.Lead(p.ID, p.Members[(round+1)%3].Node)
		}
		f.Lead(machine.CatalogPartition, uint64(round+1))
		now := f.Table("things", all)
		for _, p := range f.Entry("things").Partitions[now.ID] {
			r, _ := f.Member(f.Leader(p.ID)).Replica(p.ID)
			if r.State().Table.Version != now.Version {
				t.Errorf("round %d: partition %d has version %d of %d", round, p.ID, r.State().Table.Version, now.Version)
			}
		}
	}
}

// Leaders enter their members in the catalog, once; so does the catalog's own partition.
func TestMembersAreEntered(t *testing.T) {
	f := newFleet(t)
	made, err := f.Members[0].Catalog.Create(t.Context(), nodetest.Things(), 2)
	if err != nil {
		t.Fatal(err)
	}
	f.step(t)
	f.step(t)
	p := f.Entry("things").Partitions[made.ID][1]
	move := func(partition uint64, m command.Membership) {
		t.Helper()
		r, leads := f.Member(f.Leader(partition)).Led(partition)
		if !leads {
			t.Fatal("nobody leads")
		}
		m.Generation = r.State().Descriptor.Generation
		if err := replica.ChangeAndWait(context.Background(), replica.WaitOnChannel, func(done func(error)) { r.Move(m, done) }); err != nil {
			t.Fatal(err)
		}
	}
	move(p.ID, command.Membership{AddLearner: 1})
	f.step(t)
	revision := f.Entry("things").Revision
	if members := f.Entry("things").Partitions[made.ID][1].Members; len(members) != 4 || !members[3].Learner || members[3].Node != 1 {
		t.Errorf("members %v", members)
	}
	f.step(t)
	if f.Entry("things").Revision != revision {
		t.Error("what is entered is entered again")
	}
	err = f.Members[0].Catalog.UpdateCluster(t.Context(), func(now catalog.Cluster) (catalog.Cluster, error) { now.ID = 7; return now, nil })
	if err != nil {
		t.Fatal(err)
	}
	f.step(t)
	move(machine.CatalogPartition, command.Membership{Remove: 3})
	f.step(t)
	f.Follow()
	if now, _ := f.Members[4].Catalog.Cluster(); len(now.Members) != 2 || now.Generation == 0 || now.ID != 7 {
		t.Errorf("the cluster is %+v", now)
	}
}
