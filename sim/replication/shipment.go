package replication

import (
	"bytes"
	"errors"
	"io"
	"time"

	"stator/internal/partition/multiraft"
	"stator/sim/network"
)

// shipment is a snapshot on its way from one node to another: a stream whose chunks come in order or not at all. It breaks
// where the network is cut, and ends with either node.
type shipment struct {
	world            *world
	from, to         *node
	fromStart, start int
	source           *multiraft.Outgoing
	in               *multiraft.Incoming
	// hops counts what was sent to and fro; ended tells that it is over, sealed that all has come.
	hops          int
	ended, sealed bool
}

// shipmentSilence is after how long without a word a stream is given up.
const shipmentSilence = 8 * time.Second

var errStream = errors.New("the stream broke")

// ship begins one.
func (n *node) ship(to uint64, header []byte, source *multiraft.Outgoing) {
	w := n.world
	s := &shipment{world: w, from: n, fromStart: n.Starts, to: w.node(to), start: w.node(to).Starts, source: source}
	header = bytes.Clone(header)
	w.Note("node %d sends a snapshot to node %d", n.Number, to)
	s.hop(s.from, s.to, func() {
		in, err := s.to.host.Incoming(header)
		if err != nil {
			s.answer(err)
			return
		}
		s.in = in
		s.hop(s.to, s.from, s.pump)
	})
}

// hop has the other end do something, some time later.
func (s *shipment) hop(from, to *node, something func()) {
	w := s.world
	s.hops++
	hop := s.hops
	w.After(shipmentSilence, func() {
		if s.hops == hop {
			s.fail(errStream)
		}
	})
	w.After(w.Network.Takes(), func() {
		if s.ended {
			return
		}
		if !w.Network.Passes(network.Between(from.Number, to.Number)) || !s.alive(s.from, s.fromStart) || !s.alive(s.to, s.start) {
			s.fail(errStream)
			return
		}
		to.Do(func() {
			if !s.ended {
				something()
			}
		})
	})
}

func (s *shipment) alive(n *node, start int) bool { return n.Starts == start && !n.Over() }

// pump sends the next chunk.
func (s *shipment) pump() {
	chunk, err := s.source.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		s.fail(err)
		return
	}
	chunk = bytes.Clone(chunk)
	s.hop(s.from, s.to, func() {
		if err != nil {
			s.sealed = true
			s.in.Close(s.answer)
			return
		}
		if err := s.in.Write(chunk); err != nil {
			s.fail(err)
			return
		}
		s.hop(s.to, s.from, s.pump)
	})
}

// answer tells the sender what became of it.
func (s *shipment) answer(err error) {
	if s.to.Over() {
		return
	}
	s.hop(s.to, s.from, func() {
		s.ended = true
		if err == nil {
			s.world.result.Snapshots++
		}
		s.world.Note("node %d has a snapshot of node %d: %v", s.to.Number, s.from.Number, err)
		s.source.Done(err)
	})
}

// fail ends it at both ends.
func (s *shipment) fail(err error) {
	if s.ended {
		return
	}
	s.ended = true
	s.world.Note("a snapshot of node %d to node %d: %v", s.from.Number, s.to.Number, err)
	if s.alive(s.from, s.fromStart) {
		s.from.Do(func() { s.source.Done(err) })
	}
	if s.alive(s.to, s.start) && s.in != nil && !s.sealed {
		s.to.Do(func() {
			if err := s.in.Abort(); err != nil {
				s.world.Fail(err)
			}
		})
	}
}
