package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stator/internal/cluster/router"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
	"stator/sim/history"
	"stator/sim/shapes"
)

// plansMax bounds how often an operation is planned anew for a table that changes.
const plansMax = 50

// startClients makes the clients, each with one operation, or one burst of them, after the other.
func (w *world) startClients() {
	if w.run.options.Bank != nil {
		w.startTellers()
		return
	}
	for i := range w.run.habits.clients {
		w.clients++
		w.start(fmt.Sprintf("client %d", i), func(ctx context.Context) {
			defer func() { w.clients-- }()
			for w.run.left > 0 {
				w.burst(ctx, i)
				if w.run.random.IntN(2) == 0 {
					_ = w.pause(ctx, time.Duration(w.run.random.Int64N(w.run.habits.pauseMillis*1000))*time.Microsecond)
				}
			}
		})
	}
}

// burst makes several operations side by side, so that a pass decides many commands at once.
func (w *world) burst(ctx context.Context, client int) {
	n := min(w.run.left, 1+w.run.random.IntN(w.run.habits.burst))
	if n == 1 {
		w.operate(ctx, client)
		return
	}
	left := n
	done := make(chan struct{})
	for range n {
		w.start(fmt.Sprintf("burst of client %d", client), func(ctx context.Context) {
			w.operate(ctx, client)
			if left--; left == 0 {
				close(done)
			}
		})
	}
	_ = w.wait(ctx, done)
}

// operate makes one operation.
func (w *world) operate(ctx context.Context, client int) {
	r := w.run
	s := shapes.All[r.random.IntN(len(shapes.All))]
	t, ok := w.node.Catalog().Table(s.Name)
	if !ok || !t.Serves() {
		_ = w.pause(ctx, time.Millisecond)
		return
	}
	if r.left == 0 {
		return
	}
	r.left--
	r.result.Operations++
	switch n := r.random.IntN(26); {
	case n < 6:
		_, _ = w.write(ctx, client, s, w.run.draw.Put(s)) // the history has it
	case n < 11:
		_, _ = w.write(ctx, client, s, w.run.draw.Update(s))
	case n < 13:
		_, _ = w.write(ctx, client, s, w.run.draw.Remove(s))
	case n < 17:
		w.get(ctx, client, s)
	case n < 20:
		w.query(ctx, client, s)
	case n < 24:
		_, _ = w.transact(ctx, client, w.wishes(5), "")
	default:
		w.together(ctx, client, w.wishes(1))
	}
}

// write makes one write as an operation does: planned with the table as the catalog has it, and again when a partition
// knows a newer one.
func (w *world) write(ctx context.Context, client int, s shapes.Shape, c command.Command) (command.Result, error) {
	for range plansMax {
		t, ok := w.node.Catalog().Table(s.Name)
		if !ok || !t.Serves() || c.Action == command.Put && table.CheckIndexKeys(t, c.Item) != "" {
			return command.Result{}, errNotNow
		}
		planned := c
		planned.Table, planned.TableVersion = t.ID, t.Version
		o := &history.Operation{Item: history.Item{Table: t.ID, Key: string(c.Key)}, Client: client, Write: &planned}
		w.run.history.Begin(o)
		result, err := w.node.Router().Write(ctx, &planned)
		o.Result = result
		switch {
		case err == nil && result.Refusal == command.Locked:
			w.run.history.Cancel(o) // it saw nothing of the item
			return result, nil
		case err == nil:
			w.run.note("client %d %s", client, o)
			w.run.history.Finish(o)
			return result, nil
		case certainlyNot(err):
			w.run.history.Cancel(o)
		default:
			w.run.note("client %d %s: %v", client, o, err)
			w.run.history.Open(o)
			return result, err
		}
		if replan(err) {
			_ = w.pause(ctx, time.Millisecond)
			continue
		}
		w.run.note("client %d: %v", client, err)
		return result, err
	}
	return command.Result{}, errNotNow
}

func replan(err error) bool {
	var stale *command.StaleTable
	return errors.As(err, &stale) || errors.Is(err, router.ErrNoTable)
}

// certainlyNot tells whether an operation that failed had no effect.
func certainlyNot(err error) bool { return command.Certain(err) || errors.Is(err, router.ErrNoTable) }

func (w *world) get(ctx context.Context, client int, s shapes.Shape) {
	key := s.Suffix(w.run.draw.Key(s))
	strong, contended := w.run.random.IntN(2) == 0, w.run.random.IntN(2) == 0
	for range plansMax {
		t, ok := w.node.Catalog().Table(s.Name)
		if !ok || !t.Serves() {
			return
		}
		if written, ok := w.run.history.Written(t.ID); ok && contended {
			key = []byte(written)
		}
		o := &history.Operation{Item: history.Item{Table: t.ID, Key: string(key)}, Client: client}
		w.run.history.Begin(o)
		var err error
		if w.run.options.Undurable {
			o.Read, err = w.undurable(t.ID, key)
		} else {
			var result command.GetResult
			result, err = w.node.Router().Read(ctx, command.Get{Table: t.ID, TableVersion: t.Version, Key: key, Strong: strong})
			o.Read = result.Item
		}
		if err == nil {
			w.run.note("client %d %s", client, o)
			w.run.history.Finish(o)
			if w.unsettled && w.run.random.IntN(10) == 0 {
				w.crash() // what was read and is not durable would be gone
			}
			return
		}
		w.run.history.Cancel(o)
		if !replan(err) {
			w.run.failedRead(err)
			return
		}
		_ = w.pause(ctx, time.Millisecond)
	}
}

// undurable is a read that skips the in-flight set.
func (w *world) undurable(tableID uint64, key []byte) (attr.Map, error) {
	value, found, err := w.node.Engine().Get(keys.Data(tableID, key))
	if err != nil || !found {
		return nil, err
	}
	item, err := record.ParseItem(value)
	return item.Attributes, err
}

// failedRead allows the errors of a table that is going; any other would be a fault.
func (r *run) failedRead(err error) {
	r.note("read: %v", err)
	if !certainlyNot(err) && !r.world.over() {
		r.fail(fmt.Errorf("a read failed: %w", err))
	}
}
