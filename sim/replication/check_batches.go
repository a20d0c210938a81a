package replication

import (
	"fmt"
	"hash/maphash"

	"stator/internal/partition/machine"
)

// batches is what copies performed: every copy the same, one after the other, and of each epoch under one leader.
type batches struct {
	world    *world
	contents map[batchName]uint64
	leaders  map[leadership]uint64
}

type batchName struct{ partition, epoch, chain uint64 }

type leadership struct{ partition, epoch uint64 }

func (b *batches) begin(w *world) {
	b.world, b.contents, b.leaders = w, map[batchName]uint64{}, map[leadership]uint64{}
}

// leads notes that a copy leads in an epoch: another one never did.
func (b *batches) leads(p *partition, epoch uint64) {
	name := leadership{p.id, epoch}
	b.world.Note("node %d leads partition %d in epoch %d", p.node.Number, p.id, epoch)
	b.world.result.Leads++
	if other, led := b.leaders[name]; led && other != p.node.Number {
		b.world.Fail(fmt.Errorf("nodes %d and %d both lead partition %d in epoch %d", other, p.node.Number, p.id, epoch))
	}
	b.leaders[name], p.led = p.node.Number, epoch
}

// performed holds a batch against what other copies performed in its place, and against what this one performed before.
func (b *batches) performed(p *partition, batch *machine.Batch, state machine.Part) {
	w := b.world
	before := p.applied
	follows := batch.Epoch == before.Epoch && batch.Chain == before.Chain+1 || batch.Epoch > before.Epoch && batch.Chain == 1
	if !follows {
		w.Fail(fmt.Errorf("node %d performed batch %d/%d of partition %d after %d/%d", p.node.Number, batch.Epoch, batch.Chain, p.id,
			before.Epoch, before.Chain))
	}
	if a := state.Applied; a.Epoch != batch.Epoch || a.Chain != batch.Chain {
		w.Fail(fmt.Errorf("node %d is at %d/%d after batch %d/%d of partition %d", p.node.Number, a.Epoch, a.Chain, batch.Epoch,
			batch.Chain, p.id))
	}
	p.applied = state.Applied
	if p.led == batch.Epoch {
		b.exclusive(p)
	}
	name := batchName{p.id, batch.Epoch, batch.Chain}
	sum := sumOf(batch)
	if other, known := b.contents[name]; known && other != sum {
		w.Fail(fmt.Errorf("node %d performed another batch %d/%d of partition %d than others", p.node.Number, batch.Epoch, batch.Chain, p.id))
	} else if !known {
		b.contents[name] = sum
		w.result.Batches++
	}
}

// exclusive asks every other node that still believes to lead whether it would serve a strong read this very moment: it must not, as
// it has not what the leader is about to acknowledge.
func (b *batches) exclusive(p *partition) {
	for _, n := range b.world.nodes {
		other, ok := n.copies[p.id]
		if n == p.node || n.Over() || !ok || n.Halted() || !other.leads() ||
			other.group.Status().Term >= p.applied.Epoch {
			continue
		}
		within := true
		other.group.Barrier(func(err error) {
			if err == nil && within {
				b.world.Fail(fmt.Errorf("node %d serves strong reads of partition %d, which node %d leads in epoch %d", n.Number, p.id,
					p.node.Number, p.applied.Epoch))
			}
		})
		within = false
	}
}

// sumSeed makes the sums of one process comparable: they are of no use beyond it.
var sumSeed = maphash.MakeSeed()

func sumOf(b *machine.Batch) uint64 { return maphash.Bytes(sumSeed, machine.AppendBatch(nil, b)) }
