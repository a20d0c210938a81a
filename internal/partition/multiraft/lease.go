package multiraft

import (
	"sync/atomic"
	"time"
)

// lease is the time within which this leader knows, without asking, that no other replica leads: a quorum answered it
// later than began and, having heard it, votes for nobody until an election timeout has passed.
//
// The library's own lease mode is not used: it renews without any answer having been asked for, and knows nothing of
// restarts, transfers, pauses and changes of members.
type lease struct {
	// until is the end of the lease on the host's clock, 0 if there is none.
	until atomic.Int64
	// wanted tells that a strong read came since the lease was last renewed.
	wanted atomic.Bool

	// What follows is the worker's. A term in which a transfer was begun has no lease any more: the message that makes the
	// other replica campaign, whatever leases there are, may be late, and no less effective for it.
	forbidden uint64
	// held tells that a batch is under way that changes members or bounds.
	held bool
	// from is the first round that may renew: those before began before such a batch was performed.
	from uint64
}

// length is how long a lease lasts: two ticks less than an election timeout, as each end of it falls between two ticks, and
// a fifth for clocks that run at different speeds.
func (h *Host) leaseLength() time.Duration {
	return (electionTicks - 2) * h.options.Tick * 4 / 5
}

func (l *lease) valid(now time.Duration) bool {
	until := l.until.Load()
	return until != 0 && int64(now) < until
}

// hold ends the lease while a batch that changes members or bounds is under way.
func (l *lease) hold(g *Group) {
	l.held = true
	l.drop()
}

// release lets rounds that begin from now on renew the lease.
func (l *lease) release(g *Group) {
	l.held = false
	l.from = g.reads.last + 1
}

func (l *lease) forbid(term uint64) {
	l.forbidden = term
	l.drop()
}

func (l *lease) drop() { l.until.Store(0) }

// grant takes note of a round that a quorum answered.
func (l *lease) grant(g *Group, r *round) {
	if !l.held && l.forbidden != g.lead.term && r.number >= l.from && g.lead.complete {
		l.until.Store(int64(r.asked + g.host.leaseLength()))
	}
}

// renew begins a round before the lease ends, if strong reads make use of it.
func (g *Group) renew() {
	l := &g.lease
	if !g.lead.complete || l.held || l.forbidden == g.lead.term || g.reads.round != nil || !l.wanted.Load() {
		return
	}
	left := time.Duration(l.until.Load()) - g.host.options.Now()
	if left < g.host.leaseLength()/2 {
		l.wanted.Store(false)
		g.rest.idle = 0
		g.ask()
	}
}
