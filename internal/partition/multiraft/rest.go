package multiraft

import (
	"sync"
	"sync/atomic"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"google.golang.org/protobuf/proto"
)

const (
	// idleTicks is after how long without a request a group falls silent.
	idleTicks = 60
	// restingBytesMax bounds the entries that a resting group keeps in memory.
	restingBytesMax = 4 << 10
	// suspicionTicks parts the campaigns of followers that all know their leader's node to be gone.
	suspicionTicks = 3
)

// rest is the silence of a group that has nothing to do: no tick reaches it, and no message leaves it. Anything but the
// response to a heartbeat ends it.
//
// A leader that rests has no lease, and a follower that wakes waits a whole election timeout before it campaigns: others may
// be awake, and have answered a leader.
type rest struct {
	resting bool
	// idle is for how many ticks nobody asked anything of this leader.
	idle int
	// suspicious tells that the leader's node is known to be gone.
	suspicious bool
}

// quiesceIfIdle has a leader fall silent with all its followers once it has nothing to do and they have all it has.
func (g *Group) quiesceIfIdle() {
	r := &g.rest
	r.idle++
	if r.idle < idleTicks || !g.lead.deciding || !g.calm() {
		return
	}
	term := g.lead.term
	for _, m := range g.state.Descriptor.Members {
		if m.Replica == g.replica {
			continue
		}
		beat := &raftpb.Message{
			Type: raftpb.MsgHeartbeat.Enum(), To: &m.Replica, From: &g.replica, Term: &term, Commit: &g.at.index,
		}
		body, err := proto.Marshal(beat)
		if err != nil {
			panic(err) // made here
		}
		g.post(m.Replica, Message{Rest: true, Kept: g.truncation.kept, Body: body})
	}
	g.lease.drop()
	g.fallSilent()
}

// calm tells whether nothing is under way in the group, as far as its leader knows.
func (g *Group) calm() bool {
	if len(g.lead.flights) > 0 || g.reads.round != nil || len(g.at.outgoing) > 0 || g.node.HasReady() || g.at.index != g.log.last {
		return false
	}
	if _, sending := g.snapshotsFrom(); sending {
		return false
	}
	calm := true
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		if id != g.replica && (p.Match != g.log.last || p.State != tracker.StateReplicate || !p.RecentActive) {
			calm = false
		}
	})
	return calm
}

// follow has a follower fall silent with its leader, if it has all that the leader has. A leader that said so and died since
// would be waited for in vain.
func (g *Group) follow(beat *raftpb.Message) {
	if g.at.index == beat.GetCommit() && g.log.last == g.at.index && !g.host.silent.has(g.hint()) && !g.age.eager {
		g.fallSilent()
	}
}

func (g *Group) fallSilent() {
	if g.rest.resting {
		return
	}
	g.rest.resting = true
	g.worker.leave(g)
	g.log.forget(restingBytesMax)
	g.publish()
}

// wakeFor ends the silence for anything that was left in the inbox but responses to heartbeats, and for what tells a
// follower to go on resting.
func (g *Group) wakeFor(l *letter) {
	if l.unserved || len(l.proposals) > 0 || len(l.readers) > 0 || len(l.requests) > 0 {
		g.wake()
	}
	for i := range l.messages {
		if !g.rest.resting {
			return
		}
		if m := &l.messages[i]; !m.Rest && !isHeartbeatResponse(m) {
			g.wake()
		}
	}
}

func isHeartbeatResponse(m *Message) bool {
	body := new(raftpb.Message)
	return !m.Wake && proto.Unmarshal(m.Body, body) == nil && body.GetType() == raftpb.MsgHeartbeatResp
}

// wake has ticks reach the group again. A follower begins to wait for its leader, as if it had just been heard.
func (g *Group) wake() {
	r := &g.rest
	r.idle = 0
	if !r.resting || g.node == nil {
		return
	}
	r.resting = false
	g.worker.join(g)
	g.age.silence = 0
	if leader := g.lead.leader; leader != 0 && leader != g.replica {
		term := g.lead.term
		_ = g.node.Step(&raftpb.Message{Type: raftpb.MsgHeartbeat.Enum(), From: &leader, To: &g.replica, Term: &term})
	}
	g.publish()
}

// Wake ends the group's rest, and that of its leader if it knows one: a request has met a copy that cannot serve it. Where
// many do at once, they take no room from what its node asks of the group.
func (g *Group) Wake() {
	g.inbox.put(func() bool { g.inbox.unserved = true; return true })
}

// wakeLeader passes that on.
func (g *Group) wakeLeader() {
	if leader := g.lead.leader; leader != 0 && leader != g.replica {
		g.post(leader, Message{Wake: true})
	}
}

// Lost tells that a node is gone, or came back as another process: nothing that it said still holds. The groups which it
// leads, as far as is known here, look for another leader once its leases cannot hold any more.
func (h *Host) Lost(node uint64) {
	h.silent.add(node)
	for _, g := range h.all() {
		s := g.status.Load()
		if s.LeaderNode == node && s.Role == Follower || s.Resting && s.Role == Leader && s.on(node) {
			g.inbox.hint(func() { g.suspect(node) })
		}
	}
}

// on tells whether a node has a replica of the group.
func (s *Status) on(node uint64) bool {
	for _, m := range s.Members {
		if m.Node == node {
			return true
		}
	}
	return false
}

// suspect has a follower campaign in its turn. That it was asked has woken it.
func (g *Group) suspect(node uint64) {
	g.rest.suspicious = g.hint() == node && g.lead.role == raft.StateFollower
}

// suspects tells that it is this replica's turn to campaign: followers of a leader whose node is gone do so one after the
// other, so that they do not part the votes, and not before its lease must have ended.
func (r *rest) suspects(g *Group) bool {
	if !r.suspicious {
		return false
	}
	turn := 0
	for _, m := range g.state.Descriptor.Members {
		if m.Replica == g.replica {
			break
		}
		if m.Replica != g.lead.leader && !m.Learner {
			turn++
		}
	}
	if g.age.silence < electionTicks+turn*suspicionTicks {
		return false
	}
	r.suspicious = false
	return true
}

// silences are the nodes that are gone.
type silences struct {
	mu    sync.Mutex // guards nodes
	nodes map[uint64]bool
	some  atomic.Bool
}

func (s *silences) add(node uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nodes == nil {
		s.nodes = map[uint64]bool{}
	}
	s.nodes[node] = true
	s.some.Store(true)
}

func (s *silences) has(node uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[node]
}

// heard takes note of a node from which something came.
func (s *silences) heard(node uint64) {
	if !s.some.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.nodes, node)
	s.some.Store(len(s.nodes) > 0)
}
