package cluster

import (
	"bytes"
	"context"
	"errors"
	"math"
	"time"

	"stator/internal/cluster/rpc"
	"stator/internal/partition/command"
	"stator/sim/network"
)

// peers is a node's way to the others, as package rpc is a process's: it implements node.Network. Raft messages may come late,
// twice, out of order or never; a call comes once or never, and so does its answer.
type peers struct {
	machine *machine
	// known are addresses by node; heard is what was last heard of each, and down those that refused to be talked to.
	known map[uint64]string
	heard map[uint64]pulse
	down  map[uint64]bool
}

// pulse is when a node was last heard, and in which of its starts.
type pulse struct {
	at    time.Duration
	start int
}

// Nodes ping each other this often, and are down when they were silent for so long.
const (
	pingEvery  = 500 * time.Millisecond
	silenceMax = 2 * time.Second
	// callTimeMax is the deadline of a call that came without one.
	callTimeMax = 30 * time.Second
)

// Why a node was not reached.
var (
	errRefused = errors.New("nobody listens there")
	errLost    = errors.New("the connection is lost")
)

func newPeers(m *machine) *peers {
	return &peers{machine: m, known: map[uint64]string{}, heard: map[uint64]pulse{}, down: map[uint64]bool{}}
}

// SetAddress implements node.Presence.
func (p *peers) SetAddress(node uint64, address string) {
	if address == "" {
		delete(p.known, node)
		return
	}
	p.known[node] = address
}

// Alive implements node.Presence.
func (p *peers) Alive(node uint64) (heard time.Duration, incarnation uint64) {
	last, ok := p.heard[node]
	if !ok {
		return math.MaxInt64, 0
	}
	return p.machine.world.Now - last.at, uint64(last.start)
}

// Down implements node.Presence.
func (p *peers) Down(node uint64) bool { return p.down[node] }

// find is the machine at a node's address.
func (p *peers) find(node uint64) *machine { return p.machine.world.at(p.known[node]) }

// ping tells every machine that this one lives.
func (p *peers) ping() {
	m := p.machine
	w, id, start := m.world, m.id, m.Starts
	for _, other := range w.machines {
		if other == m {
			continue
		}
		w.Network.Carry(network.Between(m.Number, other.Number), func() {
			if other.Over() {
				w.Network.Carry(network.Between(other.Number, m.Number), func() { m.do(func() { m.peers.down[other.id] = true }) })
				return
			}
			other.do(func() { other.peers.hears(id, start) })
		})
		if last, ok := p.heard[other.id]; ok && last.at+silenceMax < w.Now {
			p.down[other.id] = true
		}
	}
	m.Later(m.Clock.Stretched(pingEvery), p.ping)
}

// hears takes note of a ping.
func (p *peers) hears(of uint64, start int) {
	if before := p.heard[of]; start >= before.start {
		p.heard[of] = pulse{at: p.machine.world.Now, start: start}
		p.down[of] = false
	}
}

// Send implements node.Messenger.
func (p *peers) Send(node, _ uint64, message []byte) bool {
	m := p.machine
	to := p.find(node)
	if to == nil || p.down[node] || m.Over() {
		return false
	}
	m.world.result.Messages++
	return m.world.Network.Carry(network.Between(m.Number, to.Number), func() {
		to.do(func() {
			if to.handler != nil {
				to.handler.Raft(m.id, bytes.Clone(message))
			}
		})
	})
}

// Call implements node.Messenger.
func (p *peers) Call(ctx context.Context, node uint64, method byte, body []byte) ([]byte, error) {
	to := p.find(node)
	switch err := ctx.Err(); {
	case err != nil:
		return nil, &rpc.Unreachable{Node: node, Cause: err}
	case to == nil:
		return nil, &rpc.Unreachable{Node: node, Cause: rpc.ErrUnknown}
	case p.down[node]:
		return nil, &rpc.Unreachable{Node: node, Cause: rpc.ErrDown}
	}
	from := p.machine.id
	p.machine.world.result.Calls++
	return p.exchange(ctx, to, func(ctx context.Context) ([]byte, error) {
		answer, err := to.handler.Call(ctx, from, method, body)
		if err != nil {
			err = command.ParseError(command.AppendError(nil, err))
		}
		return answer, err
	})
}

// Ask implements node.Network.
func (p *peers) Ask(ctx context.Context, address string, body []byte) ([]byte, error) {
	to := p.machine.world.at(address)
	return p.exchange(ctx, to, func(ctx context.Context) ([]byte, error) {
		answer, err := to.handler.Join(ctx, body)
		if err != nil && !errors.Is(err, rpc.ErrBusy) {
			err = &rpc.Failed{Text: err.Error()}
		}
		return answer, err
	})
}

// answered is what came back of an exchange.
type answered struct {
	there bool
	body  []byte
	err   error
}

// exchange has another machine do something in a routine of its own, and waits for the answer.
func (p *peers) exchange(ctx context.Context, to *machine, serve func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	m, w := p.machine, p.machine.world
	ctx, end := m.within(ctx, callTimeMax)
	defer end()
	var got answered
	reply := func(a answered) {
		w.Network.Carry(network.Between(to.Number, m.Number), func() {
			m.do(func() {
				if !got.there {
					got, got.there = a, true
				}
			})
		})
	}
	arrived := false
	sent := w.Network.Carry(network.Between(m.Number, to.Number), func() {
		if arrived {
			return // a stream brings nothing twice
		}
		arrived = true
		if to.Over() || to.handler == nil {
			reply(answered{err: &rpc.Unreachable{Node: to.id, Cause: errRefused}})
			return
		}
		to.serve(ctx, serve, reply)
	})
	if !sent {
		return nil, &rpc.Unreachable{Node: to.id, Cause: rpc.ErrDown}
	}
	if err := m.await(ctx, func() bool { return got.there }); err != nil {
		return nil, &rpc.Unreachable{Node: to.id, Sent: true, Cause: err}
	}
	return got.body, got.err
}

// serve answers another machine. Who waits for that is told when this one stops, as a connection that breaks tells it.
func (m *machine) serve(asked context.Context, serve func(ctx context.Context) ([]byte, error), reply func(answered)) {
	left, _ := asked.Deadline()
	lost := &farewell{tell: func() { reply(answered{err: &rpc.Unreachable{Node: m.id, Sent: true, Cause: errLost}}) }}
	m.gone = append(m.gone, lost)
	m.run("a call", func() {
		ctx, end := m.within(context.Background(), left.Sub(startMoment)-m.world.Now)
		defer end()
		body, err := serve(ctx)
		if !m.Over() {
			m.forget(lost)
			reply(answered{body: body, err: err})
		}
	})
}
