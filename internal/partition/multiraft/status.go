package multiraft

import (
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"

	"stator/internal/partition/command"
)

// Role is what a replica is in its group.
type Role byte

// The roles.
const (
	Follower Role = iota
	Candidate
	Leader
	Learner
	// Stopped takes part in nothing: it was stopped, or is quarantined.
	Stopped
)

// Status is what a replica knows of itself and its group.
type Status struct {
	Group, Replica uint64
	Role           Role
	Term           uint64
	// Leader is the replica that leads, LeaderNode where it lies; 0 if unknown.
	Leader, LeaderNode uint64
	// Serves tells of a leader that it has performed all that was agreed before it led.
	Serves bool
	// Applied is the last entry performed, Last the last one in the log, Truncated the last one that is gone from it: a replica that has
	// less is helped by a snapshot only.
	Applied, Last, Truncated uint64
	Generation               uint64
	// Heard is when this replica last heard its leader, or was it, on the host's clock.
	Heard time.Duration
	// Resting tells that the group is silent until there is something to do: a leader that is not heard may well be there.
	Resting bool
	// Joint tells that a change of members is half done.
	Joint bool
	// Members are the replicas, with what the leader knows of each.
	Members []MemberStatus
}

// MemberStatus is one replica as the leader sees it.
type MemberStatus struct {
	command.Member
	// Match is the last entry it is known to have; Active tells that it answered lately, and is true for the leader.
	Match  uint64
	Active bool
	// answered is in which tick it last was known to have.
	answered int
}

// Status is how the replica stands: who leads since the last pass, the rest since the last heartbeat or so.
func (g *Group) Status() Status {
	s := *g.status.Load()
	s.Applied = g.applied.Load()
	return s
}

// Position implements replica.Log.
func (g *Group) Position() (performed, begun uint64) { return g.applied.Load(), g.applying.Load() }

const (
	// statusTicks is how often the status is renewed though nobody began or ceased to lead.
	statusTicks = heartbeatTicks
	// answeredTicks is for how long a replica counts as active that the library says is not: once in an election timeout it takes that
	// for not known, until the next answer.
	answeredTicks = 2 * statusTicks
)

// report renews the status if something changed that others act on.
func (g *Group) report() {
	s := g.status.Load()
	if s.Role != g.role() || s.Term != g.lead.term || s.Leader != g.lead.leader || s.Serves != g.lead.complete ||
		s.Generation != g.state.Descriptor.Generation || s.Joint != (len(g.at.outgoing) > 0) {
		g.publish()
	}
}

// publish renews the status.
func (g *Group) publish() {
	s := &Status{
		Group: g.id, Replica: g.replica, Role: g.role(), Term: g.lead.term, Leader: g.lead.leader, LeaderNode: g.hint(),
		Serves: g.lead.complete, Applied: g.at.index, Last: g.log.last, Truncated: g.log.truncated.index, Generation: g.state.Descriptor.Generation,
		Heard: g.age.lastHeard, Joint: len(g.at.outgoing) > 0, Resting: g.rest.resting,
	}
	for _, m := range g.state.Descriptor.Members {
		s.Members = append(s.Members, MemberStatus{Member: m})
	}
	if s.Role == Leader {
		s.Heard = g.host.options.Now()
		g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
			for i := range s.Members {
				if m := &s.Members[i]; m.Replica == id {
					m.Match = p.Match
					m.Active, m.answered = g.active(id, p)
				}
			}
		})
	}
	g.status.Store(s)
}

// active tells whether a replica answered this leader lately, and in which tick it last was known to have.
func (g *Group) active(replica uint64, p tracker.Progress) (active bool, answered int) {
	if p.RecentActive || replica == g.replica {
		return true, g.age.ticks
	}
	before := g.status.Load()
	for _, m := range before.Members {
		if m.Replica == replica && before.Role == Leader && before.Term == g.lead.term {
			return m.Active && g.age.ticks-m.answered <= answeredTicks, m.answered
		}
	}
	return false, 0
}

func (g *Group) role() Role {
	m, _ := g.state.Descriptor.Member(g.replica)
	switch {
	case g.node == nil:
		return Stopped
	case g.lead.role == raft.StateLeader:
		return Leader
	case m.Learner:
		return Learner
	case g.lead.role == raft.StateFollower:
		return Follower
	}
	return Candidate
}
