package placement

import (
	"cmp"
	"slices"
	"time"
)

// Load is what a node has already.
type Load struct {
	Replicas int
	Bytes    int64
}

// Wanted is how many new partitions there shall be, with how many replicas each.
type Wanted struct{ Partitions, Replicas int }

// Choose finds the nodes of new partitions, for each the one that should lead first. Zones apart, all nodes alike; an odd
// number of replicas each, as many as there are nodes up to those wanted. Nothing is chosen where no node is up.
func Choose(nodes []Node, loads map[uint64]Load, w Wanted) [][]uint64 {
	b := newcomers(nodes, loads, DefaultRules().SuspectAfter)
	replicas := odd(min(w.Replicas, b.staying))
	if b.staying == 0 {
		return nil
	}
	if b.hands() < replicas {
		// A node that is silent for a moment gets its replicas when it is back: better than to begin with fewer.
		b = newcomers(nodes, loads, DefaultRules().DeadAfter)
	}
	chosen := make([][]uint64, w.Partitions)
	for n := range chosen {
		p := place{Partition: &Partition{}, leader: nobody}
		for range replicas {
			i := b.pick(&p, p.voters)
			p.voters = append(p.voters, i)
			b.give(&p, i)
		}
		first := slices.MinFunc(p.voters, func(x, y int) int {
			return cmp.Or(cmp.Compare(b.hosts[x].leads, b.hosts[y].leads), cmp.Compare(x, y))
		})
		b.hosts[first].leads++
		chosen[n] = append([]uint64{b.hosts[first].ID}, b.ids(without(p.voters, first))...)
	}
	return chosen
}

// newcomers is a board on which nodes have what they have and are never busy.
func newcomers(nodes []Node, loads map[uint64]Load, suspectAfter time.Duration) *board {
	b := &board{
		rules: Rules{SuspectAfter: suspectAfter, DeadAfter: DefaultRules().DeadAfter, MovesPerNodeMax: 1},
		index: make(map[uint64]int, len(nodes)),
	}
	b.layNodes(nodes)
	for i := range b.hosts {
		h := &b.hosts[i]
		h.count, h.bytes = float64(loads[h.ID].Replicas), float64(loads[h.ID].Bytes)
		// Nothing is copied to a new partition, and a full disk is refused by the node that has it.
		h.FreeBytes = h.DiskBytes
	}
	b.measure()
	return b
}

// hands is how many nodes may be given replicas.
func (b *board) hands() int {
	n := 0
	for _, hosts := range b.zones {
		n += len(hosts)
	}
	return n
}
