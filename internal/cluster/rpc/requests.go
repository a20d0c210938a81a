package rpc

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"stator/internal/base/trace"
)

// inbound is a stream on which one peer asks.
type inbound struct {
	server *Server
	from   uint64
	ctx    context.Context
	outbox *outbox
	slots  chan struct{} // holds a place for each call until its answer is on its way
}

// requests answers the calls of one peer.
func (s *Server) requests(stream grpc.ServerStream) error {
	peer, err := s.welcome(stream, Request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	in := &inbound{
		server: s, from: peer.node, ctx: ctx, outbox: newOutbox(s.options.limits), slots: make(chan struct{}, s.options.limits.callsMax),
	}
	in.outbox.admit()
	written := make(chan struct{})
	go func() {
		defer close(written)
		// When writing fails the stream is broken, and reading ends by itself.
		_ = in.outbox.write(ctx, stream, peer.wholeBytes())
	}()
	pong := func() error {
		in.outbox.urge(entry{kind: kindPong, id: s.options.Incarnation})
		return nil
	}
	err = s.entries(stream, peer.node, pong, in.take)
	cancel()
	in.outbox.shut()
	<-written
	return err
}

// take begins a call, or refuses it. It does not wait: pings stand behind it.
func (in *inbound) take(e *entry) error {
	if e.kind != kindCall && e.kind != kindTraced {
		return errFrame
	}
	select {
	case in.slots <- struct{}{}:
	default:
		in.refuse(e.id)
		return nil
	}
	if !in.server.underWay.enter() {
		<-in.slots
		in.refuse(e.id)
		return nil
	}
	go in.serve(*e)
	return nil
}

func (in *inbound) finish() {
	<-in.slots
	in.server.underWay.leave()
}

// refuse says that a call was not begun. If even that finds no room the caller waits for its deadline, and takes what
// was refused for unknown, which is safe.
func (in *inbound) refuse(id uint64) {
	in.server.counts.refused.Add(1)
	_ = in.outbox.put(entry{kind: kindAnswer, id: id, ending: endingBusy})
}

func (in *inbound) serve(e entry) {
	defer in.finish()
	timeout := callTimeMax
	if e.timeoutMicros > 0 && e.timeoutMicros < uint64(callTimeMax.Microseconds()) {
		timeout = time.Duration(e.timeoutMicros) * time.Microsecond
	}
	ctx, cancel := context.WithTimeout(in.ctx, timeout)
	defer cancel()
	span := trace.Nothing
	if e.kind == kindTraced {
		ctx, span = trace.From(ctx, in.server.options.Traces, e.position, trace.Serving)
	}
	answer := entry{kind: kindAnswer, id: e.id}
	body, err := in.server.options.Handler.Call(ctx, in.from, e.method, e.body)
	span.End(err)
	if err == nil && len(body) > messageBytesMax {
		err = fmt.Errorf("an answer of %d bytes is larger than a message may be", len(body))
	}
	if err != nil {
		answer.ending, body = endingFailed, in.server.options.AppendError(nil, err)
	}
	answer.body = body
	in.outbox.putWhenRoom(answer)
}
