package multiraft

import (
	"reflect"
	"testing"

	"go.etcd.io/raft/v3/confchange"
	"go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"pgregory.net/rapid"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// However members change, a replica that restarts reads from its state the very configuration that one which went through
// all changes has come to.
func TestConfigurationIsTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := machine.Born(10, 100, command.Bounds{})
		part.Descriptor.Members = []command.Member{{Replica: 1, Node: 1}}
		part.Descriptor.NextReplica = 2
		var outgoing []command.Member
		walked := tracked(t, confStateOf(part.Descriptor.Members, nil))
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			before := part.Descriptor.Members
			batch, err := machine.Move(part, aMembership(t, part))
			if err != nil {
				continue
			}
			part = batch.After
			change := configuration(before, part.Descriptor.Members)
			walked = applied(t, walked, change)
			g := &Group{state: part}
			g.moved(before, change)
			if outgoing = g.at.outgoing; len(outgoing) > 0 {
				same(t, walked, confStateOf(part.Descriptor.Members, outgoing))
				leave := new(raftpb.ConfChangeV2)
				walked = applied(t, walked, leave)
				g.leaveJoint(leave)
				outgoing = g.at.outgoing
			}
			same(t, walked, confStateOf(part.Descriptor.Members, outgoing))
		}
	})
}

func aMembership(t *rapid.T, part machine.Part) command.Membership {
	m := command.Membership{Generation: part.Descriptor.Generation}
	pick := func(name string) uint64 { return rapid.SampledFrom(part.Descriptor.Members).Draw(t, name).Replica }
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		m.AddLearner = rapid.Uint64Range(1, 6).Draw(t, "node")
	case 1:
		m.Promote = pick("promote")
	case 2:
		m.Remove = pick("remove")
	default:
		m.Promote, m.Remove = pick("promote"), pick("remove")
	}
	return m
}

func tracked(t *rapid.T, state *raftpb.ConfState) tracker.ProgressTracker {
	k := tracker.MakeProgressTracker(10, 0)
	cfg, progress, err := confchange.Restore(confchange.Changer{Tracker: k, LastIndex: 10}, state)
	if err != nil {
		t.Fatal(err)
	}
	k.Config, k.Progress = cfg, progress
	return k
}

// applied does what the library does with a change.
func applied(t *rapid.T, k tracker.ProgressTracker, change *raftpb.ConfChangeV2) tracker.ProgressTracker {
	changer := confchange.Changer{Tracker: k, LastIndex: 10}
	var err error
	if change.LeaveJoint() {
		k.Config, k.Progress, err = changer.LeaveJoint()
	} else if autoLeave, joint := change.EnterJoint(); joint {
		k.Config, k.Progress, err = changer.EnterJoint(autoLeave, change.Changes...)
	} else {
		k.Config, k.Progress, err = changer.Simple(change.Changes...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func same(t *rapid.T, walked tracker.ProgressTracker, read *raftpb.ConfState) {
	if err := walked.ConfState().Equivalent(read); err != nil {
		t.Fatal(err)
	}
	again := tracked(t, read)
	if !reflect.DeepEqual(again.Voters, walked.Voters) || !reflect.DeepEqual(again.Learners, walked.Learners) || again.AutoLeave != walked.AutoLeave {
		t.Fatalf("read %v, walked %v", again.Config, walked.Config)
	}
}
