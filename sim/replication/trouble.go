package replication

import (
	"slices"
	"time"

	"stator/sim/hardware"
	"stator/sim/network"
)

// Trouble comes this far apart, and lasts this long.
const (
	troubleEveryMax = 6 * time.Second
	troubleLastsMax = 5 * time.Second
)

// startTroubles makes what troubles the nodes. A seed draws from the list by number.
func (w *world) startTroubles() {
	w.StartTroubles(hardware.Troubles{
		Until: troubleTime, EveryMax: troubleEveryMax, LastsMax: troubleLastsMax,
		Kinds: []hardware.Trouble{
			{Name: "a crash", Begin: w.CrashOne},
			{Name: "a crash at a sync", Begin: w.CrashAtSync},
			{Name: "a crash of all", Begin: w.CrashAll},
			{Name: "a partition", Begin: w.Network.Part},
			{Name: "a node alone", Begin: w.Isolate(true, true)},
			{Name: "a leader alone", Begin: w.IsolateLeader},
			{Name: "a mute node", Begin: w.Isolate(true, false)},
			{Name: "a deaf node", Begin: w.Isolate(false, true)},
			{Name: "a cut link", Begin: w.cutLink},
			{Name: "a halt", Begin: w.HaltEither},
			{Name: "a storm", Begin: w.Network.Storm},
			{Name: "a jump of a clock", Begin: w.JumpOne},
			{Name: "a crash of a leader", Begin: w.CrashLeader},
			{Name: "a leader that halts, deaf", Begin: w.haltDeaf},
			{Name: "a transfer in the dark", Begin: w.transferDeaf},
			{Name: "a voter that starts anew", Begin: w.restartVoter},
		},
	})
}

func (w *world) cutLink() func() {
	from, to := w.Any().Number, w.Any().Number
	if from == to {
		return nil
	}
	links := []network.Link{network.Between(from, to)}
	if w.Chance(50) {
		links = append(links, network.Between(to, from))
	}
	return w.Network.Cut(links)
}

// haltDeaf keeps a leader from doing anything, and from hearing of its successor when it goes on.
func (w *world) haltDeaf() func() {
	n := w.anyLeader()
	if n == nil {
		return nil
	}
	n.Halt(w.Between(50*time.Millisecond, 1500*time.Millisecond))
	return w.Cut(n.Machine, w.Chance(50), true)
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
	w.After(w.Between(0, 20*time.Millisecond), func() { mend = w.Cut(n.Machine, false, true) })
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
	links := slices.DeleteFunc(w.Network.Around(n.Number, true, true), func(l network.Link) bool { return l.From == voter.Number || l.To == voter.Number })
	mend := w.Network.Cut(links)
	w.After(w.Between(time.Second, 3*time.Second), func() {
		both := w.Cut(n.Machine, true, true)
		voter.Returns = w.Between(0, 50*time.Millisecond)
		voter.Crash()
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
		if n.Over() {
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
