package replication

import (
	"slices"
	"time"

	"stator/sim/network"
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
	{"a partition", func(w *world) func() { return w.network.Part() }},
	{"a node alone", func(w *world) func() { return w.cut(w.anyNode(), true, true) }},
	{"a leader alone", (*world).isolateLeader},
	{"a mute node", func(w *world) func() { return w.cut(w.anyNode(), true, false) }},
	{"a deaf node", func(w *world) func() { return w.cut(w.anyNode(), false, true) }},
	{"a cut link", (*world).cutLink},
	{"a halt", (*world).halt},
	{"a storm", func(w *world) func() { return w.network.Storm() }},
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
	w.Start("trouble", func() {
		for w.Now < troubleTime && !w.calm {
			w.Sleep(w.Between(troubleEveryMax/6, troubleEveryMax))
			if w.calm {
				return
			}
			t := troubles[w.Random.IntN(len(troubles))]
			mend := t.begin(w)
			w.result.Faults++
			w.Note("trouble: %s", t.name)
			if mend != nil {
				w.After(w.Between(50*time.Millisecond, troubleLastsMax), mend)
			}
		}
	})
}

// heal ends all trouble.
func (w *world) heal() {
	w.network.Heal()
	for _, n := range w.nodes {
		if n.stoppedUntil > w.Now {
			n.stoppedUntil = w.Now
		}
		n.doom = 0
		n.start()
	}
	w.Note("all is healed")
}

func (w *world) anyNode() *node { return w.nodes[w.Random.IntN(len(w.nodes))] }

func (w *world) crashOne() func() {
	w.anyNode().crash()
	return nil
}

// crashAtSync stops a node in the midst of a step.
func (w *world) crashAtSync() func() {
	w.anyNode().doom = 1 + w.Random.IntN(20)
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
		n.doom = 1 + w.Random.IntN(3)
	}
	return nil
}

// cut keeps a node from being heard, or from hearing.
func (w *world) cut(n *node, out, in bool) func() {
	return w.network.Cut(w.network.Around(n.id, out, in))
}

func (w *world) isolateLeader() func() {
	n := w.anyLeader()
	if n == nil {
		return nil
	}
	return w.cut(n, true, w.Chance(70))
}

func (w *world) cutLink() func() {
	from, to := w.anyNode().id, w.anyNode().id
	if from == to {
		return nil
	}
	links := []network.Link{network.Between(from, to)}
	if w.Chance(50) {
		links = append(links, network.Between(to, from))
	}
	return w.network.Cut(links)
}

// halt keeps a node from doing anything for a while, as a host does that pauses its guests.
func (w *world) halt() func() {
	n := w.anyNode()
	if w.Chance(50) {
		if leads := w.anyLeader(); leads != nil {
			n = leads
		}
	}
	n.stoppedUntil = w.Now + w.Between(50*time.Millisecond, 4*time.Second)
	return nil
}

// jump sets the time of day of a node.
func (w *world) jump() func() {
	n := w.anyNode()
	w.Note("node %d is %s off", n.id, n.clock.Jump(w.Timeline))
	return nil
}

// haltDeaf keeps a leader from doing anything, and from hearing of its successor when it goes on.
func (w *world) haltDeaf() func() {
	n := w.anyLeader()
	if n == nil {
		return nil
	}
	n.stoppedUntil = w.Now + w.Between(50*time.Millisecond, 1500*time.Millisecond)
	return w.cut(n, w.Chance(50), true)
}

// transferDeaf has a leader hand over its leadership, and keeps it from hearing that it did.
func (w *world) transferDeaf() func() {
	p := w.layout.places[w.Random.IntN(len(w.layout.places))]
	n, ok := w.leader(p.id)
	if !ok {
		return nil
	}
	n.transfer(p.id)
	var mend func()
	w.After(w.Between(0, 20*time.Millisecond), func() { mend = w.cut(n, false, true) })
	return func() {
		if mend != nil {
			mend()
		}
	}
}

// restartVoter keeps a leader from all but one of the voters for a while. Then that one starts anew, and nobody hears the
// leader any more, nor it them: what the voter promised it, only the voter knows.
func (w *world) restartVoter() func() {
	p := w.layout.places[w.Random.IntN(len(w.layout.places))]
	n, ok := w.leader(p.id)
	if !ok || len(p.nodes) < 3 {
		return nil
	}
	voter := w.node(p.nodes[w.Random.IntN(len(p.nodes))])
	if voter == n {
		return nil
	}
	links := slices.DeleteFunc(w.network.Around(n.id, true, true), func(l network.Link) bool { return l.From == voter.id || l.To == voter.id })
	mend := w.network.Cut(links)
	w.After(w.Between(time.Second, 3*time.Second), func() {
		both := w.cut(n, true, true)
		voter.returns = w.Between(0, 50*time.Millisecond)
		voter.crash()
		w.After(w.Between(time.Second, 3*time.Second), both)
	})
	return mend
}

// anyLeader is a node that believes to lead some partition, nil if there is none.
func (w *world) anyLeader() *node {
	p := w.layout.places[w.Random.IntN(len(w.layout.places))]
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
