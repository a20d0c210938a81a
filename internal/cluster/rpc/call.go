package rpc

import (
	"context"
	"sync"
	"sync/atomic"

	"stator/internal/base/trace"
)

// call is a request under way. Its state settles who was first, the writer that sends it or the caller that gives up:
// only then is it known that the peer certainly did not get it.
type call struct {
	state  atomic.Int32
	answer chan answer // has one place
}

const (
	callWaiting int32 = iota
	callSent
	callWithdrawn
)

// answer is how a call ended.
type answer struct {
	ending ending
	body   []byte
	err    *Unreachable
}

// claim is called by the writer before the call's bytes leave. False: the caller has gone.
func (c *call) claim() bool { return c.state.CompareAndSwap(callWaiting, callSent) }

// withdrawn tells that the caller has gone.
func (c *call) withdrawn() bool { return c.state.Load() == callWithdrawn }

// withdraw gives the call up, and tells whether it certainly was not sent.
func (c *call) withdraw() bool {
	return c.state.CompareAndSwap(callWaiting, callWithdrawn) || c.withdrawn()
}

// calls are those under way to one peer, by their id.
type calls struct {
	max  int
	mu   sync.Mutex // guards what follows
	next uint64
	byID map[uint64]*call
}

func newCalls(callsMax int) *calls { return &calls{max: callsMax, byID: map[uint64]*call{}} }

// begin gives a new call its id, unless there are too many.
func (s *calls) begin() (uint64, *call, bool) {
	c := &call{answer: make(chan answer, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byID) >= s.max {
		return 0, nil, false
	}
	s.next++
	s.byID[s.next] = c
	return s.next, c, true
}

// end removes a call; nil if it has ended already.
func (s *calls) end(id uint64) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[id]
	delete(s.byID, id)
	return c
}

// answered gives an answer to its caller, if that one still waits.
func (s *calls) answered(e *entry) {
	if c := s.end(e.id); c != nil {
		c.answer <- answer{ending: e.ending, body: e.body}
	}
}

// lost ends all calls: the stream that their answers would have come on is gone.
func (s *calls) lost(node uint64, cause error) {
	s.mu.Lock()
	gone := s.byID
	s.byID = map[uint64]*call{}
	s.mu.Unlock()
	for _, c := range gone {
		c.answer <- answer{err: &Unreachable{Node: node, Sent: !c.withdraw(), Cause: cause}}
	}
}

// call sends a request and waits for its answer.
func (l *link) call(ctx context.Context, method byte, body []byte) ([]byte, error) {
	if len(body) > messageBytesMax {
		return nil, &Unreachable{Node: l.node, Cause: ErrTooLarge}
	}
	if err := ctx.Err(); err != nil {
		return nil, &Unreachable{Node: l.node, Cause: err}
	}
	id, c, ok := l.calls.begin()
	if !ok {
		return nil, &Unreachable{Node: l.node, Cause: ErrFull}
	}
	deadline, _ := ctx.Deadline()
	e := entry{kind: kindCall, id: id, method: method, deadline: deadline, position: trace.Position(ctx), body: body, call: c}
	if e.position != nil {
		e.kind = kindTraced
	}
	if err := l.outbox.put(e); err != nil {
		l.calls.end(id)
		return nil, &Unreachable{Node: l.node, Cause: err}
	}
	select {
	case a := <-c.answer:
		return l.ended(a)
	case <-ctx.Done():
		if l.calls.end(id) == nil {
			return l.ended(<-c.answer) // it ended at the same moment
		}
		return nil, &Unreachable{Node: l.node, Sent: !c.withdraw(), Cause: ctx.Err()}
	}
}

func (l *link) ended(a answer) ([]byte, error) {
	switch {
	case a.err != nil:
		return nil, a.err
	case a.ending == endingBusy:
		return nil, &Unreachable{Node: l.node, Cause: ErrBusy}
	case a.ending == endingFailed:
		return nil, l.peers.options.ParseError(a.body)
	}
	return a.body, nil
}
