package rpc

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
)

// link is the way to one peer for one class: a session after the other, each a connection with a stream on it.
type link struct {
	peers   *Peers
	node    uint64
	address string
	class   Class
	outbox  *outbox
	calls   *calls // of class Request
	stop    context.CancelFunc
	// patience bounds the next try to connect.
	patience time.Duration
	// down is set while the last try to connect has failed.
	down atomic.Bool
	// seen is when there was a connection, tellAfter how long there has been none when that is told of next.
	seen      time.Time
	tellAfter time.Duration
}

func newLink(p *Peers, node uint64, address string, class Class) *link {
	l := &link{
		peers: p, node: node, address: address, class: class, patience: connectMin,
		outbox: newOutbox(p.options.limits), calls: newCalls(p.options.limits.callsMax),
	}
	// What is asked before the first try has ended waits for it.
	l.outbox.admit()
	return l
}

// run keeps the link up until ctx ends.
func (l *link) run(ctx context.Context) {
	pause := redialMin
	l.reached()
	for {
		began := time.Now()
		up, err := l.session(ctx)
		l.down.Store(!up)
		if ctx.Err() != nil {
			err = ErrClosed
		}
		l.outbox.shut()
		l.calls.lost(l.node, err)
		if ctx.Err() != nil {
			return
		}
		if up {
			l.reached()
		}
		l.tell(ctx, err)
		if up && time.Since(began) > connectMin+redialMax {
			pause = redialMin
		}
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		pause = min(2*pause, redialMax)
	}
}

// reached takes note that there was a connection until now.
func (l *link) reached() { l.seen, l.tellAfter = time.Now(), lostMin }

// tell says why there is no connection. An operator need not hear of each try, nor of a node that starts anew; of one that stays
// out of reach they do, ever more seldom.
func (l *link) tell(ctx context.Context, cause error) {
	level, lost := slog.LevelDebug, time.Since(l.seen)
	if lost >= l.tellAfter {
		level, l.tellAfter = slog.LevelWarn, 2*lost
	}
	l.peers.options.Log.Log(ctx, level, "no connection to a node", "node", l.node, "address", l.address, "class", l.class.String(),
		"lost_for", lost.Round(time.Second), "error", cause)
}

// session connects, and carries entries until something ends it. It tells whether it came to carry any.
func (l *link) session(parent context.Context) (up bool, err error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	conn, err := l.peers.dialer.connect(l.address)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	late := time.AfterFunc(l.patience, func() { cancel(context.DeadlineExceeded) })
	stream, peer, err := l.peers.introduce(ctx, conn, l.node, l.class)
	if !late.Stop() {
		l.patience = min(2*l.patience, connectMax)
		return false, context.DeadlineExceeded
	}
	if err != nil {
		return false, err
	}
	l.patience = connectMin
	l.down.Store(false)
	l.peers.counts.sessions.Add(1)
	l.outbox.admit()
	var halves sync.WaitGroup
	defer halves.Wait()
	defer cancel(nil)
	received := &atomic.Int64{}
	halves.Go(func() { cancel(l.outbox.write(ctx, stream, peer.wholeBytes())) })
	halves.Go(func() { cancel(l.ping(ctx, received)) })
	err = l.read(stream, received)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return true, cause
	}
	return true, err
}

// ping asks for a sign of life every so often, and fails when there was none for too long. received counts what came.
func (l *link) ping(ctx context.Context, received *atomic.Int64) error {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	s := newSilence(l.peers.options.limits.silence, time.Now())
	for {
		l.outbox.urge(entry{kind: kindPing, id: l.peers.options.Incarnation})
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if s.tooLong(received.Load(), time.Now()) {
			return errSilent
		}
	}
}

// silence judges whether a peer that is looked at with every ping has said nothing for too long.
type silence struct {
	max time.Duration
	// seen is how much had come when something was last heard, at since; looked is when that was last looked at.
	seen          int64
	since, looked time.Time
}

func newSilence(most time.Duration, now time.Time) *silence {
	return &silence{max: most, since: now, looked: now}
}

// tooLong looks at how much has come by now. A node that has not looked for so long stood still itself, and does not know what it would have
// heard.
func (s *silence) tooLong(received int64, now time.Time) bool {
	if received != s.seen || now.Sub(s.looked) > 2*pingEvery {
		s.seen, s.since = received, now
	}
	s.looked = now
	return now.Sub(s.since) > s.max
}

// read takes what the peer sends on the link's stream: answers and pongs.
func (l *link) read(stream grpc.ClientStream, received *atomic.Int64) error {
	heard := func() error {
		received.Add(1)
		l.peers.hearing.heard(l.node)
		return nil
	}
	return receive(stream, heard, func(e *entry) error {
		switch e.kind {
		case kindPong:
			l.peers.hearing.incarnated(l.node, e.id)
		case kindAnswer:
			l.calls.answered(e)
		default:
			return errFrame
		}
		return nil
	})
}
