package cluster

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"
)

// shipment is a snapshot as it comes to a machine: a stream whose chunks come in order, or which breaks.
type shipment struct {
	machine *machine
	chunks  [][]byte
	sealed  bool // all has come
	ended   bool // the receiver has
	err     error
}

// shipmentSilence is after how long without a chunk a stream is given up.
const shipmentSilence = 8 * time.Second

var errStream = errors.New("the stream broke")

// SendSnapshot implements node.Messenger.
func (p *peers) SendSnapshot(ctx context.Context, node uint64, header []byte, next func() ([]byte, error)) error {
	to := p.find(node)
	if to == nil || p.down[node] {
		return errRefused
	}
	m := p.machine
	m.world.Note("machine %d sends a snapshot to machine %d", m.Number, to.Number)
	s := &shipment{machine: to}
	header = bytes.Clone(header)
	hop := func(serve func(ctx context.Context) ([]byte, error)) error {
		ctx, end := m.within(ctx, shipmentSilence)
		defer end()
		_, err := p.exchange(ctx, to, serve)
		return err
	}
	err := hop(func(context.Context) ([]byte, error) {
		to.run("a snapshot", func() {
			s.err = to.handler.Snapshot(context.Background(), m.id, header, s.next)
			s.ended = true
		})
		return nil, nil
	})
	for err == nil {
		chunk, failed := next()
		if failed != nil && !errors.Is(failed, io.EOF) {
			return failed
		}
		if failed != nil {
			break
		}
		chunk = bytes.Clone(chunk)
		err = hop(func(context.Context) ([]byte, error) { return nil, s.take(chunk) })
	}
	if err == nil {
		err = hop(func(ctx context.Context) ([]byte, error) { return nil, s.seal(ctx) })
	}
	if err == nil {
		m.world.result.Snapshots++
	}
	return err
}

// next is the next chunk for the receiver, once it has come.
func (s *shipment) next() ([]byte, error) {
	ctx, end := s.machine.within(context.Background(), shipmentSilence)
	defer end()
	if s.machine.await(ctx, func() bool { return len(s.chunks) > 0 || s.sealed }) != nil {
		return nil, errStream
	}
	if len(s.chunks) == 0 {
		return nil, io.EOF
	}
	chunk := s.chunks[0]
	s.chunks = s.chunks[1:]
	return chunk, nil
}

// take gives the receiver a chunk.
func (s *shipment) take(chunk []byte) error {
	if s.ended {
		return errors.Join(errStream, s.err)
	}
	s.chunks = append(s.chunks, chunk)
	return nil
}

// seal tells the receiver that this was all, and waits for its word.
func (s *shipment) seal(ctx context.Context) error {
	s.sealed = true
	if err := s.machine.await(ctx, func() bool { return s.ended }); err != nil {
		return err
	}
	return s.err
}
