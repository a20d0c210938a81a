package multiraft

import (
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// nearEntriesMax is how far behind a replica may be to count as one that keeps up.
const nearEntriesMax = 256

// configuration is the change that makes a group of other members. More than one step at once goes through a joint
// configuration, in which both the members before and those after must agree, and which the library leaves by itself.
func configuration(before, after []command.Member) *raftpb.ConfChangeV2 {
	change := new(raftpb.ConfChangeV2)
	step := func(kind raftpb.ConfChangeType, replica uint64) {
		change.Changes = append(change.Changes, &raftpb.ConfChangeSingle{Type: kind.Enum(), NodeId: &replica})
	}
	for _, m := range after {
		was := slices.IndexFunc(before, func(o command.Member) bool { return o.Replica == m.Replica })
		switch {
		case was >= 0 && before[was].Learner == m.Learner:
		case m.Learner:
			step(raftpb.ConfChangeAddLearnerNode, m.Replica)
		default:
			step(raftpb.ConfChangeAddNode, m.Replica)
		}
	}
	for _, m := range before {
		if !slices.ContainsFunc(after, func(o command.Member) bool { return o.Replica == m.Replica }) {
			step(raftpb.ConfChangeRemoveNode, m.Replica)
		}
	}
	return change
}

// moved takes note of a performed change of members. The library learns of it once the engine has it.
func (g *Group) moved(before []command.Member, change *raftpb.ConfChangeV2) {
	g.changes = append(g.changes, change)
	g.at.outgoing = nil
	if _, joint := change.EnterJoint(); joint {
		g.at.outgoing = voters(before)
	}
	g.peers.know(&g.state.Descriptor, g.at.outgoing)
}

// leaveJoint ends a joint configuration: the members before have no say any more.
func (g *Group) leaveJoint(change *raftpb.ConfChangeV2) {
	if len(g.at.outgoing) == 0 {
		return
	}
	g.changes = append(g.changes, change)
	g.at.outgoing = nil
	g.peers.know(&g.state.Descriptor, nil)
}

func voters(members []command.Member) []command.Member {
	return slices.DeleteFunc(slices.Clone(members), func(m command.Member) bool { return m.Learner })
}

// confState is the configuration that the performed state describes.
func (g *Group) confState() *raftpb.ConfState {
	return confStateOf(g.state.Descriptor.Members, g.at.outgoing)
}

func confStateOf(members, outgoing []command.Member) *raftpb.ConfState {
	state := &raftpb.ConfState{}
	for _, m := range members {
		if m.Learner {
			state.Learners = append(state.Learners, m.Replica)
		} else {
			state.Voters = append(state.Voters, m.Replica)
		}
	}
	for _, m := range outgoing {
		state.VotersOutgoing = append(state.VotersOutgoing, m.Replica)
	}
	joint := len(outgoing) > 0
	state.AutoLeave = &joint
	return state
}

// restructures tells whether a batch changes members or bounds, after which other replicas may answer for them.
func restructures(b *machine.Batch) bool { return b.Kind == machine.Moves || b.Kind == machine.Splits }

// lawfulNow tells whether the group is in a condition to take a batch. Members change one configuration at a time, a
// learner votes once it has what the others have, and a leader hands its leadership over before it is removed. A split needs
// every replica at hand: one that is far behind would have to be sent both halves.
func (g *Group) lawfulNow(b *machine.Batch) bool {
	switch {
	case !restructures(b):
		return true
	case len(g.at.outgoing) > 0:
		return false
	case b.Kind == machine.Moves:
		_, stays := b.After.Descriptor.Member(g.replica)
		return stays && g.promotable(b)
	case b.Child != nil:
		return g.near(func(command.Member) bool { return true })
	}
	return true
}

// promotable tells whether the learners that a batch makes voters keep up.
func (g *Group) promotable(b *machine.Batch) bool {
	return g.near(func(m command.Member) bool {
		after, stays := b.After.Descriptor.Member(m.Replica)
		return m.Learner && stays && !after.Learner
	})
}

// near tells whether all members of a kind answer, replicate and are near the end of the log.
func (g *Group) near(which func(command.Member) bool) bool {
	near := map[uint64]bool{}
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		near[id] = p.State == tracker.StateReplicate && p.RecentActive && p.Match+nearEntriesMax >= g.at.index
	})
	for _, m := range g.state.Descriptor.Members {
		if which(m) && m.Replica != g.replica && !near[m.Replica] {
			return false
		}
	}
	return true
}
