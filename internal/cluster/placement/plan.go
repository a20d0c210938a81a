package placement

import (
	"cmp"
	"slices"
)

// Next is the next safe steps from the facts towards the layout that the rules ask for. What is not safe now is left for
// a later plan: no step lowers the number of a partition's living replicas below what it has and shall have, none leaves
// it without a living majority, before or after. The same facts give the same plan.
func Next(f Facts, r Rules) Plan {
	b := lay(f, r)
	b.finish()
	b.wish()
	b.drain()
	b.mend()
	b.spread()
	b.balance()
	b.cool()
	b.lead()
	return b.plan
}

// living tells whether a partition's replica on a host can be relied on now.
func (b *board) living(p *place, i int) bool {
	r, ok := p.replica(b.hosts[i].ID)
	return ok && r.Current && r.Damaged == 0 && b.alive(i)
}

// majority tells whether more than half of some replicas are living.
func (b *board) majority(p *place, some []int) bool { return b.margin(p, some) >= 0 }

// margin is how many of some replicas may still be lost before there is no majority; negative if there is none.
func (b *board) margin(p *place, some []int) int {
	living := 0
	for _, i := range some {
		if b.living(p, i) {
			living++
		}
	}
	return living - (len(some)/2 + 1)
}

func (b *board) allLiving(p *place, some []int) bool {
	return !slices.ContainsFunc(some, func(i int) bool { return !b.living(p, i) })
}

func (b *board) anyLiving(p *place, some []int) bool {
	return slices.ContainsFunc(some, func(i int) bool { return b.living(p, i) })
}

// firm tells whether a partition can decide anything now, so far as is known.
func (b *board) firm(p *place) bool {
	return !p.Changing && p.leader >= 0 && b.alive(p.leader) && b.majority(p, p.voters)
}

// whole tells whether all of a partition's replicas are voting and living.
func (b *board) whole(p *place) bool { return b.wholeBut(p, nobody) }

// wholeBut is whole for who does not care about the replica that is to go.
func (b *board) wholeBut(p *place, goes int) bool {
	return b.firm(p) && len(p.learners) == 0 && !slices.ContainsFunc(p.voters, func(i int) bool { return i != goes && !b.living(p, i) })
}

// sized tells whether a partition has as many voters as it shall have, so that they may be moved about. A single replica
// that waits for others is not moved: it would go by way of two.
func (b *board) sized(p *place) bool {
	return len(p.voters) == b.target(p) && (len(p.voters) > 1 || b.rules.Replicas < 3)
}

// removable tells whether a voter may go without another in its place: where more are left than are asked for, or where
// the number is even, so that one fewer survives as many losses.
func (b *board) removable(p *place) bool {
	n := len(p.voters)
	return n > b.target(p) && (n-1 >= odd(b.rules.Replicas) || n%2 == 0)
}

// step puts a step for a partition into the plan.
func (b *board) step(p *place, s Step) {
	s.Partition, s.Generation = p.ID, p.Generation
	b.plan.Steps = append(b.plan.Steps, s)
	p.done = true
}

// block tells that nothing can be done for a partition.
func (b *board) block(blocked Blocked) {
	b.plan.BlockedCount++
	if len(b.plan.Blocked) < blockedMax {
		b.plan.Blocked = append(b.plan.Blocked, blocked)
	}
}

// What stands for a host where there is none: nobody at all, or none that has its hands free now.
const (
	nobody = -1
	busy   = -2
)

// pick finds the node for one more replica of a partition beside others: in a zone that has the fewest of them the least
// loaded one. Where all of the right zones' nodes are busy it waits rather than take a worse zone.
func (b *board) pick(p *place, others []int) int {
	chosen, fewest := nobody, len(others)+1
	for _, zone := range b.order {
		n := b.inZone(zone, others, nobody)
		if n > fewest || n == fewest && chosen >= 0 {
			continue
		}
		fits := b.fit(p, zone)
		if fits == nobody {
			continue
		}
		chosen, fewest = fits, n
		if n == 0 && chosen >= 0 {
			break
		}
	}
	return chosen
}

// fit finds the least loaded node of a zone that could take a replica.
func (b *board) fit(p *place, zone int) int {
	found := nobody
	for _, i := range b.zones[zone] {
		if p.on(i) || !b.room(p, i) {
			continue
		}
		if b.idle(i) {
			return i
		}
		found = busy
	}
	return found
}

