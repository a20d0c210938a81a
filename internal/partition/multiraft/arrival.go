package multiraft

import (
	"errors"
	"fmt"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"stator/internal/base/must"
	"stator/internal/partition/machine"
)

var (
	errUnneeded = errors.New("the replica has no need of this snapshot")
	errRemoved  = errors.New("this replica was removed from its node")
)

// arrival is a snapshot whose files are here, for a worker to take over. done is told when that is done, or why not.
type arrival struct {
	in   *Incoming
	done func(error)
}

// end removes what is left of the files and answers.
func (a *arrival) end(err error) { a.done(errors.Join(err, a.in.Abort())) }

// Incoming begins a snapshot that another node sends. A replica that is not here yet is made by it and by nothing else,
// once all of it has come. The error tells why it cannot come now; the sender tries again.
func (h *Host) Incoming(data []byte) (*Incoming, error) {
	header, err := parseSnapshotHeader(data)
	if err != nil {
		return nil, err
	}
	message, err := ParseMessage(header.message)
	if err != nil {
		return nil, err
	}
	of := new(raftpb.Message)
	if err := proto.Unmarshal(message.Body, of); err != nil {
		return nil, errHeader
	}
	d := &header.descriptor
	member, known := d.Member(message.To)
	meta := of.GetSnapshot().GetMetadata()
	switch {
	case of.GetType() != raftpb.MsgSnap || of.GetTo() != message.To || of.GetFrom() != message.From || meta.GetIndex() <= birthIndex:
		return nil, errHeader
	case message.Group != d.Partition || message.ToNode != h.options.Node || !known || member.Node != message.ToNode:
		return nil, errHeader
	}
	if err := h.admits(message.Group, message.To); err != nil {
		return nil, err
	}
	in, err := newIncoming(h.options.Engine, &h.arrivals, header)
	if err != nil {
		return nil, err
	}
	in.host, in.replica, in.message = h, message.To, of
	in.at = mark{index: meta.GetIndex(), term: meta.GetTerm()}
	return in, nil
}

// admits tells whether a replica may live here: none that was removed does, and none beside an older one.
func (h *Host) admits(group, replica uint64) error {
	dead, err := tombstone(h.options.Engine, group)
	if err != nil {
		return err
	}
	if dead >= replica {
		return errRemoved
	}
	own, found, err := machine.ReadRecord(h.options.Engine, hardKey(group), parseHard)
	if err == nil && found && own.replica != replica {
		err = fmt.Errorf("replica %d of partition %d is here, not %d", own.replica, group, replica)
	}
	return err
}

// Close ends what comes and has a worker take it over in its next pass; done is told then, or when it is clear that this
// will not be. The files are synced before Close returns.
func (in *Incoming) Close(done func(error)) {
	a := &arrival{in: in, done: done}
	if err := in.seal(); err != nil {
		a.end(err)
		return
	}
	w := in.host.worker(in.header.descriptor.Partition)
	if !w.request(func() { w.arrive(a) }) {
		a.end(errFull)
	}
}

// arrive gives a snapshot to its group, or makes one of it.
func (w *worker) arrive(a *arrival) {
	in := a.in
	id := in.header.descriptor.Partition
	err := w.host.failure()
	if err == nil {
		err = w.host.admits(id, in.replica)
	}
	if err == nil {
		err = in.current()
	}
	if err != nil {
		a.end(err)
		return
	}
	g := w.host.group(id)
	switch {
	case g != nil && g.node != nil:
		w.touch(g)
		g.guard(func() { g.arrive(a) })
	case in.isNew && g == nil:
		w.settle(a)
	default:
		a.end(fmt.Errorf("partition %d is not open here", id))
	}
}

// settle makes a replica of a snapshot. It has promised nothing to anybody yet: it comes to be in the term of the leader
// that sent the snapshot, and has voted for none.
func (w *worker) settle(a *arrival) {
	in := a.in
	err := in.perform(hard{replica: in.replica, term: in.message.GetTerm(), commit: in.at.index}, in.at)
	a.end(err)
	if err == nil {
		w.host.options.Born(in.header.descriptor.Partition)
	}
}

