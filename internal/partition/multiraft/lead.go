package multiraft

import (
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// leadership is what a group knows of who leads it, and of what this replica proposed while it does.
//
// Invariant: flights are the batches that this replica proposed in term and that are not performed, oldest first. Whatever
// else this replica's log holds of the term is its empty entries.
type leadership struct {
	role   raft.StateType
	term   uint64
	leader uint64 // a replica, 0 if unknown
	// complete tells that this replica leads and has performed the empty entry of its term: its state is all that was ever
	// agreed before.
	complete bool
	// deciding tells that the copy was told to lead and nothing has ended that. A batch that is not performed does, as
	// everything decided after it falls with it.
	deciding bool
	// chain is the last batch's place in the term.
	chain   uint64
	flights []proposal
	// transferring tells that leadership is on its way to another replica: nothing is decided meanwhile.
	transferring bool
}

// Append proposes a batch to the group.
func (g *Group) Append(b machine.Batch, done func(replica.Outcome)) {
	g.inbox.propose(proposal{batch: b, done: done})
}

// propose gives a batch to the raft log. One that was decided over what did not stand, or for another term, is refused:
// it certainly will not be performed.
func (g *Group) propose(p proposal) {
	b := &p.batch
	if g.node == nil || !g.lead.deciding || b.Epoch != g.lead.term || b.Chain != g.lead.chain+1 || !g.lawfulNow(b) ||
		machine.BatchBytes(b) > entryBytesMax {
		g.refuse(p)
		return
	}
	if restructures(b) {
		g.lease.hold(g)
	}
	if err := g.give(b); err != nil {
		g.refuse(p)
		return
	}
	g.lead.chain++
	g.lead.flights = append(g.lead.flights, p)
}

// give makes an entry of a batch.
func (g *Group) give(b *machine.Batch) error {
	bytes := machine.AppendBatch(make([]byte, 0, machine.BatchBytes(b)), b)
	if b.Kind != machine.Moves {
		return g.node.Propose(bytes)
	}
	change := configuration(g.state.Descriptor.Members, b.After.Descriptor.Members)
	change.Context = bytes
	return g.node.ProposeConfChange(change)
}

// refuse answers that a batch certainly is not performed. The copy does not decide from then on, until resume.
func (g *Group) refuse(p proposal) {
	g.lead.deciding = false
	p.done(replica.Rejected)
}

// resume has the copy decide again, from what is performed, once nothing is under way.
func (g *Group) resume() {
	l := &g.lead
	if !l.complete || l.deciding || len(l.flights) > 0 || l.transferring {
		return
	}
	l.deciding, l.chain = true, 0
	if g.state.Applied.Epoch == l.term {
		l.chain = g.state.Applied.Chain
	}
	g.lease.release(g)
	g.copy.Lead(l.term, g.state)
}

// take takes note of who leads since this pass. What was proposed in a term that is over may have been agreed or not.
func (l *leadership) take(g *Group, rd *raft.Ready) {
	role, term, leader := l.role, l.term, l.leader
	if rd.SoftState != nil {
		role, leader = rd.SoftState.RaftState, rd.SoftState.Lead
	}
	if !raft.IsEmptyHardState(rd.HardState) {
		term = rd.HardState.GetTerm()
	}
	if role == l.role && term == l.term && leader == l.leader {
		return
	}
	led, hint := l.role == raft.StateLeader, g.hint()
	over := led && (role != raft.StateLeader || term != l.term)
	l.role, l.term, l.leader = role, term, leader
	if over {
		l.end(g)
		g.lease.drop()
		g.reads.end(g, &command.NotLeader{Hint: g.hint()})
	}
	if over || role != raft.StateLeader && g.hint() != hint {
		g.copy.Follow(g.hint())
	}
}

// end answers what is under way: nobody knows.
func (l *leadership) end(g *Group) {
	l.complete, l.deciding, l.transferring = false, false, false
	flights := l.flights
	l.flights = nil
	for _, p := range flights {
		p.done(replica.Ambiguous)
	}
}

// hint is the node that leads, 0 if unknown.
func (g *Group) hint() uint64 {
	node, _ := g.peers.node(g.lead.leader)
	return node
}

// own is the batch under way that an entry carries, nil if another replica, or this one in another term, proposed it.
func (l *leadership) own(e *raftpb.Entry) *proposal {
	if l.role != raft.StateLeader || e.GetTerm() != l.term || len(l.flights) == 0 {
		return nil
	}
	return &l.flights[0]
}

// Transfer has another replica lead, if it is able to. Nothing is decided here meanwhile.
func (g *Group) Transfer(to uint64) { g.inbox.hint(func() { g.transfer(to) }) }

func (g *Group) transfer(to uint64) {
	m, known := g.state.Descriptor.Member(to)
	if g.node == nil || g.lead.role != raft.StateLeader || to == g.replica || !known || m.Learner {
		return
	}
	g.lease.forbid(g.lead.term)
	g.lead.deciding, g.lead.transferring = false, true
	g.copy.Follow(m.Node)
	g.node.TransferLeader(to)
}

// transferred takes note of a transfer that came to nothing.
func (g *Group) transferred() {
	if g.lead.transferring && g.node.BasicStatus().LeadTransferee == 0 {
		g.lead.transferring = false
	}
}
