package placement

import (
	"cmp"
	"math"
	"slices"
)

// host is a node with what it has and what is under way there.
type host struct {
	Node
	// known tells that it is among the facts: a replica may be on a node that nobody remembers.
	known bool
	zone  int
	// weight is how much it shall have, an average node having 1.
	weight float64
	// count, bytes and heat are its replicas once all that is under way and planned is done; a partition's heat counts for all its
	// replicas alike, whichever of them leads.
	count, bytes, heat float64
	leads              int
	// serves is the heat that it has itself.
	serves float64
	// moves are the learners it brings up to date or is, transfers the leaderships it gives or gets by this plan.
	moves, transfers int
	// coming are the bytes of learners that are not there yet.
	coming int64
}

// place is a partition with its nodes as positions on the board.
type place struct {
	*Partition
	voters, learners []int
	leader           int     // nobody: none is known to lead
	heat             float64 // of all replicas, for each
	// victim is the voter that is to go for a learner, or because there are too many; nobody if there is none.
	victim int
	why    Reason
	// done tells that this plan has a step for it, or that it must wait.
	done bool
}

// board is one plan in the making.
type board struct {
	rules  Rules
	hosts  []host
	places []place
	// index finds a node's host by its id.
	index  map[uint64]int
	wishes []Wish
	// zones are the taking hosts of each zone, the least loaded first; order are the zones, the least loaded first.
	zones [][]int
	order []int
	// staying is how many nodes are up and not dead: so many replicas a partition can have at most.
	staying int
	// countUnit, bytesUnit and heatUnit are what an average node has, and what loads are measured in.
	countUnit, bytesUnit, heatUnit float64
	plan                           Plan
}

// bytesNotable and heatNotable are how much an average node must have before the sizes and the heat of partitions matter beside their number.
const (
	bytesNotable = 1 << 30
	heatNotable  = 2
)

// A node counts for at least weightMin and at most weightMax average ones, whatever its disk.
const weightMin, weightMax = 0.25, 4

// lay puts the facts on the board, in the order of their ids.
func lay(f Facts, r Rules) *board {
	b := &board{rules: r, wishes: f.Wishes, index: make(map[uint64]int, len(f.Nodes))}
	b.layNodes(f.Nodes)
	b.places = make([]place, len(f.Partitions))
	total := 0
	for i := range f.Partitions {
		total += len(f.Partitions[i].Replicas)
	}
	slots := make([]int, 0, total)
	for i := range f.Partitions {
		p := &f.Partitions[i]
		b.places[i] = place{Partition: p, leader: nobody, victim: nobody}
		for _, r := range p.Replicas {
			at := b.at(r.Node)
			slots = append(slots, at)
			b.hosts[at].serves += r.Heat
			b.places[i].heat += r.Heat / float64(len(f.Partitions[i].Replicas))
		}
		b.layReplicas(&b.places[i], slots[len(slots)-len(p.Replicas):])
	}
	slices.SortFunc(b.places, func(x, y place) int { return cmp.Compare(x.ID, y.ID) })
	b.layMoves()
	b.measure()
	return b
}

// layNodes places the nodes and their zones.
func (b *board) layNodes(nodes []Node) {
	b.hosts = make([]host, len(nodes))
	for i, n := range nodes {
		b.hosts[i] = host{Node: n, known: true}
	}
	slices.SortFunc(b.hosts, func(x, y host) int { return cmp.Compare(x.ID, y.ID) })
	zones := map[string]int{}
	for i := range b.hosts {
		h := &b.hosts[i]
		b.index[h.ID] = i
		zone, ok := zones[h.Zone]
		if !ok {
			zone = len(b.zones)
			zones[h.Zone] = zone
			b.zones = append(b.zones, nil)
		}
		h.zone = zone
		if b.taking(i) {
			b.zones[zone] = append(b.zones[zone], i)
		}
		if h.State == Up && !b.dead(i) {
			b.staying++
		}
	}
	for zone, hosts := range b.zones {
		if len(hosts) > 0 {
			b.order = append(b.order, zone)
		}
	}
}

// at finds a node's place, and makes one for a node that is not among the facts.
func (b *board) at(node uint64) int {
	i, ok := b.index[node]
	if !ok {
		i = len(b.hosts)
		b.index[node] = i
		b.hosts = append(b.hosts, host{Node: Node{ID: node, State: Gone}, zone: -1})
	}
	return i
}

