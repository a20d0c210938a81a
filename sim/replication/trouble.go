package replication

import (
	"slices"
	"time"
)

// trouble is one kind of what goes wrong. It returns what mends it, nil if it passes by itself.
type trouble struct {
	name  string
	begin func(w *world) (mend func())
}

var troubles = []trouble{
	{"a crash", (*world).crashOne},
	{"a crash at a sync", (*world).crashAtSync},
	{"a crash of all", (*world).crashAll},
	{"a partition", (*world).partition},
	{"a node alone", (*world).isolate},
	{"a leader alone", (*world).isolateLeader},
	{"a mute node", (*world).mute},
	{"a deaf node", (*world).deafen},
	{"a cut link", (*world).cutLink},
	{"a halt", (*world).halt},
	{"a storm", (*world).storm},
	{"a jump of a clock", (*world).jump},
	{"a crash of a leader", (*world).crashLeader},
	{"a leader that halts, deaf", (*world).haltDeaf},
	{"a transfer in the dark", (*world).transferDeaf},
	{"a voter that starts anew", (*world).restartVoter},
}

// Trouble comes this far apart, and lasts this long.
const (
	troubleEveryMax = 6 * time.Second
	troubleLastsMax = 5 * time.Second
)

// startTroubles makes what troubles the nodes.
func (w *world) startTroubles() {
	w.start("trouble", func() {
		for w.now < troubleTime && !w.calm {
			w.sleep(w.between(troubleEveryMax/6, troubleEveryMax))
			if w.calm {
				return
			}
			t := troubles[w.random.IntN(len(troubles))]
			mend := t.begin(w)
			w.result.Faults++
			w.note("trouble: %s", t.name)
			if mend != nil {
				w.after(w.between(50*time.Millisecond, troubleLastsMax), mend)
			}
		}
	})
}

// heal ends all trouble.
func (w *world) heal() {
	w.network.heal()
	for _, n := range w.nodes {
		if n.stoppedUntil > w.now {
			n.stoppedUntil = w.now
		}
		n.doom = 0
		n.start()
	}
	w.note("all is healed")
}

func (w *world) anyNode() *node { return w.nodes[w.random.IntN(len(w.nodes))] }

func (w *world) crashOne() func() {
	w.anyNode().crash()
	return nil
}

// crashAtSync stops a node in the midst of a step.
func (w *world) crashAtSync() func() {
	w.anyNode().doom = 1 + w.random.IntN(20)
	return nil
}

func (w *world) crashAll() func() {
	for _, n := range w.nodes {
		n.crash()
	}
	return nil
}

// crashLeader stops a node that leads, at one of its next syncs.
func (w *world) crashLeader() func() {
	if n := w.anyLeader(); n != nil {
		n.doom = 1 + w.random.IntN(3)
	}
	return nil
}

// partition cuts the nodes into two parts.
func (w *world) partition() func() {
	var cuts []link
	side := make([]bool, len(w.nodes))
	for i := range side {
		side[i] = w.chance(50)
	}
	for i := range side {
		for j := range side {
			if side[i] != side[j] {
				cuts = append(cuts, link{uint64(i + 1), uint64(j + 1)})
			}
		}
	}
	return w.cut(cuts)
}

// cut blocks some directions until they are joined.
func (w *world) cut(links []link) (mend func()) {
	for _, l := range links {
		w.network.block(l)
	}
	return func() {
		for _, l := range links {
			w.network.join(l)
		}
		w.note("joined again: %v", links)
	}
}

// around lists the directions out of a node, or into it.
func (w *world) around(n *node, out, in bool) []link {
	var links []link
	for _, other := range w.nodes {
		if other == n {
			continue
		}
		if out {
			links = append(links, link{n.id, other.id})
		}
		if in {
			links = append(links, link{other.id, n.id})
		}
	}
	return links
}

func (w *world) isolate() func() { return w.cut(w.around(w.anyNode(), true, true)) }
func (w *world) mute() func()    { return w.cut(w.around(w.anyNode(), true, false)) }
func (w *world) deafen() func()  { return w.cut(w.around(w.anyNode(), false, true)) }

func (w *world) isolateLeader() func() {
	n := w.anyLeader()
	if n == nil {
		return nil
	}
	return w.cut(w.around(n, true, w.chance(70)))
}

func (w *world) cutLink() func() {
	from, to := w.anyNode().id, w.anyNode().id
	if from == to {
		return nil
	}
	links := []link{{from, to}}
	if w.chance(50) {
		links = append(links, link{to, from})
	}
	return w.cut(links)
}

// halt keeps a node from doing anything for a while, as a host does that pauses its guests.
func (w *world) halt() func() {
	n := w.anyNode()
	if w.chance(50) {
		if leads := w.anyLeader(); leads != nil {
			n = leads
		}
	}
	n.stoppedUntil = w.now + w.between(50*time.Millisecond, 4*time.Second)
	return nil
}

func (w *world) storm() func() {
	w.network.storm()
	return w.network.calm
}

// jump sets the time of day of a node.
func (w *world) jump() func() {
	n := w.anyNode()
	w.note("node %d is %s off", n.id, n.clock.jump(w))
	return nil
}

// haltDeaf keeps a leader from doing anything, and from hearing of its successor when it goes on.
func (w *world) haltDeaf() func() {
	n := w.anyLeader()
	if n == nil {
		return nil
	}
	n.stoppedUntil = w.now + w.between(50*time.Millisecond, 1500*time.Millisecond)
	return w.cut(w.around(n, w.chance(50), true))
}

// transferDeaf has a leader hand over its leadership, and keeps it from hearing that it did.
func (w *world) transferDeaf() func() {
	p := w.layout.places[w.random.IntN(len(w.layout.places))]
	n, ok := w.leader(p.id)
	if !ok {
		return nil
	}
	n.transfer(p.id)
	var mend func()
	w.after(w.between(0, 20*time.Millisecond), func() { mend = w.cut(w.around(n, false, true)) })
	return func() {
		if mend != nil {
			mend()
		}
	}
}

// restartVoter keeps a leader from all but one of the voters for a while. Then that one starts anew, and nobody hears the
// leader any more, nor it them: what the voter promised it, only the voter knows.
func (w *world) restartVoter() func() {
	p := w.layout.places[w.random.IntN(len(w.layout.places))]
	n, ok := w.leader(p.id)
	if !ok || len(p.nodes) < 3 {
		return nil
	}
	voter := w.node(p.nodes[w.random.IntN(len(p.nodes))])
	if voter == n {
		return nil
	}
	links := slices.DeleteFunc(w.around(n, true, true), func(l link) bool { return l.from == voter.id || l.to == voter.id })
	mend := w.cut(links)
	w.after(w.between(time.Second, 3*time.Second), func() {
		both := w.cut(w.around(n, true, true))
		voter.returns = w.between(0, 50*time.Millisecond)
		voter.crash()
		w.after(w.between(time.Second, 3*time.Second), both)
	})
	return mend
}

// anyLeader is a node that believes to lead some partition, nil if there is none.
func (w *world) anyLeader() *node {
	p := w.layout.places[w.random.IntN(len(w.layout.places))]
	n, _ := w.leader(p.id)
	return n
}

// leader is the node that believes to lead a partition, in the newest epoch if there are several.
func (w *world) leader(id uint64) (leads *node, ok bool) {
	newest := uint64(0)
	for _, n := range w.nodes {
		if n.over() {
			continue
		}
		if c, ok := n.copies[id]; ok {
			if s := c.group.Status(); c.leads() && s.Term > newest {
				leads, newest = n, s.Term
			}
		}
	}
	return leads, leads != nil
}
