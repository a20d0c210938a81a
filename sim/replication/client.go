package replication

import (
	"errors"
	"fmt"
	"time"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/sim/history"
	"stator/sim/timeline"
)

// client asks one thing after the other, from the place where a node is: what is cut off from that node is cut off from it.
type client struct {
	world  *world
	id     int
	router router
}

// startClients makes the clients.
func (w *world) startClients() {
	for i := range w.habits.clients {
		w.clients++
		c := w.newClient(i)
		w.Start(fmt.Sprintf("client %d", i), func() {
			defer func() { w.clients-- }()
			for !w.Calm {
				c.bursts()
				w.Sleep(w.Between(0, 2*w.habits.pause))
				w.lull()
			}
		})
	}
}

// lull keeps all clients waiting now and then, until groups have fallen silent.
func (w *world) lull() {
	every := w.habits.lullEvery
	if every > 0 && w.Now%every < lullTime {
		w.Sleep(lullTime - w.Now%every)
	}
}

const lullTime = 4500 * time.Millisecond

func (w *world) newClient(id int) *client {
	home := uint64(1 + id%w.habits.nodes)
	return &client{world: w, id: id, router: router{world: w, home: home, leads: map[uint64]uint64{}}}
}

// bursts makes several operations side by side, so that a pass decides many commands at once.
func (c *client) bursts() {
	w := c.world
	left := 1 + w.Random.IntN(w.habits.burst)
	_, _ = timeline.Await(w.Timeline, func(done func(struct{}, error)) {
		for range left {
			w.Start("burst", func() {
				c.operate()
				if left--; left == 0 {
					done(struct{}{}, nil)
				}
			})
		}
	})
}

// operate makes one operation.
func (c *client) operate() {
	w := c.world
	w.result.Operations++
	switch n := w.Random.IntN(40); {
	case n < 10:
		c.write(w.put())
	case n < 17:
		c.write(w.update())
	case n < 21:
		c.write(w.remove())
	case n < 29:
		c.get(w.command(0, w.key()).Key)
	case n < 32:
		c.glimpse(w.command(0, w.key()).Key)
	case n < 34:
		c.visit(w.put())
	case n < 36:
		c.collection()
	case n < 38:
		c.transact()
	default:
		c.prepared()
	}
}

// write makes one write.
func (c *client) write(wish *command.Command) {
	o := &history.Operation{Item: item(wish.Key), Client: c.id, Write: wish}
	c.world.history.Begin(o)
	result, err := c.send(wish.Key, wish)
	c.wrote(o, result, err)
}

func item(key []byte) history.Item { return history.Item{Table: tableID, Key: string(key)} }

// send brings a command to the leader of the partition of key.
func (c *client) send(key []byte, wish *command.Command) (command.Result, error) {
	return strong(&c.router, key, false, func(p *partition, done func(command.Result, error)) {
		each := *wish
		p.replica.Write(&each, done)
	})
}

// wrote notes what became of a write.
func (c *client) wrote(o *history.Operation, result command.Result, err error) {
	w := c.world
	o.Result = result
	switch {
	case err != nil && certainlyNot(err), err == nil && (result.Refusal == command.Locked || result.Refusal == command.Throttled):
		w.history.Cancel(o)
		w.Note("client %d: nothing: %v", c.id, err)
		return
	case err != nil:
		w.history.Open(o)
		w.result.Unknown++
	default:
		w.history.Finish(o)
		w.result.Acknowledged++
	}
	w.Note("client %d %s", c.id, o)
}

// get reads one item strongly.
func (c *client) get(key []byte) {
	w := c.world
	o := &history.Operation{Item: item(key), Client: c.id}
	w.history.Begin(o)
	get := &command.Get{Table: tableID, TableVersion: w.layout.table.Version, Key: key, Strong: true}
	result, err := strong(&c.router, key, true, func(p *partition, done func(command.GetResult, error)) { p.replica.Read(get, done) })
	if err != nil {
		w.history.Cancel(o)
		w.failedRead(err)
		return
	}
	o.Read = result.Item
	w.history.Finish(o)
	w.Note("client %d %s", c.id, o)
}

// failedRead allows what clients cannot help: nobody answered in time. A fault is none of that.
func (w *world) failedRead(err error) {
	w.Note("read: %v", err)
	if !certainlyNot(err) && !errors.Is(err, errSilent) {
		w.Fail(fmt.Errorf("a read failed: %w", err))
	}
}

// collection reads all items of one collection strongly: those that are not there are read, too.
func (c *client) collection() {
	w := c.world
	hash, _ := w.key().Get(attrHash)
	var operations []*history.Operation
	for i := range ranges {
		key := suffix(attr.NewMap([]attr.Entry{{Name: attrHash, Value: hash}, {Name: attrRange, Value: attr.Int(int64(i))}}))
		o := &history.Operation{Item: item(key), Client: c.id}
		w.history.Begin(o)
		operations = append(operations, o)
	}
	found, err := c.walk([]byte(operations[0].Item.Key), []byte(operations[ranges-1].Item.Key+"\x00"))
	for _, o := range operations {
		if err != nil {
			w.history.Cancel(o)
			continue
		}
		o.Read = found[o.Item.Key]
		w.history.Finish(o)
		w.Note("client %d in a page %s", c.id, o)
	}
	if err != nil {
		w.failedRead(err)
	}
}

// walk reads a range, from one partition to the next.
func (c *client) walk(lower, upper []byte) (map[string]attr.Map, error) {
	w := c.world
	found := map[string]attr.Map{}
	for {
		plan := &command.Plan{
			Table: tableID, TableVersion: w.layout.table.Version, Lower: lower, Upper: upper, Bytes: 1 << 20, Strong: true,
		}
		page, err := strong(&c.router, lower, true, func(p *partition, done func(command.Page, error)) { p.replica.Scan(plan, done) })
		if err != nil {
			return nil, err
		}
		for _, each := range page.Items {
			found[string(suffix(each))] = each
		}
		if page.Reason != command.Edge {
			return found, nil
		}
		lower = page.Next
	}
}
