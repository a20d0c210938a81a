package replication

import (
	"time"

	"stator/sim/network"
)

// Nodes ping each other this often, and count as gone when they were silent for so long.
const (
	pingEvery = 500 * time.Millisecond
	aliveMax  = 2 * time.Second
)

// pulse is what a node last heard of another one: when, and in which of its starts.
type pulse struct {
	at    time.Duration
	start int
	alive bool
}

// ping tells every node that this one lives, and its groups which nodes do not any more: what rests with a leader there looks
// for another one.
func (n *node) ping() {
	w, start := n.world, n.Starts
	for _, other := range w.nodes {
		if other == n {
			continue
		}
		w.Network.Carry(network.Between(n.Number, other.Number), func() { other.Do(func() { other.hears(n.Number, start) }) })
		p := n.pulses[other.Number]
		if p.alive && p.at+aliveMax < w.Now {
			p.alive = false
			n.pulses[other.Number] = p
			n.host.Lost(other.Number)
		}
	}
	n.Later(n.Clock.Stretched(pingEvery), n.ping)
}

// hears takes note of a ping.
func (n *node) hears(of uint64, start int) {
	before := n.pulses[of]
	if start < before.start {
		return // it was late
	}
	n.pulses[of] = pulse{at: n.world.Now, start: start, alive: true}
	if before.start != 0 && before.start != start {
		n.host.Lost(of)
	}
}
