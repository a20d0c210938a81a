package multiraft

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// departuresMax is how many snapshots leave a node at a time, one of each group.
const departuresMax = 4

// snapshotPause is how long a group waits after a snapshot that did not arrive before it sends another.
const snapshotPause = time.Second

// departures are the snapshots on their way out of this node.
type departures struct {
	mu    sync.Mutex // guards under and failed
	under []departure
	// failed is when the last snapshot of a group failed that has to pause before it sends another.
	failed map[uint64]time.Duration
}

// departure is one to a replica, of the state at an index: what follows it must not go from the raft log meanwhile.
type departure struct{ group, replica, index uint64 }

// room tells whether a group may send one now.
func (d *departures) room(group uint64, now time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.has(group, now)
}

// add enters one, unless there is no place for it.
func (d *departures) add(one departure, now time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.has(one.group, now) {
		return false
	}
	d.under = append(d.under, one)
	delete(d.failed, one.group)
	return true
}

// has is room. The caller holds mu.
func (d *departures) has(group uint64, now time.Duration) bool {
	if at, failed := d.failed[group]; failed && now < at+snapshotPause {
		return false
	}
	return len(d.under) < departuresMax && !slices.ContainsFunc(d.under, func(o departure) bool { return o.group == group })
}

// end takes one out, at a time it failed at if it did.
func (d *departures) end(group, replica uint64, failed bool, now time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.under = slices.DeleteFunc(d.under, func(o departure) bool { return o.group == group && o.replica == replica })
	maps.DeleteFunc(d.failed, func(_ uint64, at time.Duration) bool { return now >= at+snapshotPause })
	if failed {
		if d.failed == nil {
			d.failed = map[uint64]time.Duration{}
		}
		d.failed[group] = now
	}
}

// oldest is the index of the oldest state of a group that is on its way.
func (d *departures) oldest(group uint64) (index uint64, found bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.under {
		if o.group == group && (!found || o.index < index) {
			index, found = o.index, true
		}
	}
	return index, found
}
