package placement

// spread plans to move replicas that share a zone although there is a zone with fewer.
func (b *board) spread() {
	if len(b.order) < 2 {
		return
	}
	for i := range b.places {
		p := &b.places[i]
		if p.done || !b.sized(p) || !b.whole(p) || b.crowded(p.voters) == 0 || !b.ready(p) {
			continue
		}
		for _, from := range p.voters {
			others := without(p.voters, from)
			to := b.pick(p, others)
			if to >= 0 && b.inZone(b.hosts[to].zone, others, nobody) < b.inZone(b.hosts[from].zone, others, nobody) {
				b.begin(p, from, to, Spread)
				break
			}
		}
	}
}

// balance plans to move replicas from nodes that have more than others, as long as a node is outside the band.
func (b *board) balance() {
	uneven := b.uneven()
	for i := range b.places {
		if !uneven || b.plan.Moves >= b.rules.MovesMax {
			return
		}
		p := &b.places[i]
		if p.done || !b.sized(p) || !b.whole(p) || !b.idle(p.leader) {
			continue
		}
		if from, to := b.improvement(p); to != nobody {
			b.begin(p, from, to, Balance)
			uneven = b.uneven()
		}
	}
}

// uneven tells whether any node is outside the band around the average.
func (b *board) uneven() bool {
	for i := range b.hosts {
		if b.taking(i) && (b.over(i) || b.under(i)) {
			return true
		}
	}
	return false
}

// zonesTriedMax bounds how many zones are looked at for one replica, the least loaded ones.
const zonesTriedMax = 8

// improvement is the move of one of a partition's replicas that makes the board more even by most, out of or into a node
// outside the band, without crowding a zone.
func (b *board) improvement(p *place) (from, to int) {
	from, to, gain := nobody, nobody, b.gainMin(p)
	for _, i := range p.voters {
		relief, beside := b.relief(p, i), b.inZone(b.hosts[i].zone, p.voters, i)
		over := b.over(i)
		tried := 0
		for _, zone := range b.order {
			if b.inZone(zone, p.voters, i) > beside {
				continue
			}
			if tried++; tried > zonesTriedMax {
				break
			}
			fits := b.fit(p, zone)
			if fits < 0 || !over && !b.under(fits) {
				continue
			}
			if g := relief - b.burden(p, fits); g >= gain && (to == nobody || g > gain) {
				from, to, gain = i, fits, g
			}
		}
	}
	return from, to
}

// lead plans that nodes lead as many partitions as others, of those that are not hot. A transfer costs little, but it stops the partition's
// writes for a moment: nothing is done within the band. The catalog stays where it is led: who plans would have to begin anew.
func (b *board) lead() {
	leads, taking := 0, 0
	for i := range b.hosts {
		if b.taking(i) {
			leads += b.hosts[i].leads
			taking++
		}
	}
	if taking == 0 {
		return
	}
	average := float64(leads) / float64(taking)
	band := average * float64(b.rules.BandPercent) / 100
	for i := range b.places {
		p := &b.places[i]
		if p.done || p.ID == CatalogPartition || len(p.voters) < 2 || !b.whole(p) || p.led() >= hotMin {
			continue
		}
		best := p.voters[0]
		for _, i := range p.voters[1:] {
			if b.taking(i) && (!b.taking(best) || b.leadsRather(i, best)) {
				best = i
			}
		}
		most, least := b.hosts[p.leader].leads, b.hosts[best].leads
		if b.taking(best) && least+2 <= most && (float64(most) > average+band || float64(least) < average-band) {
			b.transfer(p, best, Balance)
		}
	}
}
