package trim_test

import (
	"testing"

	"stator/internal/cluster/router/routertest"
	"stator/internal/jobs/adopt"
	"stator/internal/jobs/trim"
	"stator/internal/model/attr"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
)

// A tombstone stays while a change is not fed that is older, wherever it waits, and while a partition of the table does not
// say.
func TestTombstonesWaitForLeadersElsewhere(t *testing.T) {
	f := routertest.OpenFleet(t, 5)
	var adopts []*adopt.Job
	var trims []*trim.Job
	for _, m := range f.Members {
		adopts = append(adopts, &adopt.Job{Catalog: m.Catalog, Host: m.Node, Wait: replica.WaitOnChannel, Node: m.ID, Leaders: m.Router, Unready: func() {}})
		trims = append(trims, &trim.Job{Catalog: m.Catalog, Host: m.Node, Wait: replica.WaitOnChannel, NowMillis: f.NowMillis, Leaders: m.Router})
	}
	if _, err := f.Members[0].Catalog.Create(t.Context(), nodetest.Things("color"), 5); err != nil {
		t.Fatal(err)
	}
	made := f.Table("things", func() error {
		for _, j := range adopts {
			if err := j.Step(t.Context()); err != nil {
				return err
			}
		}
		return nil
	})
	item := attr.NewMap([]attr.Entry{{Name: "color", Value: attr.String("red")}, {Name: "pk", Value: attr.String("a")}, {Name: "sk", Value: attr.String("a")}})
	hash, rng, _ := made.Key.Values(item)
	put := &command.Command{Action: command.Put, Table: made.ID, TableVersion: made.Version, Key: keys.Suffix(hash, rng), Item: item}
	if _, err := f.Members[3].Router.Write(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	ix := &made.Global[0]
	entry := f.Entry("things")
	gone := command.Entry{Key: keys.Suffix([]attr.Value{attr.String("blue")}, []attr.Value{attr.String("b"), attr.String("b")}), Version: command.VersionAt(f.NowMillis())}
	feed := &command.Command{Action: command.Feed, Table: ix.ID, SentMillis: f.NowMillis(), Entries: []command.Entry{gone}}
	if err := f.Members[2].Router.Feed(t.Context(), feed); err != nil {
		t.Fatal(err)
	}
	buried := func() (count int) {
		for _, p := range entry.Partitions[ix.ID] {
			r, _ := f.Member(f.Leader(p.ID)).Led(p.ID)
			page, err := r.ScanAndWait(t.Context(), replica.WaitOnChannel, &command.Plan{Table: ix.ID, TableVersion: made.Version,
				Lower: p.Bounds.Lower, Upper: p.Bounds.Upper, Raw: true, Strong: true})
			if err != nil {
				t.Fatal(err)
			}
			count += len(page.Entries)
		}
		return count
	}
	stepAll := func() {
		t.Helper()
		for _, j := range trims {
			if err := j.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		f.Advance(lookAge)
	}
	sweepAll := func() {
		t.Helper()
		stepAll()
		stepAll()
		stepAll()
	}
	f.Advance(2 * kept)
	if sweepAll(); buried() != 1 {
		t.Fatal("a tombstone went before an older change was fed")
	}
	for _, p := range entry.Partitions[made.ID] {
		r, _ := f.Member(f.Leader(p.ID)).Led(p.ID)
		if last := r.State().Applied.Sequence; last > 0 {
			consume := &command.Command{Action: command.Consume, Consumer: command.IndexConsumer, Sequence: last}
			if _, err := f.Members[0].Router.WriteTo(t.Context(), &p, consume); err != nil {
				t.Fatal(err)
			}
		}
	}
	stepAll() // what is fed now is seen, and old enough at the next step
	silent := entry.Partitions[made.ID][0]
	leader := f.Leader(silent.ID)
	f.Lead(silent.ID, 0)
	if stepAll(); buried() != 1 {
		t.Fatal("a tombstone went while a partition did not say what it has fed")
	}
	f.Lead(silent.ID, leader)
	if stepAll(); buried() != 0 {
		t.Error("the tombstone is still there")
	}
}
