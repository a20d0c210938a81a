package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stator/internal/cluster/router"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node"
	"stator/internal/partition/command"
	"stator/sim/history"
	"stator/sim/shapes"
	"stator/sim/timeline"
)

// plansMax bounds how often an operation is planned anew for a table that changes.
const plansMax = 50

var (
	// errNobody is the end of a request that no node took, errNotNow of one for a table in no state for it.
	errNobody = errors.New("no node serves")
	errNotNow = errors.New("not now")
)

// client asks one thing after the other, each of any node.
type client struct {
	*world
	id int
}

// ask has any node do something for a client. A node that stops meanwhile takes its answer with it.
func ask[T any](c *client, do func(ctx context.Context, m *machine) (T, error)) (T, error) {
	return timeline.Await(c.Timeline, func(done func(T, error)) {
		var none T
		m := c.serving()
		if m == nil {
			done(none, &command.Rejected{Cause: errNobody})
			return
		}
		lost := &farewell{tell: func() { done(none, &command.Ambiguous{Cause: errStopped}) }}
		m.gone = append(m.gone, lost)
		m.run("a request", func() {
			value, err := do(context.Background(), m)
			if !m.Over() {
				m.forget(lost)
				done(value, err)
			}
		})
	})
}

// startClients makes the clients.
func (w *world) startClients() {
	for i := range w.habits.clients {
		w.clients++
		c := &client{w, i}
		w.Start(fmt.Sprintf("client %d", i), func() {
			defer func() { w.clients-- }()
			for !w.Calm {
				c.bursts()
				w.Sleep(w.Between(0, 2*w.habits.pause))
			}
		})
	}
}

