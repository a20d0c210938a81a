package rpc

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// hearing remembers when each node was last heard, whatever it said on whichever stream.
type hearing struct {
	began time.Time // moments are counted from it, on the monotonic clock
	nodes sync.Map  // node id to *heard
}

type heard struct {
	at          atomic.Int64 // since began, plus one; 0 is never
	incarnation atomic.Uint64
}

func newHearing() *hearing { return &hearing{began: time.Now()} }

func (h *hearing) of(node uint64) *heard {
	if known, ok := h.nodes.Load(node); ok {
		return known.(*heard)
	}
	known, _ := h.nodes.LoadOrStore(node, &heard{})
	return known.(*heard)
}

func (h *hearing) heard(node uint64) { h.of(node).at.Store(int64(time.Since(h.began)) + 1) }

func (h *hearing) incarnated(node, incarnation uint64) {
	h.of(node).incarnation.Store(incarnation)
	h.heard(node)
}

// since is how long ago the node was heard, and which incarnation of it.
func (h *hearing) since(node uint64) (time.Duration, uint64) {
	known, ok := h.nodes.Load(node)
	if !ok {
		return math.MaxInt64, 0
	}
	n := known.(*heard)
	at := n.at.Load()
	if at == 0 {
		return math.MaxInt64, 0
	}
	return time.Since(h.began) - time.Duration(at-1), n.incarnation.Load()
}
