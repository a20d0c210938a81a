package placement

import (
	"cmp"
	"slices"
)

const (
	// hotMin is the heat from which on a partition is led where that is even by heat, rather than by number.
	hotMin = 0.25
	// overMin is how much more than the average a node has to serve, besides the band, before it hands anything over.
	overMin = 1
)

// led is the heat of a partition's leader, which goes with the leadership.
func (p *place) led() float64 {
	r, _ := p.replica(p.Leader)
	return r.Heat
}

// cool plans that nodes which serve much more than others hand leaderships over, of the hottest partitions first. Where no other voter's node
// serves less, nothing is done: that all its replicas are on hot nodes is balance's to mend.
func (b *board) cool() {
	var hot []*place
	for i := range b.places {
		if p := &b.places[i]; !p.done && p.ID != CatalogPartition && p.led() >= hotMin && b.whole(p) {
			hot = append(hot, p)
		}
	}
	slices.SortStableFunc(hot, func(x, y *place) int { return cmp.Compare(y.led(), x.led()) })
	limit := b.heatLimit()
	for _, p := range hot {
		best := nobody
		for _, i := range p.voters {
			if i != p.leader && b.taking(i) && (best == nobody || b.hosts[i].serves < b.hosts[best].serves) {
				best = i
			}
		}
		from := &b.hosts[p.leader]
		// What is handed over must not make the other node as hot: it would be handed back.
		if best == nobody || from.serves <= limit || b.hosts[best].serves+p.led()+hotMin > from.serves {
			continue
		}
		if b.transfer(p, best, Cool); p.done {
			from.serves -= p.led()
			b.hosts[best].serves += p.led()
		}
	}
}

// heatLimit is how much a node serves before it hands partitions over.
func (b *board) heatLimit() float64 {
	taking, serves := 0, 0.0
	for i := range b.hosts {
		if serves += b.hosts[i].serves; b.taking(i) {
			taking++
		}
	}
	average := serves / float64(max(1, taking))
	return average + max(overMin, average*float64(b.rules.HeatBandPercent)/100)
}
