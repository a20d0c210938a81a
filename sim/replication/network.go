package replication

import "time"

// link is one direction between two nodes.
type link struct{ from, to uint64 }

// network carries messages between nodes: late, twice, out of order, or not at all.
type network struct {
	world *world
	// cut are the directions in which nothing passes, counted by how many faults cut them.
	cut map[link]int
	// loss, twice and late are percentages, which a storm raises.
	loss, twice, late int
}

// lateMax is how much later than others a late message may come.
const lateMax = 3 * time.Second

func (n *network) begin(w *world) {
	n.world, n.cut = w, map[link]int{}
	n.calm()
}

// calm ends a storm.
func (n *network) calm() {
	if n.world.calm {
		return
	}
	h := n.world.habits
	n.loss, n.twice, n.late = h.loss, h.twice, h.late
}

// storm makes everything worse.
func (n *network) storm() {
	w := n.world
	n.loss, n.twice, n.late = 5+w.random.IntN(40), w.random.IntN(20), w.random.IntN(20)
}

// block cuts a direction once more, join takes one cut back.
func (n *network) block(l link) { n.cut[l]++ }
func (n *network) join(l link)  { n.cut[l] = max(0, n.cut[l]-1) }

// heal joins everything, and nothing is lost any more.
func (n *network) heal() {
	n.cut = map[link]int{}
	n.loss, n.twice, n.late = 0, 0, 0
}

// carry brings what deliver does to the other end. It returns false when the sender is told at once that it did not leave:
// who sends into a direction that is cut learns that as often as not.
func (n *network) carry(l link, deliver func()) bool {
	w := n.world
	if n.cut[l] > 0 {
		return w.chance(50)
	}
	if l.from == l.to {
		w.after(w.between(0, 50*time.Microsecond), deliver)
		return true
	}
	if w.chance(n.loss) {
		return true
	}
	n.send(l, deliver)
	if w.chance(n.twice) {
		n.send(l, deliver)
	}
	return true
}

func (n *network) send(l link, deliver func()) {
	w := n.world
	w.after(n.delay(), func() {
		// What is under way when a direction is cut gets through or not.
		if n.cut[l] == 0 || w.chance(20) {
			deliver()
		}
	})
}

// delay draws how long something is under way.
func (n *network) delay() time.Duration {
	w := n.world
	d := w.habits.delay + w.between(0, w.habits.jitter)
	if w.chance(n.late) {
		d += w.between(0, lateMax)
	}
	return d
}
