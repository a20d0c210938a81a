package machine

import (
	"fmt"
	"slices"

	"stator/internal/partition/command"
)

// Move is the batch that changes the partition's members. Nothing is in flight. A generation that moved on refuses it.
func Move(state Part, m command.Membership) (Batch, error) {
	d := state.Descriptor
	if d.Generation != m.Generation {
		return Batch{}, StaleRoute(d)
	}
	members, next, err := moved(d, m)
	if err != nil {
		return Batch{}, fmt.Errorf("moving partition %d: %w", d.Partition, err)
	}
	after := state
	after.Descriptor.Generation++
	after.Descriptor.Members, after.Descriptor.NextReplica = members, next
	after.Applied.Chain++
	return ofPart(Moves, state, after), nil
}

func moved(d Descriptor, m command.Membership) (members []command.Member, next uint64, err error) {
	members, next = slices.Clone(d.Members), d.NextReplica
	switch {
	case len(members) == 0:
		return nil, 0, fmt.Errorf("it has no group")
	case m.AddLearner != 0 && (m.Promote != 0 || m.Remove != 0):
		return nil, 0, fmt.Errorf("a learner is added alone")
	case m.AddLearner != 0:
		if slices.ContainsFunc(members, func(o command.Member) bool { return o.Node == m.AddLearner }) {
			return nil, 0, fmt.Errorf("node %d has a replica already", m.AddLearner)
		}
		return append(members, command.Member{Replica: next, Node: m.AddLearner, Learner: true}), next + 1, nil
	case m.Promote == 0 && m.Remove == 0:
		return nil, 0, fmt.Errorf("no change is asked for")
	}
	if m.Promote != 0 {
		at := d.member(m.Promote)
		if at < 0 || !members[at].Learner {
			return nil, 0, fmt.Errorf("replica %d is no learner", m.Promote)
		}
		members[at].Learner = false
	}
	if m.Remove != 0 {
		at := d.member(m.Remove)
		if at < 0 || m.Remove == m.Promote {
			return nil, 0, fmt.Errorf("replica %d is no member that could go", m.Remove)
		}
		members = slices.Delete(members, at, at+1)
	}
	if !slices.ContainsFunc(members, func(o command.Member) bool { return !o.Learner }) {
		return nil, 0, fmt.Errorf("no voter would be left")
	}
	return members, next, nil
}

// Alone tells whether no other copy of the partition exists.
func (d *Descriptor) Alone() bool { return len(d.Members) <= 1 }

// member is the place of a replica among the members, -1 if it is none.
func (d *Descriptor) member(replica uint64) int {
	return slices.IndexFunc(d.Members, func(m command.Member) bool { return m.Replica == replica })
}

// Member finds a replica among the members.
func (d *Descriptor) Member(replica uint64) (command.Member, bool) {
	if at := d.member(replica); at >= 0 {
		return d.Members[at], true
	}
	return command.Member{}, false
}

// MemberOn finds the replica on a node.
func (d *Descriptor) MemberOn(node uint64) (command.Member, bool) {
	for _, m := range d.Members {
		if m.Node == node {
			return m, true
		}
	}
	return command.Member{}, false
}

// membersOfRight are the first replicas of a split's right half: new ones, on the same nodes.
func membersOfRight(state Part) []command.Member {
	var members []command.Member
	for i, m := range state.Descriptor.Members {
		members = append(members, command.Member{Replica: uint64(i) + 1, Node: m.Node})
	}
	return members
}

func nextOfRight(state Part) uint64 {
	if len(state.Descriptor.Members) == 0 {
		return 0
	}
	return uint64(len(state.Descriptor.Members)) + 1
}
