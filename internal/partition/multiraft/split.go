package multiraft

import (
	"stator/internal/base/must"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// birthOfChild writes what the right half of a split is born with besides its part state, and tells which of the batch's
// writes to make. The rows of the right half stay where they are: what brought them here now answers for them.
//
// The child may have been removed from this node already, by those who performed the split long ago: then its rows go, and
// nothing is born. It may have voted before it was born: it keeps to that.
func (g *Group) birthOfChild(to *engine.Batch, b *machine.Batch) func(machine.Write) bool {
	child := b.Child
	id := child.Descriptor.Partition
	m, here := child.Descriptor.MemberOn(g.host.options.Node)
	dead, err := tombstone(g.host.options.Engine, id)
	must.That(err == nil, "the split of partition %d: %v", g.id, err)
	prefix := string(keys.Prefix(keys.SpacePart, id))
	if !here || dead >= m.Replica {
		for _, s := range dataSpans(child.Descriptor) {
			to.DeleteRange(s.Lower, s.Upper)
		}
		return func(w machine.Write) bool { return len(w.Key) < len(prefix) || string(w.Key[:len(prefix)]) != prefix }
	}
	there, err := Hosted(g.host.options.Engine, id)
	must.That(err == nil && !there, "the split of partition %d brings %d, which is here already: %v", g.id, id, err)
	born := hard{replica: m.Replica, term: birthTerm, commit: birthIndex}
	before, voted, err := readRecord(g.host.options.Engine, hardKey(id), parseHard)
	must.That(err == nil, "the split of partition %d: %v", g.id, err)
	if voted && before.replica == born.replica && before.term >= born.term {
		born.term, born.vote = before.term, before.vote
	}
	birthRecords(to, id, born)
	return func(machine.Write) bool { return true }
}

// splitDone tells that a child can be opened here. Where the parent is led, so will be the child.
func (g *Group) splitDone(child *machine.Part) {
	id := child.Descriptor.Partition
	if placed, err := Hosted(g.host.options.Engine, id); err != nil || !placed {
		return // it was removed from this node before
	}
	if g.lead.complete {
		g.host.putEager(id)
	}
	g.host.options.Born(id)
}
