// Package network carries what simulated nodes send each other: late, twice, out of order, or not at all. It does not know
// what that is.
package network

import (
	"time"

	"stator/sim/timeline"
)

// Link is one direction between two nodes.
type Link struct{ From, To uint64 }

// Between is the direction from one node to another.
func Between(from, to uint64) Link { return Link{From: from, To: to} }

// Habits are what a network is like while nothing is wrong with it: how long things take, and how many of a hundred are lost,
// come twice, or come late.
type Habits struct {
	Delay, Jitter     time.Duration
	Loss, Twice, Late int
}

// Network is all links between nodes, which are numbered from 1 on.
type Network struct {
	time   *timeline.Timeline
	habits Habits
	nodes  uint64
	// cut are the directions in which nothing passes, counted by how many faults cut them.
	cut map[Link]int
	// loss, twice and late are percentages, which a storm raises.
	loss, twice, late int
	healed            bool
}

// lateMax is how much later than others a late message may come.
const lateMax = 3 * time.Second

// New returns a network of so many nodes in which nothing is cut.
func New(t *timeline.Timeline, h Habits, nodes int) *Network {
	n := &Network{time: t, habits: h, nodes: uint64(nodes), cut: map[Link]int{}}
	n.Calm()
	return n
}

// Calm ends a storm.
func (n *Network) Calm() {
	if !n.healed {
		n.loss, n.twice, n.late = n.habits.Loss, n.habits.Twice, n.habits.Late
	}
}

// Storm makes everything worse.
func (n *Network) Storm() (mend func()) {
	n.loss, n.twice, n.late = 5+n.time.Random.IntN(40), n.time.Random.IntN(20), n.time.Random.IntN(20)
	return n.Calm
}

// Heal joins everything for good, and nothing is lost any more.
func (n *Network) Heal() {
	n.cut = map[Link]int{}
	n.loss, n.twice, n.late, n.healed = 0, 0, 0, true
}

// Cut blocks some directions until they are joined.
func (n *Network) Cut(links []Link) (mend func()) {
	for _, l := range links {
		n.cut[l]++
	}
	return func() {
		for _, l := range links {
			n.cut[l] = max(0, n.cut[l]-1)
		}
		n.time.Note("joined again: %v", links)
	}
}

// Part cuts the nodes into two parts.
func (n *Network) Part() (mend func()) {
	var cuts []Link
	side := make([]bool, n.nodes)
	for i := range side {
		side[i] = n.time.Chance(50)
	}
	for from := range n.nodes {
		for to := range n.nodes {
			if side[from] != side[to] {
				cuts = append(cuts, Between(from+1, to+1))
			}
		}
	}
	return n.Cut(cuts)
}

// Around lists the directions out of a node, or into it.
func (n *Network) Around(node uint64, out, in bool) (links []Link) {
	for other := uint64(1); other <= n.nodes; other++ {
		if other != node && out {
			links = append(links, Between(node, other))
		}
		if other != node && in {
			links = append(links, Between(other, node))
		}
	}
	return links
}

// Passes tells whether anything gets through in a direction.
func (n *Network) Passes(l Link) bool { return n.cut[l] == 0 }

// Carry brings what deliver does to the other end. It returns false when the sender is told at once that it did not leave:
// who sends into a direction that is cut learns that as often as not.
func (n *Network) Carry(l Link, deliver func()) bool {
	t := n.time
	if n.cut[l] > 0 {
		return t.Chance(50)
	}
	if l.From == l.To {
		t.After(t.Between(0, 50*time.Microsecond), deliver)
		return true
	}
	if t.Chance(n.loss) {
		return true
	}
	n.send(l, deliver)
	if t.Chance(n.twice) {
		n.send(l, deliver)
	}
	return true
}

func (n *Network) send(l Link, deliver func()) {
	t := n.time
	t.After(n.Takes(), func() {
		// What is under way when a direction is cut gets through or not.
		if n.cut[l] == 0 || t.Chance(20) {
			deliver()
		}
	})
}

// Takes draws how long a message is under way.
func (n *Network) Takes() time.Duration {
	d := n.habits.Delay + n.time.Between(0, n.habits.Jitter)
	if n.time.Chance(n.late) {
		d += n.time.Between(0, lateMax)
	}
	return d
}