// arrive shows a snapshot to the raft library, which may have gone past it meanwhile.
func (g *Group) arrive(a *arrival) {
	g.arrival = a
	_ = g.node.Step(a.in.message) // what it does not take it says nothing of: see arrived
}

// takeOver lets the snapshot that the library took take the replica's place. It is durable when this returns true, together
// with the term and the vote of this pass.
//
// Reads are ended before: a part of what they see goes before they see what comes.
func (g *Group) takeOver() bool {
	meta := g.ready.Snapshot.GetMetadata()
	at := mark{index: meta.GetIndex(), term: meta.GetTerm()}
	a := g.arrival
	must.That(a != nil && a.in.at == at, "partition %d was told to begin from %v, which has not come", g.id, at)
	g.arrival = nil
	g.copy.Replacing()
	h := g.log.hard
	if s := g.ready.HardState; !raft.IsEmptyHardState(s) {
		h.term, h.vote, h.commit = s.GetTerm(), s.GetVote(), s.GetCommit()
	}
	h.commit = max(h.commit, at.index)
	g.applying.Store(at.index)
	err := a.in.perform(h, at)
	if err == nil {
		err = g.reload(h, at)
	}
	a.end(err)
	if err != nil {
		// The library believes that it has it. What is on the disk is whole, the old or the new, and good for a restart.
		g.quarantine(err)
	}
	return err == nil
}

// reload takes over what the store holds since a snapshot came.
func (g *Group) reload(h hard, at mark) error {
	state, found, err := machine.Load(g.host.options.Engine, g.id)
	if err != nil {
		return err
	}
	place, placed, err := machine.ReadRecord(g.host.options.Engine, positionKey(g.id), parsePosition)
	if err != nil {
		return err
	}
	if !found || !placed || place.mark != at {
		return fmt.Errorf("the snapshot of partition %d is of %v, not %v", g.id, place.mark, at)
	}
	g.state, g.at = state, place
	g.log.restart(h, at)
	g.peers.know(&g.state.Descriptor, g.at.outgoing)
	g.copy.Replaced(state)
	return nil
}

// restart begins the log anew behind a snapshot.
func (l *raftLog) restart(h hard, at mark) {
	l.hard, l.truncated, l.last = h, at, at.index
	l.recent, l.recentBytes, l.bytes = nil, 0, 0
}

// arrived ends a pass: a snapshot that the library did not take is not needed.
func (g *Group) arrived() {
	if a := g.arrival; a != nil {
		g.arrival = nil
		a.end(errUnneeded)
	}
}

// unknown answers for a replica that is not here yet, so that the leader learns that it needs a snapshot: it has nothing,
// promises nothing and is written nowhere. One that a split is to bring here is not answered for at first (see newborns);
// later it is, and a snapshot of it is refused while its parent holds its keys here. A replica that is here and not open
// answers for itself once it is.
func (h *Host) unknown(m Message) {
	asked := new(raftpb.Message)
	if proto.Unmarshal(m.Body, asked) != nil || h.newborns.expected(h, m.Group, asked) {
		return
	}
	answer := &raftpb.Message{To: asked.From, From: asked.To, Term: asked.Term}
	switch asked.GetType() {
	case raftpb.MsgApp:
		answer.Type = raftpb.MsgAppResp.Enum()
		answer.Index, answer.Reject = asked.Index, new(true)
	case raftpb.MsgHeartbeat:
		// Without the context of a strong read: nobody here can say that no other replica leads.
		answer.Type = raftpb.MsgHeartbeatResp.Enum()
	default:
		return
	}
	if !h.absent(m.Group, m.To) {
		return
	}
	body, err := proto.Marshal(answer)
	if err != nil {
		panic(err) // made here
	}
	h.options.Send(m.FromNode, Message{
		Group: m.Group, FromNode: m.ToNode, ToNode: m.FromNode, From: m.To, To: m.From, Body: body,
	})
}

// absent tells whether nothing is known here of a group but what older replicas were removed.
func (h *Host) absent(group, replica uint64) bool {
	dead, err := tombstone(h.options.Engine, group)
	if err != nil || dead >= replica {
		return false
	}
	_, found, err := machine.ReadRecord(h.options.Engine, hardKey(group), parseHard)
	return err == nil && !found
}
