package placement

import "slices"

// finish goes on with partitions that have learners, or a voter too many: who has one says by that alone what comes next,
// so that a plan can be made by a leader that knows nothing of the plans before.
//
// The loads are counted as if all that were through. As each decision changes them for the others, all are made, and then
// each once more in view of the others: what was begun in that view is not given up for the lack of it.
func (b *board) finish() {
	var moving []*place
	for i := range b.places {
		p := &b.places[i]
		switch {
		case len(p.learners) > 0:
			p.done = true
			if b.firm(p) && !b.tidy(p) && !b.grow(p) {
				moving = append(moving, p)
			}
		case len(p.voters) > odd(b.rules.replicas(p.ID)) && b.whole(p):
			moving = append(moving, p)
		}
	}
	for _, p := range moving {
		b.choose(p)
	}
	for _, p := range moving {
		b.unchoose(p)
		b.choose(p)
		b.swap(p)
	}
}

// tidy plans that a learner goes that is lost, whose node goes, or that is one too many.
func (b *board) tidy(p *place) bool {
	damaged, _ := b.lost(p, p.learners)
	for _, i := range p.learners {
		if i == damaged || b.dead(i) || b.hosts[i].State != Up {
			b.discard(p, i)
			return true
		}
	}
	if len(p.learners) > max(1, b.target(p)-len(p.voters)) {
		b.discard(p, p.learners[len(p.learners)-1])
		return true
	}
	return false
}

// grow goes on with a partition that has learners because it has too few voters. One that has lost voters is helped first.
func (b *board) grow(p *place) bool {
	missing := b.target(p) - len(p.voters)
	lost, _ := b.lost(p, p.voters)
	switch {
	case missing <= 0 || lost != nobody:
		return false
	case missing > len(p.learners):
		b.add(p, nobody, Grow)
	default:
		// All at once: between one and three voters, two would be stopped by the loss of either.
		b.promote(p, p.learners, nil, Grow)
	}
	return true
}

// discard plans that a learner goes.
func (b *board) discard(p *place, i int) {
	b.step(p, Step{Kind: Discard, From: b.hosts[i].ID, Why: Unneeded})
	b.take(p, i)
}

// promote plans a change in which learners begin to vote, once they have caught up.
func (b *board) promote(p *place, learners, remove []int, why Reason) {
	if b.allLiving(p, learners) {
		b.change(p, learners, remove, why)
	}
}

// choose finds the voter that is to go, and keeps account of its going.
func (b *board) choose(p *place) {
	if len(p.learners) == 0 {
		p.victim, p.why = b.worst(p, nobody), Shrink
	} else {
		p.victim, p.why = b.replaced(p, p.learners[0])
	}
	if p.victim != nobody {
		b.take(p, p.victim)
	}
}

func (b *board) unchoose(p *place) {
	if p.victim != nobody {
		b.give(p, p.victim)
	}
}

// swap plans that a learner takes the place of the voter that was chosen, or goes if there is none.
func (b *board) swap(p *place) {
	switch {
	case len(p.learners) == 0:
		return // mend has it go, when its turn comes
	case p.victim == nobody:
		b.discard(p, p.learners[0])
	default:
		b.promote(p, p.learners[:1], []int{p.victim}, p.why)
	}
}

// replaced is the voter that a learner takes the place of: the one an operator named, one that is lost, one on a leaving
// node, or else the one without which the layout is best; nobody if it is better without the learner.
func (b *board) replaced(p *place, learner int) (int, Reason) {
	for _, w := range b.wishes {
		if w.Partition == p.ID && w.To == b.hosts[learner].ID {
			if i, ok := b.index[w.From]; ok && slices.Contains(p.voters, i) {
				return i, Wished
			}
		}
	}
	if i, why := b.lost(p, p.voters); i != nobody {
		return i, why
	}
	for _, i := range p.voters {
		if b.leaving(i) {
			return i, Drain
		}
	}
	if !b.sized(p) {
		return nobody, Unneeded
	}
	victim := b.worst(p, learner)
	now, then := b.crowded(p.voters), b.crowded(append(without(p.voters, victim), learner))
	switch {
	case then < now:
		return victim, Spread
	case then == now && b.relief(p, victim)+b.doubt(p) >= b.relief(p, learner):
		return victim, Balance
	}
	return nobody, Unneeded
}

// worst is the voter without which the others, with a learner unless that is nobody, are spread best; among equals the
// one whose node is the better for it.
func (b *board) worst(p *place, learner int) int {
	victim, fewest, most := nobody, 0, 0.0
	for n, i := range p.voters {
		rest := without(p.voters, i)
		relief := b.relief(p, i)
		if learner != nobody {
			rest = append(rest, learner)
		} else if n == len(p.voters)-1 {
			relief -= b.doubt(p) // the newest may be there to take the place of another
		}
		if i == p.leader {
			relief -= b.doubt(p) // it would have to hand over
		}
		pairs := b.crowded(rest)
		if victim == nobody || pairs < fewest || pairs == fewest && relief > most {
			victim, fewest, most = i, pairs, relief
		}
	}
	return victim
}

// wish begins what operators asked for. The replica that is to go may be damaged, and not living.
func (b *board) wish() {
	for _, w := range b.wishes {
		from, known := b.index[w.From]
		to, there := b.index[w.To]
		p := b.find(w.Partition)
		if p == nil || !known || !there || from == to || p.done || !slices.Contains(p.voters, from) || !b.wholeBut(p, from) {
			continue
		}
		switch {
		case slices.Contains(p.voters, to):
			if b.taking(to) && b.removable(p) {
				b.change(p, nil, []int{from}, Wished)
			}
		case b.taking(to) && b.room(p, to) && b.idle(to) && b.ready(p):
			b.begin(p, from, to, Wished)
		}
	}
}

// Fulfilled tells whether a partition is as a wish asks for: whoever keeps wishes forgets this one then, or else it would be
// done again when evenness undoes it.
func (w Wish) Fulfilled(p *Partition) bool {
	from, stays := p.replica(w.From)
	to, there := p.replica(w.To)
	return there && !to.Learner && (!stays || from.Learner)
}

// find is the place of a partition, nil if there is none.
func (b *board) find(partition uint64) *place {
	i, ok := slices.BinarySearchFunc(b.places, partition, func(p place, id uint64) int {
		switch {
		case p.ID < id:
			return -1
		case p.ID > id:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return &b.places[i]
}
