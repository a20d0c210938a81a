package multiraft

import (
	"bytes"
	"slices"

	"stator/internal/base/must"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// birthOfChild writes what the right half of a split is born with besides its part state, and returns those of the
// batch's writes that are to be made. The rows of the right half stay where they are: what brought them here now answers for them.
//
// The child may have been removed from this node already, by those who performed the split long ago: then its rows go, and
// nothing is born. It may have voted before it was born: it keeps to that.
func (g *Group) birthOfChild(to *engine.Batch, b *machine.Batch) []machine.Write {
	child := b.Child
	id := child.Descriptor.Partition
	m, here := child.Descriptor.MemberOn(g.host.options.Node)
	dead, err := tombstone(g.host.options.Engine, id)
	must.That(err == nil, "the split of partition %d: %v", g.id, err)
	if !here || dead >= m.Replica {
		for _, s := range machine.DataSpans(child.Descriptor) {
			to.DeleteRange(s.Lower, s.Upper)
		}
		prefix := keys.Prefix(keys.SpacePart, id)
		return slices.DeleteFunc(slices.Clone(b.Writes), func(w machine.Write) bool { return bytes.HasPrefix(w.Key, prefix) })
	}
	there, err := Hosted(g.host.options.Engine, id)
	must.That(err == nil && !there, "the split of partition %d brings %d, which is here already: %v", g.id, id, err)
	born := hard{replica: m.Replica, term: birthTerm, commit: birthIndex}
	before, voted, err := machine.ReadRecord(g.host.options.Engine, hardKey(id), parseHard)
	must.That(err == nil, "the split of partition %d: %v", g.id, err)
	if voted && before.replica == born.replica && before.term >= born.term {
		born.term, born.vote = before.term, before.vote
	}
	birthRecords(to, id, born)
	return b.Writes
}

// splitDone tells that a child can be opened here: where that is not known, opening it will tell. Where the parent is led, so will
// be the child.
func (g *Group) splitDone(child *machine.Part) {
	id := child.Descriptor.Partition
	if placed, err := Hosted(g.host.options.Engine, id); err == nil && !placed {
		return // it was removed from this node before
	}
	if g.lead.complete {
		g.host.putEager(id)
	}
	g.host.options.Born(id)
}
