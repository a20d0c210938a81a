package multiraft

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"stator/internal/partition/machine"
)

// Host keeps the groups that have a replica on this node.
type Host struct {
	options Options
	workers []*worker
	mu      sync.RWMutex // guards groups and eager
	groups  map[uint64]*Group
	// eager are children of splits that are to be led here and are not open yet.
	eager map[uint64]bool
	// arrivals and departures are the snapshots on their way.
	arrivals   arrivals
	departures departures
	newborns   newborns
	// silent are nodes that are gone, until something comes from them again.
	silent silences
	// failed is the error with which the engine refused a commit: nothing is performed or sent any more.
	failed atomic.Pointer[error]
}

// New returns a host without groups.
func New(o Options) *Host {
	h := &Host{options: o.withDefaults(), groups: map[uint64]*Group{}, eager: map[uint64]bool{}}
	for i := range h.options.Workers {
		h.workers = append(h.workers, &worker{host: h, index: i})
	}
	return h
}

// Open loads what this node has of a group. It does not step before Keep.
func (h *Host) Open(group uint64) (*Group, error) {
	log, found, err := loadRaftLog(h.options.Engine, group)
	if err != nil {
		return nil, fmt.Errorf("opening partition %d: %w", group, err)
	}
	at, placed, err := machine.ReadRecord(h.options.Engine, positionKey(group), parsePosition)
	if err != nil {
		return nil, fmt.Errorf("opening partition %d: %w", group, err)
	}
	if !found || !placed {
		return nil, fmt.Errorf("partition %d is kept by no group on this node", group)
	}
	dead, err := tombstone(h.options.Engine, group)
	if err != nil {
		return nil, fmt.Errorf("opening partition %d: %w", group, err)
	}
	if dead >= log.hard.replica {
		return nil, fmt.Errorf("replica %d of partition %d was removed from this node", log.hard.replica, group)
	}
	return newGroup(h, log, at), nil
}

// group finds a group that is kept here.
func (h *Host) group(id uint64) *Group {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.groups[id]
}

// all are the groups that are kept here, by their ids.
func (h *Host) all() []*Group {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.SortedFunc(maps.Values(h.groups), byID)
}

// add makes a group known; false tells that another copy of it is.
func (h *Host) add(g *Group) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.groups[g.id]; there {
		return false
	}
	h.groups[g.id] = g
	h.newborns.here(g.id)
	return true
}

func (h *Host) remove(g *Group) {
	h.mu.Lock()
	if h.groups[g.id] == g {
		delete(h.groups, g.id)
	}
	h.mu.Unlock()
}

func (h *Host) putEager(group uint64) {
	h.mu.Lock()
	h.eager[group] = true
	h.mu.Unlock()
}

func (h *Host) takeEager(group uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	eager := h.eager[group]
	delete(h.eager, group)
	return eager
}

// Receive takes a message that came for one of the groups. A group that has too much to read drops it, as a network would.
func (h *Host) Receive(m Message) {
	if m.ToNode != h.options.Node {
		return
	}
	h.silent.heard(m.FromNode)
	g := h.group(m.Group)
	if g == nil {
		h.unknown(m)
		return
	}
	g.inbox.message(m)
}

// Tick tells that one tick has passed. Ticks that find the last one still waiting are dropped and never made up: a stall
// must not make followers believe that they have waited for messages which lie in their inboxes.
func (h *Host) Tick() {
	for _, w := range h.workers {
		w.tick()
	}
}

// Step does one pass of a worker, by one caller at a time for each, and returns whether there is more to do at once.
func (h *Host) Step(worker int) (more bool) {
	if err := h.failure(); err != nil {
		h.workers[worker].abandon(err)
		return false
	}
	return h.workers[worker].step()
}

// fail ends the host: the engine may or may not hold what the commit had.
func (h *Host) fail(err error) {
	h.failed.CompareAndSwap(nil, &err)
	for i := range h.workers {
		h.options.Wake(i)
	}
}

// failure is the error that ended this host, nil while it lives.
func (h *Host) failure() error {
	if err := h.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Stop ends a group's part in what its replicas agree on, with the next step of its worker. What it holds stays.
func (h *Host) Stop(group uint64) {
	if g := h.group(group); g != nil {
		g.inbox.request(g.stop)
	}
}

// worker is the worker of a group.
func (h *Host) worker(group uint64) *worker { return h.workers[group%uint64(len(h.workers))] }
