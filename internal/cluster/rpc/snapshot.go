package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// SendSnapshot streams a header and then the chunks that next yields until io.EOF; a chunk needs to be good only until the
// next one is asked for. Nil says that the receiver took all of it. Few go at a time, and all together keep to the rate.
func (p *Peers) SendSnapshot(ctx context.Context, node uint64, header []byte, next func() ([]byte, error)) error {
	to, ok := p.find(node)
	if !ok {
		return &Unreachable{Node: node, Cause: ErrUnknown}
	}
	select {
	case p.sending <- struct{}{}:
		defer func() { <-p.sending }()
	case <-ctx.Done():
		return &Unreachable{Node: node, Cause: ctx.Err()}
	}
	conn, err := p.dialer.connect(to.address)
	if err != nil {
		return &Unreachable{Node: node, Cause: err}
	}
	defer conn.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(connectMax, func() { cancel(errStalled) })
	defer stall.Stop()
	stream, _, err := p.introduce(ctx, conn, node, Snapshot)
	if err != nil {
		return &Unreachable{Node: node, Cause: err}
	}
	if err := p.pump(stream, header, next, stall); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("sending a snapshot to node %d: %w", node, err)
	}
	return nil
}

var errStalled = errors.New("it stood still for too long")

// pump sends everything and waits for the receiver's word.
func (p *Peers) pump(stream grpc.ClientStream, header []byte, next func() ([]byte, error), stall *time.Timer) error {
	chunk, err := header, error(nil)
	for err == nil {
		stall.Reset(snapshotStallMax)
		if err := p.pace.wait(stream.Context(), len(chunk)); err != nil {
			return err
		}
		// What gRPC was given it may read later: it gets a copy.
		copied := pool.Get(len(chunk))
		copy(*copied, chunk)
		if err := stream.SendMsg(&packet{pooled: copied}); err != nil {
			// Why the receiver ended it is in the stream's status.
			return stream.RecvMsg(&packet{})
		}
		chunk, err = next()
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	stall.Reset(snapshotStallMax)
	return stream.RecvMsg(&packet{})
}

// snapshot takes one snapshot of a peer.
func (s *Server) snapshot(stream grpc.ServerStream) error {
	peer, err := s.welcome(stream, Snapshot)
	if err != nil {
		return err
	}
	select {
	case s.receiving <- struct{}{}:
		defer func() { <-s.receiving }()
	default:
		return status.Error(codes.ResourceExhausted, "as many snapshots as may are on their way here")
	}
	next := func() ([]byte, error) {
		var p packet
		if err := stream.RecvMsg(&p); err != nil {
			return nil, err
		}
		s.peers.hearing.heard(peer.node)
		return p.bytes, nil
	}
	header, err := next()
	if err != nil {
		return err
	}
	if err := s.options.Handler.Snapshot(stream.Context(), peer.node, header, next); err != nil {
		return status.Error(codes.Aborted, err.Error())
	}
	return stream.SendMsg(&packet{})
}

// pace spreads bytes over time.
type pace struct {
	bytesPerSecond int64
	mu             sync.Mutex // guards free
	free           time.Time  // when what was granted so far has gone
}

// paceBurst is how far behind its rate the pace may fall and still catch up.
const paceBurst = 100 * time.Millisecond

func newPace(bytesPerSecond int64) *pace { return &pace{bytesPerSecond: bytesPerSecond} }

// wait returns when so many bytes may go.
func (p *pace) wait(ctx context.Context, bytes int) error {
	p.mu.Lock()
	now := time.Now()
	if oldest := now.Add(-paceBurst); p.free.Before(oldest) {
		p.free = oldest
	}
	begin := p.free
	p.free = begin.Add(time.Duration(int64(bytes) * int64(time.Second) / p.bytesPerSecond))
	p.mu.Unlock()
	if !begin.After(now) {
		return nil
	}
	timer := time.NewTimer(begin.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
