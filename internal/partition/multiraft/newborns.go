package multiraft

import (
	"sync"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// newbornsMax bounds what a node remembers of groups that it may soon have.
const newbornsMax = 4096

// newborns are groups that begin at their birth and speak to a replica which is not here. Mostly the split that brings it is
// performed here a moment later. To answer for it would be to say that it has nothing, and from then on its leader could
// help it with a snapshot only: so they are not answered while that may be.
type newborns struct {
	mu    sync.Mutex // guards since
	since map[uint64]time.Duration
}

// expected tells whether a message is one that the replica it is for may soon take itself.
func (n *newborns) expected(h *Host, group uint64, asked *raftpb.Message) bool {
	now := h.options.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	since, known := n.since[group]
	if !known {
		if asked.GetType() != raftpb.MsgApp || asked.GetIndex() != birthIndex {
			return false
		}
		if n.since == nil || len(n.since) >= newbornsMax {
			n.since = map[uint64]time.Duration{}
		}
		n.since[group], since = now, now
	}
	return now < since+youngTicks*h.options.Tick
}

// here takes note of a group that has come.
func (n *newborns) here(group uint64) {
	n.mu.Lock()
	delete(n.since, group)
	n.mu.Unlock()
}
