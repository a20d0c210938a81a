package node_test

import (
	"context"
	"testing"
	"time"

	"stator/internal/base/clock"
	"stator/internal/cluster/router"
	"stator/internal/jobs/rebalance"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/multiraft"
	"stator/internal/storage/keys"
)

// convoyOfThree is three nodes, and a table of which each has a copy of the only partition.
func convoyOfThree(t *testing.T) (f *convoy, made *table.Table, partition uint64) {
	t.Helper()
	f = &convoy{t: t, clock: clock.NewManual(time.UnixMilli(1_000_000))}
	for range 3 {
		f.join()
	}
	f.work(20)
	if _, err := f.nodes[0].Catalog().Create(t.Context(), nodetest.Things(), 1); err != nil {
		t.Fatal(err)
	}
	f.work(20)
	entry, _ := f.nodes[0].Catalog().Entry("things")
	return f, entry.Table, entry.Partitions[entry.Table.ID][0].ID
}

// A copy that is quarantined leads no longer: one of the others does, and what was written before is there.
func TestQuarantinedLeaderGivesWay(t *testing.T) {
	f, made, id := convoyOfThree(t)
	ctx := t.Context()
	write := func(value string) error {
		key := attr.String("a")
		item := attr.NewMap([]attr.Entry{{Name: "pk", Value: key}, {Name: "sk", Value: key}, {Name: "v", Value: attr.String(value)}})
		_, err := f.nodes[0].Router().Write(ctx, &command.Command{
			Action: command.Put, Table: made.ID, TableVersion: made.Version, Key: keys.Suffix([]attr.Value{key}, []attr.Value{key}), Item: item,
		})
		return err
	}
	if err := write("first"); err != nil {
		t.Fatal(err)
	}
	var led *member
	for _, m := range f.nodes {
		if _, leads := m.Led(id); leads {
			led = m
		}
	}
	suffix := keys.Suffix([]attr.Value{attr.String("a")}, []attr.Value{attr.String("a")})
	damage := led.Engine().NewBatch()
	damage.Set(keys.Data(made.ID, suffix), []byte("damaged"))
	if err := led.Engine().Commit(damage, true); err != nil {
		t.Fatal(err)
	}
	f.broken = map[uint64]bool{}
	err := write("second")
	for range 20 { // each tries for as long as an election may take in the convoy's time, or less
		if err == nil {
			break
		}
		err = write("second")
	}
	if err != nil {
		t.Errorf("the others do not take a write: %v", err)
	}
	if n := led.BrokenCopies(); !f.broken[id] || n != 1 {
		t.Errorf("nobody is told that the copy is broken, or it is counted %d times", n)
	}
	f.mended(led, id)
	if n := led.BrokenCopies(); n != 0 {
		t.Errorf("%d copies are still counted as broken", n)
	}
	f.abandon()
}

// A copy whose part in its group has ended, as what was agreed could not be performed there, answers nobody: an eventual read would be
// of what it had then, for ever, or of what is damaged.
func TestQuarantinedFollowerAnswersNothing(t *testing.T) {
	f, made, id := convoyOfThree(t)
	ctx := t.Context()
	f.broken = map[uint64]bool{}
	key := keys.Suffix([]attr.Value{attr.String("a")}, []attr.Value{attr.String("a")})
	item := attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("a")}, {Name: "sk", Value: attr.String("a")}})
	put := &command.Command{Action: command.Put, Table: made.ID, TableVersion: made.Version, Key: key, Item: item}
	if _, err := f.nodes[0].Router().Write(ctx, put); err != nil {
		t.Fatal(err)
	}
	f.work(5)
	var damaged, other *member
	for _, m := range f.nodes {
		if _, leads := m.Led(id); !leads {
			damaged, other = m, damaged
		}
	}
	read := func() error {
		get := command.Get{Table: made.ID, TableVersion: made.Version, Key: key}
		_, err := router.NewRemote(other, damaged.id, id).ReadAndWait(ctx, f.wait, &get)
		return err
	}
	if err := read(); err != nil {
		t.Fatalf("the copy does not answer before it is damaged: %v", err)
	}
	damaged.Break(id)
	f.turn()
	if s, _ := damaged.Group(id); s.Role != multiraft.Stopped || !f.broken[id] || damaged.BrokenCopies() != 1 {
		t.Fatalf("the copy is not broken: %+v, %v", s, f.broken)
	}
	if err := read(); err == nil {
		t.Error("a copy that is broken answers an eventual read")
	}
	f.madeAnew(damaged, id)
	if err := read(); err != nil {
		t.Errorf("the copy that was made anew does not answer: %v", err)
	}
	f.abandon()
}

