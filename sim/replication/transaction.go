package replication

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
	"stator/sim/history"
	"stator/sim/timeline"
)

// transact writes all items of one collection in one batch, or none of them.
func (c *client) transact() {
	w := c.world
	hash, _ := w.key().Get(attrHash)
	t := &command.Transaction{ID: w.transactionID()}
	var operations []*history.Operation
	for i := range ranges {
		key := attr.NewMap([]attr.Entry{{Name: attrHash, Value: hash}, {Name: attrRange, Value: attr.Int(int64(i))}})
		put := w.command(command.Put, key)
		put.Item = w.item(key)
		t.Actions = append(t.Actions, put)
		o := &history.Operation{Item: item(put.Key), Client: c.id, Write: put, Part: true}
		w.history.Begin(o)
		operations = append(operations, o)
	}
	result, err := c.send(t.Actions[0].Key, &command.Command{Action: command.Transact, Table: tableID, Transaction: t})
	for i, o := range operations {
		one := command.Result{Refusal: command.Locked} // what was refused as a whole saw nothing
		if err == nil && result.Refusal == command.Accepted {
			one = result.Results[i]
		}
		c.wrote(o, one, err)
	}
}

func (w *world) transactionID() (id command.TransactionID) {
	w.tags++
	binary.BigEndian.PutUint64(id[:], uint64(w.tags))
	return id
}

// prepared locks an item, and puts it some time later: meanwhile nobody else writes it. Splits, moves and new leaders come in
// between. The answer to a prepare that was lost is as good as a lock that stays: it is taken back.
func (c *client) prepared() {
	w := c.world
	put := w.put()
	put.Condition, put.Blind = nil, false
	t := command.Transaction{
		ID: w.transactionID(), Record: command.Place{Table: tableID, Suffix: put.Key}, Actions: []*command.Command{put},
		SentMillis: timeline.StartMillis + w.Now.Milliseconds(),
	}
	result, err := c.send(put.Key, &command.Command{Action: command.Prepare, Table: tableID, Transaction: &t})
	if err != nil && certainlyNot(err) || err == nil && result.Refusal != command.Accepted {
		w.Note("client %d prepares nothing: %v", c.id, err)
		return
	}
	if err != nil || w.Chance(20) {
		w.Start("release", func() { c.insist(command.Release, &t, 0) })
		return
	}
	w.Sleep(w.Between(0, 3*time.Second))
	o := &history.Operation{Item: item(put.Key), Client: c.id, Write: put, Part: true}
	w.history.Begin(o)
	if c.insist(command.Apply, &t, result.Version) {
		c.wrote(o, command.Result{Before: result.Results[0].Before, After: put.Item}, nil)
	} else {
		c.wrote(o, command.Result{}, errSilent)
	}
}

// insistencesMax bounds how often what ends a transaction is sent. It is sent again also when it may have happened: it does
// nothing the second time.
const insistencesMax = 40

// insist ends what was prepared.
func (c *client) insist(action command.Action, t *command.Transaction, version uint64) bool {
	w := c.world
	key := t.Actions[0].Key
	end := &command.Command{Action: action, Table: tableID, Transaction: &command.Transaction{
		ID: t.ID, Record: t.Record, Keys: [][]byte{key}, Version: version,
	}}
	for range insistencesMax {
		if _, err := c.send(key, end); err == nil {
			w.Note("client %d: transaction %x: action %d", c.id, t.ID[:8], action)
			return true
		}
		w.Sleep(w.Between(10*time.Millisecond, 500*time.Millisecond))
	}
	return false
}

// settle takes back what is still locked when the clients have ended: prepares that came late, or whose answer was lost.
func (c *client) settle() error {
	w := c.world
	for _, at := range slices.Clone(w.layout.places) {
		for {
			locks, err := strong(&c.router, at.bounds.Lower, true, func(p *partition, done func([]replica.Lock, error)) {
				p.barrier(func(err error) {
					if err != nil {
						done(nil, err)
						return
					}
					locks, err := p.replica.Locks(nil, locksMax)
					done(locks, err)
				})
			})
			if err != nil {
				return err
			}
			if len(locks) == 0 {
				break
			}
			for _, l := range locks {
				t := &command.Transaction{
					ID: command.TransactionID(l.ID), Record: command.Place{Table: l.Table, Suffix: l.Lock.Suffix},
					Actions: []*command.Command{{Key: l.Suffix}},
				}
				if !c.insist(command.Release, t, 0) {
					return errors.New("a lock cannot be taken back")
				}
			}
		}
	}
	return nil
}

// locksMax is how many locks are taken back at a time.
const locksMax = 100
