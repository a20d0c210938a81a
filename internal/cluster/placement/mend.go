package placement

import (
	"cmp"
	"slices"
)

// need is a partition that lacks something, and how urgent that is: the lower the more.
type need struct {
	place   *place
	urgency int
	lack    lack
}

// lack is what a partition lacks.
type lack struct {
	// host is the one whose replica is to go; nobody where one more is wanted.
	host int
	why  Reason
	// remove tells that it may go without another in its place.
	remove bool
}

// mend plans for partitions that have lost replicas, have too few, have some on leaving nodes, or too many; those that
// could afford the fewest losses first.
func (b *board) mend() {
	var needs []need
	for i := range b.places {
		p := &b.places[i]
		if p.done || !b.firm(p) {
			continue
		}
		if lack, rank := b.lacks(p); rank > 0 {
			needs = append(needs, need{p, b.margin(p, p.voters)*ranks + rank, lack})
		}
	}
	slices.SortStableFunc(needs, func(x, y need) int { return cmp.Compare(x.urgency, y.urgency) })
	for _, n := range needs {
		if n.lack.remove {
			b.change(n.place, nil, []int{n.lack.host}, n.lack.why)
		} else {
			b.add(n.place, n.lack.host, n.lack.why)
		}
	}
}

// ranks is how many ranks lacks tells apart.
const ranks = 5

// lacks is what a partition lacks most, with its rank: 0 for nothing, else the lower the worse.
func (b *board) lacks(p *place) (lack, int) {
	removable := b.removable(p)
	for _, i := range p.voters {
		if b.dead(i) {
			return lack{i, Repair, removable}, 1
		}
	}
	for _, i := range p.voters {
		if b.leaving(i) && removable {
			return lack{i, Drain, true}, 3
		}
	}
	if len(p.voters) < b.target(p) {
		return lack{nobody, Grow, false}, 2
	}
	for _, i := range p.voters {
		if b.leaving(i) {
			return lack{i, Drain, false}, 3
		}
	}
	if p.victim != nobody {
		return lack{p.victim, Shrink, true}, 4
	}
	return lack{}, 0
}

// drain plans that leaving nodes lead nothing.
func (b *board) drain() {
	for i := range b.places {
		p := &b.places[i]
		if !p.done && p.leader >= 0 && b.leaving(p.leader) && b.firm(p) {
			if to := b.successor(p, nil); to != nobody && !b.leaving(to) {
				b.transfer(p, to, Drain)
			}
		}
	}
}
