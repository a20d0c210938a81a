package multiraft

import (
	"encoding/binary"
	"time"

	"go.etcd.io/raft/v3"

	"stator/internal/partition/command"
)

// reads are the strong reads that wait for a quorum to confirm this leader.
type reads struct {
	// waiting came after the round under way had begun, so it says nothing to them: the next one does, to all at once.
	waiting []func(error)
	round   *round
	// last is the number of the last round that was begun. None is ever used twice.
	last uint64
}

// round is one question to the other replicas whether this one leads.
type round struct {
	number  uint64
	asked   time.Duration
	readers []func(error)
	// index is what must be performed here before the answer counts, once confirmed.
	index     uint64
	confirmed bool
}

// Barrier calls done once a read here would see every write acknowledged before the call.
func (g *Group) Barrier(done func(error)) {
	if g.lease.valid(g.host.options.Now()) {
		if !g.lease.wanted.Load() {
			g.lease.wanted.Store(true)
		}
		done(nil)
		return
	}
	if s := g.status.Load(); s.Role != Leader {
		done(&command.NotLeader{Hint: s.LeaderNode})
		return
	}
	g.inbox.read(done)
}

// await has readers answered by a round that begins after they came.
func (g *Group) await(readers []func(error)) {
	if len(readers) == 0 {
		return
	}
	if g.node == nil || g.lead.role != raft.StateLeader {
		answerAll(readers, &command.NotLeader{Hint: g.hint()})
		return
	}
	g.lease.wanted.Store(true)
	if room := inboxReadersMax - len(g.reads.waiting); room < len(readers) {
		answerAll(readers[room:], rejected(errFull))
		readers = readers[:room]
	}
	g.reads.waiting = append(g.reads.waiting, readers...)
	g.askForWaiting()
}

// askForWaiting begins a round for those that wait for one. A leader which has not yet performed all that was agreed before
// lets them wait until it has.
func (g *Group) askForWaiting() {
	if len(g.reads.waiting) > 0 && g.reads.round == nil && g.lead.complete {
		g.ask()
	}
}

// ask begins a round. The time is read before any message of it can leave.
func (g *Group) ask() {
	r := &g.reads
	r.last++
	r.round = &round{number: r.last, asked: g.host.options.Now(), readers: r.waiting}
	r.waiting = nil
	g.node.ReadIndex(binary.BigEndian.AppendUint64(nil, r.last))
}

// confirmed takes note of what a quorum has answered, and ends the round once this replica has performed what was agreed
// when it began.
func (r *reads) confirmed(g *Group, states []raft.ReadState) {
	for _, s := range states {
		if r.round != nil && len(s.RequestCtx) == 8 && binary.BigEndian.Uint64(s.RequestCtx) == r.round.number {
			r.round.confirmed, r.round.index = true, s.Index
		}
	}
	done := r.round
	if done == nil || !done.confirmed || g.at.index < done.index {
		return
	}
	r.round = nil
	g.lease.grant(g, done)
	answerAll(done.readers, nil)
}

// end answers all that wait: this replica leads no more.
func (r *reads) end(g *Group, err error) {
	readers := r.waiting
	if r.round != nil {
		readers = append(r.round.readers, readers...)
	}
	r.round, r.waiting = nil, nil
	answerAll(readers, err)
}

func answerAll(readers []func(error), err error) {
	for _, done := range readers {
		done(err)
	}
}

func rejected(cause error) error { return &command.Rejected{Cause: cause} }
