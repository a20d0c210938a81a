package replication

import (
	"errors"
	"fmt"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
	"stator/internal/partition/replica"
	"stator/sim/network"
)

// partition is one copy that a node keeps.
type partition struct {
	node    *node
	id      uint64
	replica *replica.Replica
	group   *multiraft.Group
	planned bool // whether a step is planned
	// applied is the last state that the copy was told of.
	applied machine.Applied
	// led is the newest epoch in which it led since the node's start.
	led uint64
}

// hostOptions are a host's surroundings in this start of the node.
func (n *node) hostOptions() multiraft.Options {
	w := n.world
	return multiraft.Options{
		Engine: n.engine, Node: n.Number, Workers: w.habits.workers,
		Now:  func() time.Duration { return n.Clock.Even(w.Now) },
		Wake: n.wake,
		Send: n.send, SendSnapshot: n.ship,
		Retention: w.habits.retention, Removed: n.removed,
		Born: func(child uint64) { n.Later(1, func() { n.adopt(child) }) },
		Broken: func(group uint64, err error) {
			if !n.Over() {
				w.Fail(fmt.Errorf("node %d: the copy of partition %d is quarantined: %w", n.Number, group, err))
			}
		},
	}
}

// adopt opens a partition that a split or a snapshot made here.
func (n *node) adopt(id uint64) {
	if _, there := n.copies[id]; there {
		return
	}
	if err := n.keep(id); err != nil && !n.Over() {
		n.world.Fail(fmt.Errorf("node %d: opening partition %d: %w", n.Number, id, err))
	}
}

// keep opens a partition that the store holds.
func (n *node) keep(id uint64) error {
	state, found, err := machine.Load(n.engine, id)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("partition %d has no state", id)
	}
	group, err := n.host.Open(id)
	if err != nil {
		return err
	}
	n.world.homes.lives(n, id, group.Status().Replica)
	p := &partition{node: n, id: id, group: group, applied: state.Applied}
	p.replica = replica.New(replica.Options{
		Partition: id, Engine: n.engine, Log: group, Wake: p.plan,
		NowMillis: func() int64 { return n.Clock.Millis(n.world.Now) },
		Performed: p.performed,
		Broken: func(err error) {
			if !n.Over() {
				n.world.Fail(fmt.Errorf("node %d: partition %d breaks: %w", n.Number, id, err))
			}
		},
	})
	n.copies[id] = p
	group.Keep(p, state)
	return nil
}

// plan plans a decision of the copy.
func (p *partition) plan() {
	n := p.node
	if p.planned || n.Over() {
		return
	}
	p.planned = true
	n.Later(1+n.world.Between(0, n.world.habits.stepDelay), func() {
		p.planned = false
		if n.copies[p.id] == p && p.replica.Step() {
			p.plan()
		}
	})
}

// Lead implements replica.Copy: the world hears what the copy is told.
func (p *partition) Lead(epoch uint64, state machine.Part) {
	if !p.node.Over() {
		p.node.world.batches.leads(p, epoch)
	}
	p.replica.Lead(epoch, state)
}

// Follow implements replica.Copy.
func (p *partition) Follow(hint uint64) { p.replica.Follow(hint) }

// Performed implements replica.Copy.
func (p *partition) Performed(b machine.Batch, state machine.Part) {
	if !p.node.Over() {
		p.node.world.batches.performed(p, &b, state)
	}
	p.replica.Performed(b, state)
}

// Replacing implements replica.Copy.
func (p *partition) Replacing() { p.replica.Replacing() }

// Replaced implements replica.Copy.
func (p *partition) Replaced(state machine.Part) {
	p.applied = state.Applied
	p.replica.Replaced(state)
}

// performed is told by the replica; the world has heard before.
func (p *partition) performed(machine.Batch, machine.Part) {}

// send gives a message of a host to the network.
func (n *node) send(to uint64, m multiraft.Message) bool {
	w := n.world
	if n.Over() {
		return false
	}
	w.result.Messages++
	bytes := multiraft.AppendMessage(nil, &m)
	return w.Network.Carry(network.Between(n.Number, to), func() { w.node(to).receive(bytes) })
}

// receive hands what has come to the host.
func (n *node) receive(bytes []byte) {
	n.Do(func() {
		m, err := multiraft.ParseMessage(bytes)
		if err != nil {
			n.world.Fail(fmt.Errorf("a message is damaged: %w", err))
			return
		}
		n.host.Receive(m)
	})
}

// barrier calls done once this copy, if it leads, knows everything that was acknowledged before the call.
func (p *partition) barrier(done func(error)) {
	p.group.Barrier(func(err error) {
		switch {
		case err != nil:
			done(&command.Rejected{Cause: err})
		case !p.leads():
			done(&command.NotLeader{})
		default:
			done(nil)
		}
	})
}

// leads tells whether this copy believes to lead, and knows all that was agreed before.
func (p *partition) leads() bool {
	s := p.group.Status()
	return s.Role == multiraft.Leader && s.Serves
}

// wake ends the rest of a group that a request met, and that does not serve it.
func (p *partition) wake(err error) {
	var leader *command.NotLeader
	if errors.As(err, &leader) && !p.node.Over() {
		p.group.Wake()
	}
}
