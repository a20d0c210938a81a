package multiraft

import (
	"cmp"
	"slices"
	"sync"
)

// workerJobsMax bounds what may wait to be done for groups that are not kept: snapshots that come, replicas that go.
const workerJobsMax = 1024

// worker steps its share of the groups.
type worker struct {
	host  *Host
	index int

	mu sync.Mutex
	// asked are the groups with something in their inboxes, each once.
	asked  []*Group
	ticked bool
	// jobs are what is to be done for groups that are not kept, or end.
	jobs []func()

	// What follows only the pass touches: the groups that tick, by their ids, those that this pass is about, and those that
	// have more to say than they could in the one before.
	groups  []*Group
	touched []*Group
	again   []*Group
}

// ask has a group looked at by the next pass.
func (w *worker) ask(g *Group) {
	w.mu.Lock()
	w.asked = append(w.asked, g)
	w.mu.Unlock()
	w.host.options.Wake(w.index)
}

func (w *worker) tick() {
	w.mu.Lock()
	w.ticked = true
	w.mu.Unlock()
	w.host.options.Wake(w.index)
}

// request has something done at the beginning of a pass; false tells that too much waits.
func (w *worker) request(f func()) bool {
	w.mu.Lock()
	taken := len(w.jobs) < workerJobsMax
	if taken {
		w.jobs = append(w.jobs, f)
	}
	w.mu.Unlock()
	if taken {
		w.host.options.Wake(w.index)
	}
	return taken
}

// work does what was requested.
func (w *worker) work() {
	w.mu.Lock()
	jobs := w.jobs
	w.jobs = nil
	w.mu.Unlock()
	for _, f := range jobs {
		f()
	}
}

// take takes what there is to do.
func (w *worker) take() (asked []*Group, ticked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked, ticked = w.asked, w.ticked
	w.asked, w.ticked = nil, false
	return asked, ticked
}

// waiting tells whether there is something to do.
func (w *worker) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.asked) > 0 || len(w.jobs) > 0 || w.ticked
}

// join makes a group one of those that tick.
func (w *worker) join(g *Group) {
	if at, found := slices.BinarySearchFunc(w.groups, g, byID); !found {
		w.groups = slices.Insert(w.groups, at, g)
	}
}

func (w *worker) leave(g *Group) {
	w.groups = slices.DeleteFunc(w.groups, func(o *Group) bool { return o == g })
}

func byID(a, b *Group) int { return cmp.Compare(a.id, b.id) }

// touch makes a group one that this pass is about.
func (w *worker) touch(g *Group) {
	if !g.touched {
		g.touched = true
		w.touched = append(w.touched, g)
	}
}

// step is one pass: inboxes are emptied, time passes, and then what all groups have to say, to keep and to perform is taken
// together.
func (w *worker) step() (more bool) {
	asked, ticked := w.take()
	w.work()
	for _, g := range w.again {
		w.touch(g)
	}
	w.again = w.again[:0]
	for _, g := range asked {
		w.touch(g)
		g.guard(g.drain)
	}
	// Time passes only now: a follower must have heard what it was sent before.
	if ticked {
		for _, g := range slices.Clone(w.groups) {
			w.touch(g)
			g.guard(g.tick)
		}
	}
	w.exchange()
	for _, g := range w.touched {
		g.touched = false
		if g.more() {
			w.again = append(w.again, g)
		}
	}
	clear(w.touched)
	w.touched = w.touched[:0]
	return len(w.again) > 0 || w.waiting()
}

// abandon ends the part of all groups after the engine has failed.
func (w *worker) abandon(err error) {
	w.work()
	asked, _ := w.take()
	for _, g := range append(slices.Clone(w.groups), asked...) {
		if g.node != nil {
			g.shut(err)
		}
		g.drain()
	}
}
