package multiraft

import (
	"fmt"
	"sync/atomic"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"stator/internal/base/must"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// Group is this node's replica in the group that keeps a partition: the log of one copy.
type Group struct {
	host    *Host
	worker  *worker
	id      uint64
	replica uint64

	// These are shared with other goroutines.
	inbox  inbox
	lease  lease
	status atomic.Pointer[Status]
	// applied is the last entry that every read shows, applying the last one that a read may show already.
	applied, applying atomic.Uint64

	// Everything else is the worker's.
	copy  replica.Copy
	node  *raft.RawNode // nil before Keep, and once the group has stopped
	log   *raftLog
	state machine.Part
	at    position
	// letter is what was taken out of the inbox and is not dealt with yet.
	letter letter
	// ready is what the library asked for in this pass; performed and changes are what came of it.
	ready       *raft.Ready
	performed   []performed
	changes     []*raftpb.ConfChangeV2
	unreachable []uint64
	// arrival is a snapshot that the library was shown in this pass, unsent are the replicas that were to be sent one.
	arrival *arrival
	unsent  []uint64
	touched bool

	lead       leadership
	reads      reads
	peers      peers
	age        age
	truncation truncation
	rest       rest
}

var _ replica.Log = (*Group)(nil)

func newGroup(h *Host, log *raftLog, at position) *Group {
	g := &Group{host: h, worker: h.worker(log.group), id: log.group, replica: log.hard.replica, log: log, at: at}
	g.inbox.group = g
	log.conf = g.confState
	log.snapshot = g.snapshot
	g.applied.Store(at.index)
	g.applying.Store(at.index)
	g.status.Store(&Status{Group: g.id, Replica: g.replica, Role: Stopped, Term: log.hard.term})
	return g
}

// Keep joins the copy whose log this is, which has loaded its state, and has the group take part from the next step on.
func (g *Group) Keep(copy replica.Copy, state machine.Part) {
	g.copy, g.state = copy, state
	g.peers.know(&g.state.Descriptor, g.at.outgoing)
	g.age.begin(g)
	if !g.host.add(g) {
		panic(fmt.Sprintf("multiraft: partition %d is kept twice", g.id))
	}
	copy.Replaced(state)
	copy.Follow(0)
	g.inbox.request(g.start)
}

// start brings up the library's state machine, at the worker, who owns it.
func (g *Group) start() {
	stands, err := g.stands()
	if err != nil {
		g.quarantine(fmt.Errorf("starting it: %w", err))
		return
	}
	if !stands {
		g.shut(errRemoved)
		return
	}
	node, err := raft.NewRawNode(&raft.Config{
		ID:                        g.replica,
		ElectionTick:              electionTicks,
		HeartbeatTick:             heartbeatTicks,
		Storage:                   g.log,
		Applied:                   g.at.index,
		MaxSizePerMsg:             messageBytesMax,
		MaxCommittedSizePerReady:  committedBytesMax,
		MaxUncommittedEntriesSize: uncommittedBytesMax,
		MaxInflightMsgs:           inflightMessagesMax,
		MaxInflightBytes:          inflightBytesMax,
		CheckQuorum:               true,
		PreVote:                   true,
		ReadOnlyOption:            raft.ReadOnlySafe,
		Logger:                    logger{},
		DisableProposalForwarding: true,
		StepDownOnRemoval:         true,
	})
	must.That(err == nil, "the raft library refuses partition %d: %v", g.id, err)
	g.node = node
	g.lead.term = g.log.hard.term
	g.worker.join(g)
	g.leave()
	g.firstCampaign()
	g.publish()
}

// stop ends the group's part for good. What was proposed may yet be performed elsewhere.
func (g *Group) stop() { g.shut(errStopped) }

// shut ends the group's part. It answers everything that waits.
func (g *Group) shut(cause error) {
	g.node, g.ready = nil, nil
	g.worker.leave(g)
	g.host.remove(g)
	left := g.inbox.close()
	g.letter.proposals = append(g.letter.proposals, left.proposals...)
	g.letter.readers = append(g.letter.readers, left.readers...)
	for _, p := range g.performed {
		if p.done != nil {
			p.done(replica.Ambiguous)
		}
	}
	g.performed, g.changes = nil, nil
	g.lease.drop()
	g.lead.end(g)
	g.lead.role, g.lead.leader = raft.StateFollower, 0
	g.reads.end(g, rejected(cause))
	for _, p := range g.letter.proposals {
		p.done(replica.Rejected)
	}
	for _, done := range g.letter.readers {
		done(rejected(cause))
	}
	g.letter = letter{}
	if a := g.arrival; a != nil {
		g.arrival = nil
		a.end(cause)
	}
	g.copy.Follow(0)
	g.publish()
}

// guard runs a part of a pass. An invariant that breaks in it ends this copy, not the node.
func (g *Group) guard(f func()) {
	defer func() {
		switch broken := recover().(type) {
		case nil:
		case *must.Broken:
			g.quarantine(broken)
		default:
			panic(broken)
		}
	}()
	f()
}

func (g *Group) quarantine(err error) {
	g.shut(err)
	g.host.options.Broken(g.id, err)
}

// drain deals with what others left for the group.
func (g *Group) drain() {
	g.letter = g.inbox.take()
	g.wakeFor(&g.letter)
	if g.letter.unserved {
		g.wakeLeader()
	}
	for len(g.letter.requests) > 0 {
		f := g.letter.requests[0]
		g.letter.requests = g.letter.requests[1:]
		f()
	}
	for _, m := range g.letter.messages {
		g.receive(m)
	}
	for len(g.letter.proposals) > 0 {
		p := g.letter.proposals[0]
		g.letter.proposals = g.letter.proposals[1:]
		g.propose(p)
	}
	readers := g.letter.readers
	g.letter = letter{}
	g.await(readers)
}

// tick lets one tick pass.
func (g *Group) tick() {
	if g.node == nil {
		return
	}
	g.age.tick()
	g.node.Tick()
	g.campaignAgain()
	g.renew()
	g.truncation.tick(g)
	g.quiesceIfIdle()
	if g.age.ticks%statusTicks == 0 {
		g.publish()
	}
}
