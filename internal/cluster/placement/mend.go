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
	remade := b.growing()
	for _, n := range needs {
		switch {
		case n.lack.remove:
			b.change(n.place, nil, []int{n.lack.host}, n.lack.why)
		case n.lack.why == Damage:
			remade = remade || b.remake(n.place, n.lack.host)
		default:
			b.add(n.place, n.lack.host, n.lack.why)
		}
	}
}

// ranks is how many ranks lacks tells apart.
const ranks = 6

// lacks is what a partition lacks most, with its rank: 0 for nothing, else the lower the worse.
func (b *board) lacks(p *place) (lack, int) {
	removable := b.removable(p)
	lost, why := b.lost(p, p.voters)
	if why == Repair || why == Damage && removable {
		return lack{lost, why, removable}, 1
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
	if lost != nobody {
		return lack{lost, why, false}, 5
	}
	return lack{}, 0
}

// growing tells whether any partition gets one more replica, or is to.
func (b *board) growing() bool {
	for i := range b.places {
		p := &b.places[i]
		if b.firm(p) && (len(p.learners) > 0 || len(p.voters) < b.target(p)) {
			return true
		}
	}
	return b.plan.Moves > 0
}

// remake plans that a voter is made anew which is damaged though its node is well, and tells whether it does. Nothing hurries, and what
// damages one may damage the next: there is one at a time in a cluster, while nothing else grows, and only while all the others of the
// partition are living.
//
// Where no other node can take it, the damaged one goes first, and its own node then gets the one that is lacking. The others can
// afford as few losses without it as with one that answers nothing.
func (b *board) remake(p *place, damaged int) bool {
	p.done = true
	if !b.wholeBut(p, damaged) {
		return false
	}
	switch to := b.pick(p, without(p.voters, damaged)); {
	case to >= 0 && b.ready(p):
		b.begin(p, damaged, to, Damage)
	case to != nobody:
		return false
	case b.taking(damaged) && b.room(p, damaged):
		b.change(p, nil, []int{damaged}, Damage)
	default:
		b.block(Blocked{Partition: p.ID, Node: b.hosts[damaged].ID, Why: Damage})
		return false
	}
	return true
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