// bursts makes several operations side by side, so that a pass decides many commands at once.
func (c *client) bursts() {
	left := 1 + c.Random.IntN(c.habits.burst)
	_, _ = timeline.Await(c.Timeline, func(done func(struct{}, error)) {
		for range left {
			c.Start(fmt.Sprintf("burst of client %d", c.id), func() {
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
	c.result.Operations++
	s := tables[c.Random.IntN(len(tables))]
	switch n := c.Random.IntN(40); {
	case n < 7:
		_, _ = c.write(s, c.items.Put(s))
	case n < 13:
		_, _ = c.write(s, c.items.Update(s))
	case n < 16:
		_, _ = c.write(s, c.items.Remove(s))
	case n < 22:
		c.get(s, s.Suffix(c.items.Key(s)))
	case n < 26:
		c.glimpse(s)
	case n < 29:
		c.collection(s)
	case n < 33:
		c.batch()
	case n < 38:
		_, _ = c.transact(c.wishes(5), "")
	default:
		c.together(c.wishes(1))
	}
}

// planned is a command for its table as a node knows that now.
func planned(m *machine, s shapes.Shape, c command.Command) (*command.Command, error) {
	t, ok := m.steps.Catalog().Table(s.Name)
	if !ok || !t.Serves() || c.Action == command.Put && table.CheckIndexKeys(t, c.Item) != "" {
		return nil, errNotNow
	}
	c.Table, c.TableVersion = t.ID, t.Version
	return &c, nil
}

// replan tells whether an operation is to be planned anew.
func replan(err error) bool {
	var stale *command.StaleTable
	return errors.As(err, &stale)
}

// certainlyNot tells whether an operation that failed had no effect.
func certainlyNot(err error) bool {
	return command.Certain(err) || errors.Is(err, router.ErrNoTable) || errors.Is(err, errNotNow)
}

// begin notes that an item is written or, with no write, read.
func (c *client) begin(t uint64, key []byte, write *command.Command) *history.Operation {
	o := &history.Operation{Item: history.Item{Table: t, Key: string(key)}, Client: c.id, Write: write}
	c.history.Begin(o)
	return o
}

// write makes one write.
func (c *client) write(s shapes.Shape, wish command.Command) (result command.Result, err error) {
	for range plansMax {
		var o *history.Operation
		result, err = ask(c, func(ctx context.Context, m *machine) (command.Result, error) {
			now, err := planned(m, s, wish)
			if err != nil {
				return command.Result{}, err
			}
			o = c.begin(now.Table, now.Key, now)
			return m.steps.Router().Write(ctx, now)
		})
		if o != nil {
			c.wrote(o, result, err)
		}
		if !replan(err) {
			break
		}
		c.Sleep(time.Millisecond)
	}
	return result, err
}

// wrote notes what became of a write.
func (c *client) wrote(o *history.Operation, result command.Result, err error) {
	o.Result = result
	switch {
	case err != nil && certainlyNot(err), err == nil && (result.Refusal == command.Locked || result.Refusal == command.Throttled):
		c.history.Cancel(o)
		c.Note("client %d: nothing: refusal %d, %v", c.id, result.Refusal, err)
		return
	case err != nil:
		c.history.Open(o)
		c.result.Unknown++
	default:
		c.history.Finish(o)
	}
	c.Note("client %d %s: %v", c.id, o, err)
}

// get reads one item strongly.
func (c *client) get(s shapes.Shape, key []byte) bool {
	var o *history.Operation
	item, err := ask(c, func(ctx context.Context, m *machine) (attr.Map, error) {
		now, err := planned(m, s, command.Command{})
		if err != nil {
			return nil, err
		}
		o = c.begin(now.Table, key, nil)
		result, err := m.steps.Router().Read(ctx, command.Get{Table: now.Table, TableVersion: now.TableVersion, Key: key, Strong: true})
		return result.Item, err
	})
	if o == nil {
		return false
	}
	o.Read = item
	return c.read(err, o)
}

// read notes what some reads saw that were made together.
func (c *client) read(err error, operations ...*history.Operation) bool {
	for _, o := range operations {
		if err != nil {
			c.history.Cancel(o)
			continue
		}
		c.history.Finish(o)
		c.Note("client %d %s", c.id, o)
	}
	if err != nil {
		c.failedRead(err)
	}
	return err == nil
}

// failedRead allows what clients cannot help: nobody answered in time. A fault is none of that.
func (w *world) failedRead(err error) {
	w.Note("read: %v", err)
	if !certainlyNot(err) && !errors.Is(err, errStopped) && !errors.Is(err, context.DeadlineExceeded) {
		w.Fail(fmt.Errorf("a read failed: %w", err))
	}
}

// glimpse is an eventual read: whatever copy gave it, the item was once so.
type glimpse struct {
	item history.Item
	read attr.Map
}

// glimpse reads one item eventually.
func (c *client) glimpse(s shapes.Shape) {
	key := s.Suffix(c.items.Key(s))
	seen, err := ask(c, func(ctx context.Context, m *machine) (glimpse, error) {
		now, err := planned(m, s, command.Command{})
		if err != nil {
			return glimpse{}, err
		}
		result, err := m.steps.Router().Read(ctx, command.Get{Table: now.Table, TableVersion: now.TableVersion, Key: key})
		return glimpse{history.Item{Table: now.Table, Key: string(key)}, result.Item}, err
	})
	if err != nil {
		c.failedRead(err)
		return
	}
	c.glimpses = append(c.glimpses, seen)
	c.Note("client %d glimpses %s", c.id, history.Shown(seen.read))
}

// collection reads all items of one collection strongly: those that are not there are read, too.
func (c *client) collection(s shapes.Shape) {
	var operations []*history.Operation
	hash := c.Random.IntN(c.items.Keys)
	found, err := ask(c, func(ctx context.Context, m *machine) (map[string]attr.Map, error) {
		now, err := planned(m, s, command.Command{})
		if err != nil {
			return nil, err
		}
		for rng := range c.items.Keys {
			if rng == 0 || s.Ranged {
				operations = append(operations, c.begin(now.Table, s.Suffix(s.Key(hash, rng)), nil))
			}
		}
		return walk(ctx, m.steps, s, command.Plan{
			Table: now.Table, TableVersion: now.TableVersion, Bytes: 1 << 20, Strong: true, Limit: c.Random.IntN(3),
			Lower: []byte(operations[0].Item.Key), Upper: append([]byte(operations[len(operations)-1].Item.Key), 0),
		})
	})
	for _, o := range operations {
		o.Read = found[o.Item.Key]
	}
	c.read(err, operations...)
}

// walk reads a plan page by page.
func walk(ctx context.Context, n *node.Steps, s shapes.Shape, plan command.Plan) (map[string]attr.Map, error) {
	found := map[string]attr.Map{}
	for {
		page, err := n.Router().Scan(ctx, plan)
		if err != nil {
			return nil, err
		}
		for _, each := range page.Items {
			found[string(s.Suffix(each))] = each
		}
		if page.Reason == command.Done {
			return found, nil
		}
		plan.Lower = append(append([]byte(nil), page.Next...), 0)
	}
}

// batch writes some items of any tables, each on its own.
func (c *client) batch() {
	wishes := c.wishes(4)
	var operations []*history.Operation
	replies, err := ask(c, func(ctx context.Context, m *machine) ([]router.Reply, error) {
		var commands []*command.Command
		for _, each := range wishes {
			now, err := planned(m, each.shape, each.command)
			if err != nil {
				return nil, err
			}
			commands = append(commands, now)
		}
		for _, now := range commands {
			operations = append(operations, c.begin(now.Table, now.Key, now))
		}
		return m.steps.Router().WriteAll(ctx, commands), nil
	})
	for i, o := range operations {
		reply := router.Reply{Err: err}
		if err == nil {
			reply = replies[i]
		}
		c.wrote(o, reply.Result, reply.Err)
	}
}