// ready tells whether a partition's leader may send one more learner.
func (b *board) ready(p *place) bool { return b.plan.Moves < b.rules.MovesMax && b.idle(p.leader) }

// add plans a learner for a partition, instead of one of its voters or, if that is nobody, beside them.
func (b *board) add(p *place, instead int, why Reason) {
	p.done = true
	if !b.ready(p) {
		return
	}
	others := without(slices.Concat(p.voters, p.learners), instead)
	switch i := b.pick(p, others); {
	case i >= 0:
		b.begin(p, instead, i, why)
	case i == nobody && instead >= 0:
		b.block(Blocked{Partition: p.ID, Node: b.hosts[instead].ID, Why: why})
	case i == nobody:
		b.block(Blocked{Partition: p.ID, Why: why})
	}
}

// begin plans a learner on a host.
func (b *board) begin(p *place, instead, i int, why Reason) {
	s := Step{Kind: Add, To: b.hosts[i].ID, Why: why}
	if instead >= 0 {
		s.From = b.hosts[instead].ID
		b.take(p, instead)
	}
	b.give(p, i)
	b.hosts[i].coming += p.Bytes
	b.hosts[i].moves++
	b.hosts[p.leader].moves++
	b.plan.Moves++
	b.step(p, s)
}

// change plans that learners vote and voters go, unless that would leave no majority. A leader that is to go hands over
// first. The only voter of a partition goes after its learner votes.
func (b *board) change(p *place, promote, remove []int, why Reason) {
	p.done = true
	if slices.Contains(remove, p.leader) {
		if len(p.voters) > 1 {
			if to := b.successor(p, remove); to != nobody {
				b.transfer(p, to, why)
			}
			return
		}
		remove = nil
	}
	after := slices.Concat(p.voters, promote)
	for _, i := range remove {
		after = without(after, i)
	}
	// Who takes a living replica away and puts none in its place relies on all the others.
	if !b.majority(p, after) || len(promote) == 0 && b.anyLiving(p, remove) && !b.allLiving(p, after) {
		return
	}
	b.step(p, Step{Kind: Change, Promote: b.ids(promote), Remove: b.ids(remove), Why: why})
}

// successor is the living voter that should lead if the leader does not, nobody if there is none.
func (b *board) successor(p *place, avoid []int) int {
	best := nobody
	for _, i := range p.voters {
		if i == p.leader || slices.Contains(avoid, i) || !b.living(p, i) {
			continue
		}
		if best == nobody || b.leadsRather(i, best) {
			best = i
		}
	}
	return best
}

// leadsRather compares hosts by how well they could lead one more partition: one on a leaving node only if there is no other.
func (b *board) leadsRather(i, than int) bool {
	if b.leaving(i) != b.leaving(than) {
		return !b.leaving(i)
	}
	x, y := &b.hosts[i], &b.hosts[than]
	return cmp.Or(cmp.Compare(x.leads, y.leads), cmp.Compare(x.ID, y.ID)) < 0
}

// transfer plans that another host leads, if both have their hands free.
func (b *board) transfer(p *place, to int, why Reason) {
	from, next := &b.hosts[p.leader], &b.hosts[to]
	full := b.rules.TransfersPerNodeMax
	if b.count(Transfer) >= b.rules.TransfersMax || from.transfers >= full || next.transfers >= full {
		return
	}
	from.transfers++
	next.transfers++
	from.leads--
	next.leads++
	b.step(p, Step{Kind: Transfer, From: from.ID, To: next.ID, Why: why})
}

// count is how many steps of a kind the plan has.
func (b *board) count(kind Kind) int {
	n := 0
	for i := range b.plan.Steps {
		if b.plan.Steps[i].Kind == kind {
			n++
		}
	}
	return n
}

func (b *board) ids(hosts []int) []uint64 {
	var ids []uint64
	for _, i := range hosts {
		ids = append(ids, b.hosts[i].ID)
	}
	return ids
}

// without is some hosts but one, in a slice of its own.
func without(some []int, one int) []int {
	return slices.DeleteFunc(slices.Clone(some), func(i int) bool { return i == one })
}