// layReplicas parts the hosts of a partition's replicas into voters and learners, and counts them. The slots are in the
// order of Replicas, and become those of the voters followed by those of the learners.
func (b *board) layReplicas(p *place, slots []int) {
	ordered := make([]int, 0, len(slots))
	for _, learners := range []bool{false, true} {
		for i, r := range p.Replicas {
			if r.Learner == learners {
				ordered = append(ordered, slots[i])
			}
		}
		if !learners {
			p.voters = slots[:len(ordered)]
		}
	}
	p.learners = slots[len(p.voters):]
	copy(slots, ordered)
	for _, i := range slots {
		h := &b.hosts[i]
		h.count++
		h.bytes += float64(p.Bytes)
		h.heat += p.heat
		if h.ID == p.Leader && h.known {
			p.leader = i
			h.leads++
		}
	}
}

// layMoves counts the learners that are catching up. Those that cannot get on, or have caught up, hold nobody else up.
func (b *board) layMoves() {
	for n := range b.places {
		p := &b.places[n]
		if len(p.learners) == 0 || !b.firm(p) {
			continue
		}
		for _, i := range p.learners {
			if r, _ := p.replica(b.hosts[i].ID); r.Current || r.Damaged > 0 || !b.alive(i) {
				continue
			}
			b.plan.Moves++
			b.hosts[i].moves++
			b.hosts[i].coming += p.Bytes
			b.hosts[p.leader].moves++
		}
	}
}

// measure finds the units of load and what each node shall have.
func (b *board) measure() {
	disks, known := int64(0), true
	taking, count, bytes, heat := 0, 0.0, 0.0, 0.0
	for i := range b.hosts {
		count += b.hosts[i].count
		bytes += b.hosts[i].bytes
		heat += b.hosts[i].heat
		if b.taking(i) {
			taking++
			disks += b.hosts[i].DiskBytes / 1024 // a thousand large disks do not overflow
			known = known && b.hosts[i].DiskBytes > 0
		}
	}
	weights := 0.0
	for i := range b.hosts {
		h := &b.hosts[i]
		h.weight = 1
		if known && disks > 0 && h.DiskBytes > 0 {
			h.weight = min(weightMax, max(weightMin, float64(h.DiskBytes/1024)*float64(taking)/float64(disks)))
		}
		if b.taking(i) {
			weights += h.weight
		}
	}
	b.countUnit = math.Max(1, count/math.Max(1, weights))
	b.bytesUnit = math.Max(bytesNotable, bytes/math.Max(1, weights))
	b.heatUnit = math.Max(heatNotable, heat/math.Max(1, weights))
	for zone := range b.zones {
		b.sortZone(zone)
	}
	b.sortZones()
}

// replica finds a partition's replica on a node.
func (p *Partition) replica(node uint64) (Replica, bool) {
	for _, r := range p.Replicas {
		if r.Node == node {
			return r, true
		}
	}
	return Replica{}, false
}

// on tells whether a partition has a replica on a host.
func (p *place) on(i int) bool { return slices.Contains(p.voters, i) || slices.Contains(p.learners, i) }

// alive tells whether a node can be relied on now.
func (b *board) alive(i int) bool {
	h := &b.hosts[i]
	return h.known && h.State != Gone && h.Silent < b.rules.SuspectAfter
}

// dead tells whether a node is given up.
func (b *board) dead(i int) bool {
	h := &b.hosts[i]
	return !h.known || h.State == Gone || h.Silent >= b.rules.DeadAfter
}

// lost finds the replica on some hosts that is given up, one on a dead node rather than a damaged one; nobody if there is none.
func (b *board) lost(p *place, some []int) (i int, why Reason) {
	for _, i := range some {
		if b.dead(i) {
			return i, Repair
		}
	}
	for _, i := range some {
		if r, _ := p.replica(b.hosts[i].ID); r.Damaged > 0 && r.Damaged >= b.rules.DeadAfter {
			return i, Damage
		}
	}
	return nobody, ""
}

// leaving tells whether a node's replicas shall be elsewhere although it is alive.
func (b *board) leaving(i int) bool { return b.hosts[i].State == Leaving }

// taking tells whether a node may be given replicas.
func (b *board) taking(i int) bool { return b.hosts[i].State == Up && b.alive(i) }

// target is how many voters a partition shall have with the nodes there are: an odd number.
func (b *board) target(p *place) int { return odd(min(b.rules.replicas(p.ID), b.staying)) }

func odd(n int) int { return max(1, n-(n+1)%2) }
