package multiraft

import (
	"testing"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/partition/solo"
	"stator/internal/storage/keys"
)

// alone brings up a partition that one copy keeps by the engine's own log, writes through it and takes it down.
func (s *station) alone(id uint64, names ...string) machine.Part {
	part := machine.Born(id, 100, command.Bounds{})
	part.Table = counters()
	s.rig.must(solo.Birth(s.engine, []machine.Part{part}, true))
	committer := solo.NewCommitter(s.engine, true, func() {})
	log := solo.NewLog(committer)
	r := replica.New(replica.Options{
		Partition: id, Engine: s.engine, Log: log, Wake: func() {}, NowMillis: func() int64 { return 1 },
		Performed: func(machine.Batch, machine.Part) {}, Broken: func(err error) { s.rig.must(err) },
	})
	log.Keep(r, part)
	s.copies[id] = &copied{Replica: r, node: s, id: id}
	for _, name := range names {
		s.put(id, name, "old")
		for r.Step() || committer.Step() || committer.Settle() {
			continue
		}
	}
	r.Stop()
	delete(s.copies, id)
	return r.State()
}

// A partition that one copy kept becomes one of a group, with all it holds: its epoch is below every term of the group, and
// its chain of batches ends there. What was decided before is not performed any more.
func TestConvert(t *testing.T) {
	r := newRig(t)
	s := r.add()
	before := s.alone(10, "a", "b")
	if there, err := Hosted(s.engine, 10); err != nil || there {
		t.Fatalf("a partition of one copy is hosted: %t, %v", there, err)
	}
	if _, err := s.host.Open(10); err == nil {
		t.Error("a partition of one copy is opened by a host")
	}
	after, err := Convert(s.engine, before, 1)
	r.must(err)
	again, err := Convert(s.engine, before, 1)
	r.must(err)
	if after.Descriptor.Generation != before.Descriptor.Generation+1 || again.Descriptor.Generation != before.Descriptor.Generation {
		t.Errorf("generation %d, then %d, then %d", before.Descriptor.Generation, after.Descriptor.Generation, again.Descriptor.Generation)
	}
	s.crash()
	s.restart(10)
	r.settle()
	state := s.copies[10].State()
	if state.Applied.Sequence != before.Applied.Sequence || state.Applied.VersionMax != before.Applied.VersionMax || state.Applied.Chain != 0 {
		t.Errorf("applied %+v, before %+v", state.Applied, before.Applied)
	}
	r.told()
	s.get(10, "a", true)
	s.put(10, "c", "new")
	r.settle()
	s.get(10, "b", true)
	s.get(10, "c", true)
	want := "1: get a: {S:old}\n1: put c=new: done\n1: get b: {S:old}\n1: get c: {S:new}\n"
	if got := r.told(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if state := s.copies[10].State(); state.Applied.Epoch <= machine.SoloEpoch || state.Applied.Chain != 1 {
		t.Errorf("applied %+v after the first batch", state.Applied)
	}
	if _, found, err := s.engine.Get(keys.RaftEntry(10, birthIndex)); err != nil || found {
		t.Errorf("an entry lies where the group was born: %t, %v", found, err)
	}
}

// A birth happens once, above the tombstone, on the nodes that it names, and over nothing.
func TestBirth(t *testing.T) {
	r := newRig(t)
	s := r.add()
	part := machine.Born(10, 100, command.Bounds{})
	part.Descriptor.Members = []command.Member{{Replica: 7, Node: 1}}
	birth := func() error { return s.host.Birth([]machine.Part{part}) }

	r.write(s, tombstoneKey(10), mark{index: 7}.append(nil))
	r.must(birth())
	if there, _ := Hosted(s.engine, 10); there {
		t.Error("a replica is born that was removed")
	}
	part.Descriptor.Members[0].Replica = 8
	stale := keys.Data(100, []byte("stale"))
	r.write(s, stale, []byte("left by nobody knows whom"))
	r.must(birth())
	if there, _ := Hosted(s.engine, 10); !there {
		t.Error("nothing is born")
	}
	if _, found, _ := s.engine.Get(stale); found {
		t.Error("a birth takes over what lay there")
	}
	r.write(s, stale, []byte("written since"))
	r.must(birth())
	if _, found, _ := s.engine.Get(stale); !found {
		t.Error("a second birth empties what the first brought")
	}
	part.Descriptor.Members[0].Node = 2
	if birth() == nil {
		t.Error("a node gives birth that is not named")
	}
}

// A birth that comes late, of a partition that was split meanwhile, does not take the rows of the half that is here.
func TestBirthBesideAHalf(t *testing.T) {
	r := newRig(t)
	s := r.add()
	half := machine.Born(11, 100, command.Bounds{Lower: []byte("m")})
	half.Descriptor.Members = []command.Member{{Replica: 1, Node: 1}}
	r.must(s.host.Birth([]machine.Part{half}))
	row := keys.Data(100, []byte("row"))
	r.write(s, row, []byte("the half's"))
	whole := machine.Born(10, 100, command.Bounds{})
	whole.Descriptor.Members = half.Descriptor.Members
	if err := s.host.Birth([]machine.Part{whole}); err == nil {
		t.Error("a partition is born over a half of it")
	}
	if _, found, _ := s.engine.Get(row); !found {
		t.Error("the half's row is gone")
	}
	r.must(s.host.Birth([]machine.Part{half}))
}
