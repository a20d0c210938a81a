package replication

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// Changes of partitions come this far apart.
const (
	splitEveryMax    = 25 * time.Second
	moveEveryMax     = 20 * time.Second
	transferEveryMax = 8 * time.Second
	splitsMax        = 6
	changeTriesMax   = 60
)

// startAdopts gives every partition its table: a right half that was split off before has none.
func (w *world) startAdopts() {
	w.Start("adopts", func() {
		c := w.newClient(0)
		for {
			for _, at := range slices.Clone(w.layout.places) {
				if !w.layout.adopted[at.id] {
					c.adopt(at)
				}
			}
			w.Sleep(50 * time.Millisecond)
		}
	})
}

func (c *client) adopt(at place) {
	w := c.world
	_, err := c.change(at.bounds.Lower, at.id, func(p *partition, done func(error)) { p.replica.Adopt(w.layout.table, done) })
	if err == nil {
		w.layout.adopted[at.id] = true
		w.Note("partition %d has adopted its table", at.id)
	}
}

// startChanges splits, moves and transfers partitions.
func (w *world) startChanges() {
	w.every("splits", splitEveryMax, w.split)
	w.every("moves", moveEveryMax, w.move)
	w.every("transfers", transferEveryMax, w.transfer)
}

// every does something now and then until the world is calm. What is begun is brought to its end.
func (w *world) every(name string, most time.Duration, something func(*client) error) {
	w.clients++
	w.Start(name, func() {
		defer func() { w.clients-- }()
		c := w.newClient(w.Random.IntN(w.habits.nodes))
		for {
			for until := w.Now + w.Between(most/10, most); w.Now < until && !w.Calm; {
				w.Sleep(100 * time.Millisecond)
			}
			if w.Calm {
				return
			}
			if err := something(c); err != nil {
				w.Note("%s: %v", name, err)
			}
		}
	})
}

// descriptor reads what the leader of the partition that holds key says of itself.
func (c *client) descriptor(key []byte) (machine.Descriptor, error) {
	return strong(&c.router, key, true, func(p *partition, done func(machine.Descriptor, error)) {
		p.barrier(func(err error) { done(p.replica.State().Descriptor, err) })
	})
}

// split cuts the partition of some key, as jobs/split does: what was reserved is performed, or never will be.
func (w *world) split(c *client) error {
	if w.result.Splits >= splitsMax {
		return nil
	}
	at := suffix(w.key())
	if w.habits.local || w.Chance(50) {
		at = at[:16] // a token: no collection is cut
	}
	d, err := c.descriptor(at)
	if err != nil {
		return err
	}
	if !d.Bounds.Holds(at) || bytes.Equal(d.Bounds.Lower, at) {
		return nil
	}
	w.layout.last++
	child := w.layout.last
	_, err = c.change(at, d.Partition, func(p *partition, done func(error)) {
		p.replica.Split(&command.Command{At: at, Child: child, Generation: d.Generation}, done)
	})
	w.Note("split of partition %d: %v", d.Partition, err)
	return c.enter(d, child, at)
}

// change asks a partition for a change of itself.
func (c *client) change(key []byte, id uint64, propose func(*partition, func(error))) (struct{}, error) {
	return strong(&c.router, key, false, func(p *partition, done func(struct{}, error)) {
		if p.id != id {
			done(struct{}{}, &command.Ambiguous{Cause: errors.New("the key is another partition's by now")})
			return
		}
		propose(p, func(err error) { done(struct{}{}, err) })
	})
}

// enter writes into the layout what the parent says of itself. If it was not split it will not be: its generation rises.
func (c *client) enter(before machine.Descriptor, child uint64, at []byte) error {
	w := c.world
	for range changeTriesMax {
		now, err := c.descriptor(before.Bounds.Lower)
		if err == nil && bytes.Equal(now.Bounds.Upper, at) {
			w.layout.split(before.Partition, child, at)
			w.result.Splits++
			w.Note("partition %d is split off %d", child, before.Partition)
			return nil
		}
		if err == nil {
			_, err = c.change(before.Bounds.Lower, before.Partition, func(p *partition, done func(error)) {
				p.replica.Split(&command.Command{Generation: now.Generation}, done)
			})
		}
		if err == nil {
			w.Note("partition %d is not split", before.Partition)
			return nil
		}
		w.Sleep(w.Between(50*time.Millisecond, time.Second))
	}
	err := fmt.Errorf("nobody knows whether partition %d was split", before.Partition)
	w.Fail(err)
	return err
}

// transfer has another copy lead a partition.
func (w *world) transfer(*client) error {
	at := w.layout.places[w.Random.IntN(len(w.layout.places))]
	if n, ok := w.leader(at.id); ok {
		n.transfer(at.id)
	}
	return nil
}

func (n *node) transfer(id uint64) {
	w := n.world
	d := n.copies[id].replica.State().Descriptor
	to := d.Members[w.Random.IntN(len(d.Members))]
	w.result.Transfers++
	w.Note("partition %d shall be led by node %d", id, to.Node)
	n.Do(func() {
		if c, there := n.copies[id]; there { // a node that stood still meanwhile may have lost it
			c.group.Transfer(to.Replica)
		}
	})
}
