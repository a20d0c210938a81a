package replication

import (
	"errors"
	"time"

	"stator/internal/partition/command"
	"stator/sim/network"
	"stator/sim/timeline"
)

// How a request ends without an answer of a copy.
var (
	// errUnsent certainly did not happen.
	errUnsent = errors.New("the node cannot be reached")
	// errAbsent certainly did not happen, too.
	errAbsent = errors.New("the node has no copy of the partition")
	// errSilent: nobody knows.
	errSilent = errors.New("the node did not answer")
)

// silence is how long an answer is waited for.
const silence = 2 * time.Second

// question is a request on its way: from the node where the client is to one that may have a copy.
type question struct {
	from, to, partition uint64
}

// ask brings a request to a node and its answer back. Either may be lost.
func ask[T any](w *world, q question, serve func(*partition, func(T, error))) (T, error) {
	return timeline.Await(w.Timeline, func(done func(T, error)) {
		var none T
		arrived := false
		sent := w.Network.Carry(network.Between(q.from, q.to), func() {
			if arrived {
				return // a stream of requests brings none twice
			}
			arrived = true
			n := w.node(q.to)
			if n.Over() && w.Chance(80) {
				w.Network.Carry(network.Between(q.to, q.from), func() { done(none, errUnsent) }) // nobody listens there
			}
			n.Do(func() {
				reply := func(value T, err error) {
					if !n.Over() {
						w.Network.Carry(network.Between(q.to, q.from), func() { done(value, err) })
					}
				}
				c, ok := n.copies[q.partition]
				if !ok {
					reply(none, errAbsent)
					return
				}
				serve(c, func(value T, err error) {
					c.wake(err)
					reply(value, err)
				})
			})
		})
		if !sent {
			done(none, errUnsent)
			return
		}
		w.After(silence, func() { done(none, errSilent) })
	})
}

// certainlyNot tells whether a request that failed had no effect.
func certainlyNot(err error) bool {
	var stale *command.StaleTable
	var route *command.StaleRoute
	var leader *command.NotLeader
	var rejected *command.Rejected
	return errors.Is(err, errUnsent) || errors.Is(err, errAbsent) || errors.As(err, &stale) || errors.As(err, &route) ||
		errors.As(err, &leader) || errors.As(err, &rejected)
}

// patience is how long a client tries what certainly did not happen.
const patience = 4 * time.Second

// router is what one client knows of who leads.
type router struct {
	world *world
	home  uint64
	leads map[uint64]uint64
}

// strong has the leader of the partition that holds key serve. It tries copies, and follows what they say, as long as
// nothing happened for certain. repeats tells that it may be asked again although it may have happened: a read.
func strong[T any](r *router, key []byte, repeats bool, serve func(*partition, func(T, error))) (T, error) {
	w := r.world
	until := w.Now + patience
	for {
		p := w.layout.holding(key)
		to := r.target(p)
		value, err := ask(w, question{r.home, to, p.id}, serve)
		again := err != nil && (certainlyNot(err) || repeats && errors.Is(err, errSilent))
		if !again || w.Now > until {
			return value, err
		}
		r.learn(p, err)
		w.Sleep(w.Between(time.Millisecond, 60*time.Millisecond))
	}
}

// target is who is believed to lead, or anybody.
func (r *router) target(p place) uint64 {
	if id, ok := r.leads[p.id]; ok {
		return id
	}
	id := p.nodes[r.world.Random.IntN(len(p.nodes))]
	r.leads[p.id] = id
	return id
}

// learn follows a hint; without one somebody else is tried.
func (r *router) learn(p place, err error) {
	delete(r.leads, p.id)
	var leader *command.NotLeader
	if errors.As(err, &leader) && leader.Hint != 0 {
		r.leads[p.id] = leader.Hint
	}
}
