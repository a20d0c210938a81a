package placement

import (
	"cmp"
	"slices"
)

// The unevenness of the board is the sum over its nodes of weight × (fill by count)² + weight × (fill by bytes)². Every
// move for the sake of evenness lowers it by more than a fixed amount, so that there are finitely many: whatever is
// decided from the same facts comes to an end, and nothing swings.

// units is what one replica adds to a node, in the units of the board.
func (b *board) units(p *place) (count, bytes float64) {
	return 1 / b.countUnit, float64(p.Bytes) / b.bytesUnit
}

// fill is how much a node has of what it shall have, by count and by bytes.
func (b *board) fill(i int) (count, bytes float64) {
	h := &b.hosts[i]
	return h.count / b.countUnit / h.weight, h.bytes / b.bytesUnit / h.weight
}

// load orders nodes by both.
func (b *board) load(i int) float64 {
	count, bytes := b.fill(i)
	return count + bytes
}

// relief is by how much the unevenness sinks when a replica goes from a node that has it.
func (b *board) relief(p *place, i int) float64 {
	count, bytes := b.units(p)
	countFill, bytesFill := b.fill(i)
	return 2*(count*countFill+bytes*bytesFill) - (count*count+bytes*bytes)/b.hosts[i].weight
}

// burden is by how much the unevenness rises when a replica comes to a node that does not have it.
func (b *board) burden(p *place, i int) float64 {
	count, bytes := b.units(p)
	countFill, bytesFill := b.fill(i)
	return 2*(count*countFill+bytes*bytesFill) + (count*count+bytes*bytes)/b.hosts[i].weight
}

// gainMin is what a move for the sake of evenness must gain at least: about as much as it takes for one of two nodes to
// have two replicas more than the other.
func (b *board) gainMin(p *place) float64 {
	count, bytes := b.units(p)
	return count*count + bytes*bytes
}

// doubt is by how much what was begun must have become the worse before it is given up: what else is under way changes
// the loads all the time.
func (b *board) doubt(p *place) float64 { return b.gainMin(p) / 2 }

// over and under tell whether a node is outside the band around the average.
func (b *board) over(i int) bool {
	count, bytes := b.fill(i)
	limit := 1 + float64(b.rules.BandPercent)/100
	return count > limit || bytes > limit
}

func (b *board) under(i int) bool {
	count, bytes := b.fill(i)
	limit := 1 - float64(b.rules.BandPercent)/100
	return count < limit || b.bytesUnit > bytesNotable && bytes < limit
}

// give and take keep account of a replica that comes to a node, or goes.
func (b *board) give(p *place, i int) {
	b.hosts[i].count++
	b.hosts[i].bytes += float64(p.Bytes)
	b.moved(i)
}

func (b *board) take(p *place, i int) {
	b.hosts[i].count--
	b.hosts[i].bytes -= float64(p.Bytes)
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
