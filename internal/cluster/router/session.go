package router

import (
	"context"
	"errors"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/session"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// reachMax is how long a copy is waited for that has not performed yet what a session saw.
const reachMax = 50 * time.Millisecond

var errBehind = errors.New("this copy has not performed yet what the session saw")

// held tells whether a read has to be strong from the start: where its session demands it, or has seen more of the catalog
// than this node. By an older map a key may still be with the parent of a split, of which any copy that has not performed
// the split would answer for the child. The parent's leader has performed it, and refuses. It is asked before a partition
// is looked up: a map that is younger by then does no harm.
func (r *Router) held(s *session.Session, strong bool) bool {
	return strong || s != nil && (s.Strong() || s.Known() > r.options.Map.Sequence())
}

// aimRead is aim for a read. One of a session goes to a copy that shows what the session saw: first to the nearest, then by
// turns to the leader and to the others, as a copy may lag for long, and the leader may be gone. strong tells how the copy
// is to be asked.
func (r *Router) aimRead(ctx context.Context, p *catalog.Partition, want bool, n int) (to aim, strong bool, err error) {
	index := uint64(0)
	if s := session.Of(ctx); s != nil && !want {
		index = s.Index(p.ID)
	}
	if index > 0 && n > 0 {
		others := r.others(p)
		if n%2 == 0 && len(others) > 0 {
			return r.at(others[n/2%len(others)], p.ID), false, nil
		}
		n, want = n/2, true
	}
	to, err = r.aim(p, want, n)
	if here, ok := to.Target.(*replica.Replica); ok && !want {
		err = r.reach(ctx, here, index)
	}
	return to, want, err
}

// reach waits until a copy here shows everything up to an index, for a moment. It looks now and then rather than be told:
// copies are mostly there, or a message of their leader away.
func (r *Router) reach(ctx context.Context, from *replica.Replica, index uint64) error {
	waited, pause := time.Duration(0), pauseMin
	for {
		if performed, _ := from.Position(); performed >= index {
			return nil
		}
		if waited == reachMax {
			return &command.Rejected{Cause: errBehind}
		}
		pause = min(pause, reachMax-waited)
		if err := r.options.Pause(ctx, pause); err != nil {
			return &command.Rejected{Cause: errors.Join(err, errBehind)}
		}
		waited += pause
		pause *= 2
	}
}

// answered takes note of what an answer about items tells: where the leader is, and what the session has seen.
func (r *Router) answered(ctx context.Context, a aim, strong bool, err error) {
	r.learn(a, strong, err)
	s := session.Of(ctx)
	if s == nil || err != nil {
		return
	}
	s.Knew(r.options.Map.Sequence())
	if here, ok := a.Target.(*replica.Replica); ok {
		_, begun := here.Position()
		s.Saw(a.partition, begun)
	}
}
