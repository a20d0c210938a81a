package replication

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
)

// catchUpTime is how long a learner may take to have what the others have.
const catchUpTime = 25 * time.Second

// errNotNow says that a partition is in no state for a change.
var errNotNow = errors.New("not now")

// move brings a partition from one node to another: a learner, then one change that makes it a voter in the other's place.
func (w *world) move(c *client) error {
	at := w.layout.places[w.Random.IntN(len(w.layout.places))]
	d, err := c.descriptor(at.bounds.Lower)
	if err != nil {
		return err
	}
	key := d.Bounds.Lower
	if learner(d) != 0 { // it came late, after whoever asked for it had seen none
		return c.settleMembers(key, d.Partition)
	}
	to := w.stranger(d)
	if to == 0 {
		return errNotNow
	}
	_, err = c.membership(key, d, command.Membership{AddLearner: to})
	w.Note("partition %d gets a learner on node %d: %v", d.Partition, to, err)
	return c.settleMembers(key, d.Partition)
}

// stranger draws a node that has no replica of a partition, 0 if all have.
func (w *world) stranger(d machine.Descriptor) uint64 {
	var strangers []uint64
	for _, n := range w.nodes {
		if _, there := d.MemberOn(n.Number); !there {
			strangers = append(strangers, n.Number)
		}
	}
	if len(strangers) == 0 {
		return 0
	}
	return strangers[w.Random.IntN(len(strangers))]
}

// membership asks a partition for a change of members.
func (c *client) membership(key []byte, d machine.Descriptor, m command.Membership) (struct{}, error) {
	m.Generation = d.Generation
	return c.change(key, d.Partition, func(p *partition, done func(error)) { p.replica.Move(m, done) })
}

// learner is a replica that does not vote yet, 0 if there is none.
func learner(d machine.Descriptor) uint64 {
	for _, m := range d.Members {
		if m.Learner {
			return m.Replica
		}
	}
	return 0
}

// settleMembers brings a move to its end, one way or the other, whoever began it.
func (c *client) settleMembers(key []byte, id uint64) error {
	w := c.world
	until := w.Now + catchUpTime
	for range changeTriesMax {
		w.Sleep(w.Between(100*time.Millisecond, time.Second))
		d, err := c.descriptor(key)
		if err != nil {
			continue
		}
		if d.Partition != id {
			return errNotNow
		}
		comes := learner(d)
		if comes == 0 {
			w.layout.enter(d)
			return nil
		}
		if w.Now > until || w.Calm && w.Chance(30) {
			_, err = c.membership(key, d, command.Membership{Remove: comes})
			w.Note("partition %d loses its learner: %v", id, err)
		} else if leads, ok := w.leader(id); ok && catchesUp(leads.copies[id].group.Status(), comes) {
			c.promote(key, d, comes)
		}
	}
	err := fmt.Errorf("partition %d keeps its learner", id)
	w.Fail(err)
	return err
}

// catchesUp tells whether a replica has nearly all of the log.
func catchesUp(s multiraft.Status, replica uint64) bool {
	at := slices.IndexFunc(s.Members, func(m multiraft.MemberStatus) bool { return m.Replica == replica })
	return at >= 0 && s.Members[at].Match+20 > s.Last
}

// promote makes a learner a voter in the place of another one. A leader that shall go hands over first.
func (c *client) promote(key []byte, d machine.Descriptor, comes uint64) {
	w := c.world
	var voters []command.Member
	for _, m := range d.Members {
		if !m.Learner {
			voters = append(voters, m)
		}
	}
	goes := voters[w.Random.IntN(len(voters))]
	if leads, ok := w.leader(d.Partition); ok && leads.Number == goes.Node {
		leads.transfer(d.Partition)
		return
	}
	_, err := c.membership(key, d, command.Membership{Promote: comes, Remove: goes.Replica})
	w.Note("partition %d goes from replica %d to %d: %v", d.Partition, goes.Replica, comes, err)
	if err == nil {
		w.result.Moves++
	}
}

// sweep takes replicas off the node that the layout says are no members any more.
func (n *node) sweep() {
	w := n.world
	for _, id := range n.partitions() {
		d := w.layout.entered[id]
		replica := n.copies[id].group.Status().Replica
		if _, member := d.Member(replica); !member && replica < d.NextReplica {
			n.remove(id, replica)
		}
	}
	n.Later(w.Between(sweepEveryMax/2, sweepEveryMax), n.sweep)
}

// removed is a replica that knows by itself that it is no member any more. Some nodes are slow to act on that.
func (n *node) removed(id, replica uint64) {
	if !n.Over() && n.world.Chance(70) {
		n.Later(1+n.world.Between(0, 100*time.Millisecond), func() { n.remove(id, replica) })
	}
}

func (n *node) remove(id, replica uint64) {
	w := n.world
	c, ok := n.copies[id]
	if !ok || c.group.Status().Replica != replica {
		return
	}
	w.Note("node %d removes replica %d of partition %d", n.Number, replica, id)
	c.replica.Stop()
	delete(n.copies, id)
	n.host.Remove(id, replica, func(err error) {
		switch {
		case n.Over():
		case err != nil:
			w.Fail(fmt.Errorf("node %d: removing partition %d: %w", n.Number, id, err))
		default:
			w.homes.leaves(n, id, replica)
		}
	})
}

const sweepEveryMax = 2 * time.Second
