package multiraft

import (
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"stator/internal/base/must"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
)

// performed is what became of an entry, to be told once the engine has it.
type performed struct {
	batch machine.Batch
	state machine.Part
	done  func(replica.Outcome)
	// refused tells that the batch was not performed.
	refused bool
}

// perform carries out the entries that are agreed. What it does follows from them and from the replicated state alone, so
// that every replica does the same.
func (g *Group) perform(to *engine.Batch) {
	g.applying.Store(g.ready.CommittedEntries[len(g.ready.CommittedEntries)-1].GetIndex())
	// Written even if one of the entries breaks an invariant: the ones before it are performed.
	defer func() { to.Set(positionKey(g.id), g.at.append(nil)) }()
	for _, e := range g.ready.CommittedEntries {
		must.That(e.GetIndex() == g.at.index+1, "entry %d of partition %d follows %d", e.GetIndex(), g.id, g.at.index)
		g.performEntry(e, to)
		g.at.mark = mark{e.GetIndex(), e.GetTerm()}
	}
}

func (g *Group) performEntry(e *raftpb.Entry, to *engine.Batch) {
	bytes, change := e.GetData(), (*raftpb.ConfChangeV2)(nil)
	if e.GetType() == raftpb.EntryConfChangeV2 {
		change = new(raftpb.ConfChangeV2)
		err := proto.Unmarshal(bytes, change)
		must.That(err == nil, "configuration change %d of partition %d: %v", e.GetIndex(), g.id, err)
		bytes = change.GetContext()
	}
	switch {
	case len(bytes) > 0:
		g.performBatch(e, bytes, change, to)
	case change != nil:
		g.leaveJoint(change)
	default:
		g.performNothing(e)
	}
}

// performNothing is the end of an empty entry: the one with which a term begins, or what the library made of a change of
// members that it could not begin.
func (g *Group) performNothing(e *raftpb.Entry) {
	l := &g.lead
	switch own := l.own(e); {
	case own != nil && own.batch.Kind == machine.Moves:
		g.land(true)
	case l.role == raft.StateLeader && e.GetTerm() == l.term:
		l.complete = true
	}
}

// performBatch performs a batch iff it was proposed in the term it was decided in, is the next of its term, and was decided
// under the generation that the partition has. Anything else was decided over what did not come to be.
func (g *Group) performBatch(e *raftpb.Entry, bytes []byte, change *raftpb.ConfChangeV2, to *engine.Batch) {
	own := g.lead.own(e)
	b := machine.Batch{}
	if own != nil {
		b = own.batch
		epoch, chain, ok := machine.BatchPlace(bytes)
		must.That(ok && epoch == b.Epoch && chain == b.Chain, "entry %d of partition %d is not the batch proposed for it", e.GetIndex(), g.id)
	} else {
		var err error
		b, err = machine.ParseBatch(bytes)
		must.That(err == nil, "entry %d of partition %d: %v", e.GetIndex(), g.id, err)
	}
	if !lawful(e.GetTerm(), &b, &g.state) {
		if own != nil {
			g.land(true)
		}
		return
	}
	if own == nil {
		var err error
		b.After, b.Child, err = machine.After(g.state, &b)
		must.That(err == nil, "entry %d: %v", e.GetIndex(), err)
	}
	before := g.state.Descriptor.Members
	g.fill(to, &b)
	g.state = b.After
	if change != nil {
		g.moved(before, change)
	}
	if own != nil {
		g.land(false)
		return
	}
	g.performed = append(g.performed, performed{batch: b, state: g.state})
}

// land takes the oldest batch under way off flight.
func (g *Group) land(refused bool) {
	p := g.lead.flights[0]
	g.lead.flights = slices.Delete(g.lead.flights, 0, 1)
	g.performed = append(g.performed, performed{batch: p.batch, state: g.state, done: p.done, refused: refused})
}

// lawful tells whether a batch follows what is performed.
func lawful(term uint64, b *machine.Batch, state *machine.Part) bool {
	if term != b.Epoch || b.Generation != state.Descriptor.Generation {
		return false
	}
	if b.Epoch == state.Applied.Epoch {
		return b.Chain == state.Applied.Chain+1
	}
	return b.Epoch > state.Applied.Epoch && b.Chain == 1
}

// fill writes a batch.
func (g *Group) fill(to *engine.Batch, b *machine.Batch) {
	physical := machine.Batch{Ranges: b.Ranges, Writes: b.Writes}
	if b.Child != nil {
		physical.Writes = g.birthOfChild(to, b)
	}
	physical.Fill(to)
}

// answer tells what the pass performed, and who leads since.
func (g *Group) answer() {
	done := g.performed
	g.performed = nil
	for i := range done {
		p := &done[i]
		switch {
		case p.refused:
			g.refuse(proposal{batch: p.batch, done: p.done})
		default:
			g.copy.Performed(p.batch, p.state)
			if p.batch.Child != nil {
				g.splitDone(p.batch.Child)
			}
			if p.done != nil {
				p.done(replica.Performed)
			}
			if restructures(&p.batch) {
				g.lease.release(g)
			}
		}
	}
	g.lead.take(g, g.ready)
	g.transferred()
	g.reads.confirmed(g, g.ready.ReadStates)
	g.resume()
	g.askForWaiting()
}
