package placement

import (
	"cmp"
	"slices"
)

// The unevenness of the board is the sum over its nodes of weight × fill², by count, by bytes and by heat. Every move for the sake of
// evenness lowers it by more than a fixed amount, so that there are finitely many: whatever is decided from the same facts comes to
// an end, and nothing swings.

// measures are what nodes have more or less of: replicas, bytes and heat, in the units of the board.
type measures [3]float64

// units is what one replica adds to a node.
func (b *board) units(p *place) measures {
	return measures{1 / b.countUnit, float64(p.Bytes) / b.bytesUnit, p.heat / b.heatUnit}
}

// fill is how much a node has of what it shall have.
func (b *board) fill(i int) measures {
	h := &b.hosts[i]
	return measures{h.count / b.countUnit / h.weight, h.bytes / b.bytesUnit / h.weight, h.heat / b.heatUnit / h.weight}
}

// load orders nodes by all of it.
func (b *board) load(i int) (sum float64) {
	for _, part := range b.fill(i) {
		sum += part
	}
	return sum
}

// relief is by how much the unevenness sinks when a replica goes from a node that has it.
func (b *board) relief(p *place, i int) (sum float64) {
	fill := b.fill(i)
	for m, unit := range b.units(p) {
		sum += 2*unit*fill[m] - unit*unit/b.hosts[i].weight
	}
	return sum
}

// burden is by how much the unevenness rises when a replica comes to a node that does not have it.
func (b *board) burden(p *place, i int) (sum float64) {
	fill := b.fill(i)
	for m, unit := range b.units(p) {
		sum += 2*unit*fill[m] + unit*unit/b.hosts[i].weight
	}
	return sum
}

// gainMin is what a move for the sake of evenness must gain at least: about as much as it takes for one of two nodes to
// have two replicas more than the other.
func (b *board) gainMin(p *place) (sum float64) {
	for _, unit := range b.units(p) {
		sum += unit * unit
	}
	return sum
}

// doubt is by how much what was begun must have become the worse before it is given up: what else is under way changes
// the loads all the time.
func (b *board) doubt(p *place) float64 { return b.gainMin(p) / 2 }

// over and under tell whether a node is outside the band around the average.
func (b *board) over(i int) bool {
	fill, band := b.fill(i), b.band()
	return fill[0] > 1+band[0] || fill[1] > 1+band[1] || fill[2] > 1+band[2]
}

func (b *board) under(i int) bool {
	fill, band := b.fill(i), b.band()
	return fill[0] < 1-band[0] || b.bytesUnit > bytesNotable && fill[1] < 1-band[1] || b.heatUnit > heatNotable && fill[2] < 1-band[2]
}

func (b *board) band() measures {
	even, heat := float64(b.rules.BandPercent)/100, float64(b.rules.HeatBandPercent)/100
	return measures{even, even, heat}
}

// give and take keep account of a replica that comes to a node, or goes.
func (b *board) give(p *place, i int) {
	b.hosts[i].count++
	b.hosts[i].bytes += float64(p.Bytes)
	b.hosts[i].heat += p.heat
	b.moved(i)
}

func (b *board) take(p *place, i int) {
	b.hosts[i].count--
	b.hosts[i].bytes -= float64(p.Bytes)
	b.hosts[i].heat -= p.heat
	b.moved(i)
}

// moved puts a node whose load changed into its place among the others.
func (b *board) moved(i int) {
	if b.taking(i) {
		b.sortZone(b.hosts[i].zone)
		b.sortZones()
	}
}

func (b *board) sortZone(zone int) {
	slices.SortFunc(b.zones[zone], func(x, y int) int {
		return cmp.Or(cmp.Compare(b.load(x), b.load(y)), cmp.Compare(x, y))
	})
}

func (b *board) sortZones() {
	slices.SortFunc(b.order, func(x, y int) int {
		return cmp.Or(cmp.Compare(b.load(b.zones[x][0]), b.load(b.zones[y][0])), cmp.Compare(x, y))
	})
}

// A disk keeps free, after what is placed there, the part that FullPercent leaves; where that is more, on a disk that others
// fill as well, roomBytesMin beside roomTimes the partition will do.
const (
	roomBytesMin = 1 << 30
	roomTimes    = 8
)

// room tells whether a node's disk would not become too full by a partition.
func (b *board) room(p *place, i int) bool {
	h := &b.hosts[i]
	if h.DiskBytes <= 0 {
		return true
	}
	kept := min(h.DiskBytes/100*int64(100-b.rules.FullPercent), roomBytesMin+roomTimes*p.Bytes)
	return h.FreeBytes-h.coming-p.Bytes >= kept
}

// idle tells whether a node may send or take in one more learner.
func (b *board) idle(i int) bool { return b.hosts[i].moves < b.rules.MovesPerNodeMax }

// inZone counts the hosts among some that are in a zone, without one of them.
func (b *board) inZone(zone int, some []int, without int) int {
	n := 0
	for _, i := range some {
		if i != without && b.hosts[i].zone == zone {
			n++
		}
	}
	return n
}

// crowded is how many pairs of hosts are in the same zone: the less, the better they are spread.
func (b *board) crowded(some []int) int {
	pairs := 0
	for n, i := range some {
		pairs += b.inZone(b.hosts[i].zone, some[:n], -1)
	}
	return pairs
}
