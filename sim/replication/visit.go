package replication

import (
	"errors"

	"stator/internal/cluster/session"
	"stator/internal/partition/command"
	"stator/sim/history"
)

// visitReads is how often a visit reads at most.
const visitReads = 4

var errBehind = errors.New("the copy has not come as far as the session saw")

// stood is what a copy answered, and where it stood then.
type stood[T any] struct {
	value            T
	partition, index uint64
}

// standing has an answer say where its copy stands.
func standing[T any](p *partition, done func(stood[T], error)) func(T, error) {
	return func(value T, err error) {
		_, begun := p.replica.Position()
		done(stood[T]{value, p.id, begun}, err)
	}
}

// visit is a session: an item is written and then read eventually, of any copies that have come as far. It never sees less
// than it wrote, nor less than it saw before.
func (c *client) visit(wish *command.Command) {
	w := c.world
	s, err := session.Parse([]byte("new"), 1)
	if err != nil {
		panic(err)
	}
	w.glimpses.visits++
	of := glimpsed{key: string(wish.Key), visit: w.glimpses.visits}
	o := &history.Operation{Item: item(wish.Key), Client: c.id, Write: wish}
	w.history.Begin(o)
	written, err := strong(&c.router, wish.Key, false, func(p *partition, done func(stood[command.Result], error)) {
		each := *wish
		p.replica.Write(&each, standing(p, done))
	})
	c.wrote(o, written.value, err)
	if err != nil || written.value.Refusal != command.Accepted {
		return
	}
	s.Saw(written.partition, written.index)
	w.glimpses.add(of, written.value.After)
	for range 1 + w.Random.IntN(visitReads) {
		c.look(s, of)
	}
}

// look reads the item of a visit once.
func (c *client) look(s *session.Session, of glimpsed) {
	w := c.world
	at := w.layout.holding([]byte(of.key))
	to := at.nodes[w.Random.IntN(len(at.nodes))]
	get := &command.Get{Table: tableID, TableVersion: w.layout.table.Version, Key: []byte(of.key)}
	read, err := ask(w, question{c.router.home, to, at.id}, func(p *partition, done func(stood[command.GetResult], error)) {
		answer := standing(p, done)
		if performed, _ := p.replica.Position(); performed < s.Index(p.id) {
			answer(command.GetResult{}, &command.Rejected{Cause: errBehind})
			return
		}
		p.replica.Read(get, answer)
	})
	if err != nil {
		w.failedRead(err)
		return
	}
	s.Saw(read.partition, read.index)
	w.glimpses.add(of, read.value.Item)
	w.Note("client %d in visit %d sees %d bytes on node %d", c.id, of.visit, len(read.value.Item), to)
}
