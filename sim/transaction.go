package sim

import (
	"context"
	"time"

	"stator/internal/cluster/txn"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/sim/history"
	"stator/sim/shapes"
)

// wish is one action of a transaction before it is planned.
type wish struct {
	shape   shapes.Shape
	command command.Command
}

// wishes draws the actions of a transaction: two to four items of any tables, each once.
func (w *world) wishes(kinds int) []wish {
	var list []wish
	named := map[string]bool{}
	for range 2 + w.run.random.IntN(3) {
		s := shapes.All[w.run.random.IntN(len(shapes.All))]
		c := w.run.draw.Action(s, kinds)
		if name := s.Name + string(c.Key); !named[name] {
			named[name] = true
			list = append(list, wish{shape: s, command: c})
		}
	}
	return list
}

// transact makes one transaction as an operation does. Its history is that of its actions, each one of its item's.
func (w *world) transact(ctx context.Context, client int, list []wish, token string) (txn.Outcome, error) {
	for range plansMax {
		actions, parts := w.planned(client, list)
		if actions == nil {
			break
		}
		outcome, err := w.node.Transactions().Write(ctx, txn.Request{Actions: actions, Token: token})
		w.ended(client, parts, outcome, err)
		if !replan(err) {
			return outcome, err
		}
		_ = w.pause(ctx, time.Millisecond)
	}
	return txn.Outcome{}, errNotNow
}

// planned makes commands of wishes for the tables as the catalog has them, and notes that they begin; none if a table does
// not serve.
func (w *world) planned(client int, list []wish) ([]*command.Command, []*history.Operation) {
	var actions []*command.Command
	for _, each := range list {
		t, ok := w.node.Catalog().Table(each.shape.Name)
		if !ok || !t.Serves() || each.command.Action == command.Put && table.CheckIndexKeys(t, each.command.Item) != "" {
			return nil, nil
		}
		c := each.command
		c.Table, c.TableVersion = t.ID, t.Version
		actions = append(actions, &c)
	}
	var parts []*history.Operation
	for _, c := range actions {
		o := &history.Operation{Item: history.Item{Table: c.Table, Key: string(c.Key)}, Client: client, Write: c, Part: true}
		w.run.history.Begin(o)
		parts = append(parts, o)
	}
	return actions, parts
}

// ended notes what became of a transaction's actions. Of a cancelled one only those saw something that were refused for what
// they saw.
func (w *world) ended(client int, parts []*history.Operation, outcome txn.Outcome, err error) {
	for i, o := range parts {
		switch {
		case err != nil && certainlyNot(err):
			w.run.history.Cancel(o)
			continue
		case err != nil:
			w.run.history.Open(o)
		case outcome.Refusal == command.Accepted && !outcome.Replayed:
			o.Result = outcome.Results[i]
			w.run.history.Finish(o)
		case outcome.Refusal == command.Cancelled && outcome.Results[i].Refusal == command.ConditionFailed:
			o.Result = outcome.Results[i]
			w.run.history.Finish(o)
		default:
			w.run.history.Cancel(o)
			continue
		}
		w.run.note("client %d in a transaction %s", client, o)
	}
	if err == nil {
		w.run.note("client %d transaction: refusal %d", client, outcome.Refusal)
		w.run.result.Transactions++
		if outcome.Refusal == command.Accepted {
			w.run.result.Committed++
		}
	}
}

// together reads some items as they are at one moment; none if they would not keep still, or a table is going.
func (w *world) together(ctx context.Context, client int, list []wish) []command.Seen {
	for range plansMax {
		var gets []command.Get
		var parts []*history.Operation
		for _, each := range list {
			t, ok := w.node.Catalog().Table(each.shape.Name)
			if !ok || !t.Serves() {
				return nil
			}
			gets = append(gets, command.Get{Table: t.ID, TableVersion: t.Version, Key: each.command.Key, Strong: true})
		}
		for _, g := range gets {
			o := &history.Operation{Item: history.Item{Table: g.Table, Key: string(g.Key)}, Client: client}
			w.run.history.Begin(o)
			parts = append(parts, o)
		}
		seen, moving, err := w.node.Transactions().Read(ctx, gets)
		for i, o := range parts {
			if err != nil || moving != nil {
				w.run.history.Cancel(o)
				continue
			}
			o.Read = seen[i].Item
			w.run.note("client %d together %s", client, o)
			w.run.history.Finish(o)
		}
		switch {
		case err == nil:
			return seen
		case !replan(err):
			w.run.failedRead(err)
			return nil
		}
		_ = w.pause(ctx, time.Millisecond)
	}
	return nil
}
