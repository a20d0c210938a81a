package cluster

import (
	"context"
	"time"

	"stator/internal/cluster/txn"
	"stator/internal/partition/command"
	"stator/sim/history"
	"stator/sim/shapes"
)

// wish is one action before it is planned.
type wish struct {
	shape   shapes.Shape
	command command.Command
}

// wishes draws two to four actions on items of any tables, each item once.
func (c *client) wishes(kinds int) []wish {
	var list []wish
	named := map[string]bool{}
	for range 2 + c.Random.IntN(3) {
		s := tables[c.Random.IntN(len(tables))]
		each := c.items.Action(s, kinds)
		if name := s.Name + string(each.Key); !named[name] {
			named[name] = true
			list = append(list, wish{s, each})
		}
	}
	return list
}

// transact makes one transaction. Its history is that of its actions, each one of its item's.
func (c *client) transact(list []wish, token string) (outcome txn.Outcome, err error) {
	for range plansMax {
		var parts []*history.Operation
		outcome, err = ask(c, func(ctx context.Context, m *machine) (txn.Outcome, error) {
			var actions []*command.Command
			for _, each := range list {
				now, err := planned(m, each.shape, each.command)
				if err != nil {
					return txn.Outcome{}, err
				}
				actions = append(actions, now)
			}
			for _, action := range actions {
				o := c.begin(action.Table, action.Key, action)
				o.Part = true
				parts = append(parts, o)
			}
			return m.steps.Transactions().Write(ctx, txn.Request{Actions: actions, Token: token})
		})
		c.ended(parts, outcome, err)
		if !replan(err) {
			break
		}
		c.Sleep(time.Millisecond)
	}
	return outcome, err
}

// ended notes what became of a transaction's actions. Of a cancelled one only those saw something that were refused for what
// they saw.
func (c *client) ended(parts []*history.Operation, outcome txn.Outcome, err error) {
	for i, o := range parts {
		switch {
		case err != nil && certainlyNot(err):
			c.history.Cancel(o)
			continue
		case err != nil:
			c.history.Open(o)
		case outcome.Refusal == command.Accepted && !outcome.Replayed,
			outcome.Refusal == command.Cancelled && outcome.Results[i].Refusal == command.ConditionFailed:
			o.Result = outcome.Results[i]
			c.history.Finish(o)
		default:
			c.history.Cancel(o)
			continue
		}
		c.Note("client %d in a transaction %s: %v", c.id, o, err)
	}
	if err != nil {
		c.Note("client %d transaction: %v", c.id, err)
		return
	}
	c.Note("client %d transaction: refusal %d", c.id, outcome.Refusal)
	c.result.Transactions++
	if outcome.Refusal == command.Accepted {
		c.result.Committed++
	}
}

// together reads some items as they are at one moment; none if they would not keep still.
func (c *client) together(list []wish) []command.Seen {
	var parts []*history.Operation
	seen, err := ask(c, func(ctx context.Context, m *machine) ([]command.Seen, error) {
		var gets []command.Get
		for _, each := range list {
			now, err := planned(m, each.shape, command.Command{})
			if err != nil {
				return nil, err
			}
			gets = append(gets, command.Get{Table: now.Table, TableVersion: now.TableVersion, Key: each.command.Key, Strong: true})
		}
		for _, g := range gets {
			parts = append(parts, c.begin(g.Table, g.Key, nil))
		}
		seen, moving, err := m.steps.Transactions().Read(ctx, gets)
		if err == nil && moving != nil {
			err = errNotNow
		}
		return seen, err
	})
	for i, o := range parts {
		if err == nil {
			o.Read = seen[i].Item
		}
	}
	if !c.read(err, parts...) {
		return nil
	}
	return seen
}