// A copy that breaks over a split leaves its node without either half. Nobody takes the right half for one that is there, as whose leader it
// would keep everybody waiting; and both halves are made anew.
func TestSplitThatBreaksAFollower(t *testing.T) {
	f, made, id := convoyOfThree(t)
	f.broken = map[uint64]bool{}
	var damaged *member
	for _, m := range f.nodes {
		if _, leads := m.Led(id); !leads {
			damaged = m
		}
	}
	last, err := damaged.Catalog().Reserve(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	child := last + 1
	damage := damaged.Engine().NewBatch()
	damage.Set(keys.Part(child, "position"), []byte("damaged"))
	if err := damaged.Engine().Commit(damage, true); err != nil {
		t.Fatal(err)
	}
	if born, err := f.nodes[0].Split(t.Context(), "things", made.ID, nodetest.Suffix("m", "m")); err != nil || born != child {
		t.Fatalf("the split brings %d, not %d: %v", born, child, err)
	}
	if _, there := damaged.Group(child); !f.broken[id] || there {
		t.Fatalf("the copy did not break: %v", f.broken)
	}
	for range 1000 { // until its node says that it has nothing of the right half
		f.turn()
	}
	f.work(5)
	answer, err := damaged.Steps.Ask(t.Context(), rebalance.Question{Verb: rebalance.VerbPartitions})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range answer.Partitions {
		for _, r := range p.Replicas {
			if p.ID == child && r.Current != (r.Node != damaged.id) {
				t.Errorf("the right half on node %d is said to keep up: %v", r.Node, r.Current)
			}
		}
	}
	f.madeAnew(damaged, id)
	for range 600 {
		if _, there := damaged.Group(child); there {
			break
		}
		f.work(1)
	}
	if _, there := damaged.Group(child); !there {
		t.Error("the right half did not come")
	}
	f.abandon()
}

// A copy that cannot be read when its node starts keeps nothing else from serving, and is made anew.
func TestCopyThatCannotBeRead(t *testing.T) {
	f, _, id := convoyOfThree(t)
	f.broken = map[uint64]bool{}
	m := f.nodes[2]
	damage := m.Engine().NewBatch()
	damage.Set(keys.Part(id, "applied"), []byte("damaged"))
	if err := m.Engine().Commit(damage, true); err != nil {
		t.Fatal(err)
	}
	if err := m.Abandon(); err != nil {
		t.Fatal(err)
	}
	f.nodes = f.nodes[:2]
	again := f.assemble(m.files)
	f.recover(again)
	if n := again.BrokenCopies(); !f.broken[id] || n != 1 {
		t.Errorf("%d copies are damaged, of %v", n, f.broken)
	}
	if _, up := again.Replica(id); up {
		t.Error("the copy serves")
	}
	f.madeAnew(again, id)
	if n := again.BrokenCopies(); n != 0 {
		t.Errorf("%d copies are still damaged", n)
	}
	f.abandon()
}

// madeAnew waits for as long as a damaged copy is waited for, and then until its node, the only one that can, has another in its place.
func (f *convoy) madeAnew(damaged *member, partition uint64) {
	f.t.Helper()
	broken, _ := damaged.Group(partition)
	f.work(20)
	answer, err := damaged.Steps.Ask(f.t.Context(), rebalance.Question{Verb: rebalance.VerbStatus})
	if err != nil || answer.Overview == nil || answer.Overview.DamagedCount != 1 || answer.Overview.Damaged[0].Node != damaged.id {
		f.t.Fatalf("operators are not told of it: %+v, %v", answer.Overview, err)
	}
	if s, _ := damaged.Group(partition); s.Replica != broken.Replica {
		f.t.Error("it was made anew at once")
	}
	f.clock.Advance(6 * time.Minute)
	for range 600 {
		f.work(1)
		if err := damaged.Retire(f.t.Context()); err != nil {
			f.t.Log(err)
		}
		if s, ok := damaged.Group(partition); ok && s.Replica > broken.Replica && s.Role == multiraft.Follower {
			return
		}
	}
	answer, err = damaged.Steps.Ask(f.t.Context(), rebalance.Question{Verb: rebalance.VerbStatus})
	f.t.Fatalf("it was not made anew: %+v, %v", answer.Overview, err)
}

// mended has an operator move a copy to a new node, which takes the place of one that is damaged, and waits until that is gone.
func (f *convoy) mended(damaged *member, partition uint64) {
	f.t.Helper()
	to := f.join()
	f.work(20)
	asked := false
	for range 600 {
		if !asked {
			answer, err := to.Steps.Ask(f.t.Context(), rebalance.Question{
				Verb: rebalance.VerbMove, Partition: partition, From: damaged.id, To: to.id,
			})
			asked = err == nil && answer.Refused == ""
		}
		f.work(1)
		if err := damaged.Retire(f.t.Context()); err != nil {
			f.t.Log(err)
		}
		_, there := to.Replica(partition)
		_, still := damaged.Group(partition)
		if there && !still {
			return
		}
	}
	f.t.Error("the damaged copy is still there")
}

// work has every node do what it does behind requests, some times.
func (f *convoy) work(times int) {
	for range times {
		for _, m := range f.nodes {
			for _, step := range []func(context.Context) error{m.Follow, m.Meet, m.Pulse, m.Control, m.Rebalance} {
				if err := step(f.t.Context()); err != nil {
					f.t.Log(err)
				}
			}
			for m.Ship() {
				continue
			}
		}
		f.turn()
	}
}
