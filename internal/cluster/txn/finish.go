package txn

import (
	"context"
	"errors"

	"stator/internal/cluster/router"
	"stator/internal/partition/command"
)

// Finish brings a transaction that is decided to its end at the items named: they are applied with its version, or
// released if that is 0. Items that it has not locked stay as they are.
func (c *Coordinator) Finish(ctx context.Context, id command.TransactionID, version uint64, items []command.Place) error {
	action, spread := command.Apply, router.Spread{Keys: make([]router.Key, len(items)), Serial: c.options.Failpoint != nil}
	if version == 0 {
		action = command.Release
	}
	for i, item := range items {
		spread.Keys[i] = router.Key{Table: item.Table, Suffix: item.Suffix}
	}
	spread.Make = func(at []int) (*command.Command, error) {
		part := &command.Transaction{ID: id, Version: version}
		for _, i := range at {
			part.Keys = append(part.Keys, items[i].Suffix)
		}
		return &command.Command{Action: action, Table: items[at[0]].Table, Transaction: part}, nil
	}
	return lasting(c.options.Router.Spread(ctx, spread))
}

// Settle finds out what became of a transaction, and ends it if nobody brings it forward any more. Of a table that is gone
// nothing was kept: a transaction whose record was there is settled before its table goes.
func (c *Coordinator) Settle(ctx context.Context, id command.TransactionID, at command.Place) (command.Result, error) {
	return c.settle(ctx, &command.Transaction{ID: id, Record: at})
}

func (c *Coordinator) settle(ctx context.Context, t *command.Transaction) (command.Result, error) {
	shares := c.options.Router.Spread(ctx, router.Spread{
		Keys: []router.Key{{Table: t.Record.Table, Suffix: t.Record.Suffix}},
		Make: func([]int) (*command.Command, error) {
			return &command.Command{Action: command.Settle, Table: t.Record.Table, Transaction: t}, nil
		},
	})
	if errors.Is(shares[0].Err, router.ErrNoTable) {
		return command.Result{Refusal: command.Aborted}, nil
	}
	return shares[0].Result, shares[0].Err
}

// lasting is the first error of a phase that has to come to its end: whatever was not reached stays locked until it is
// settled. An item whose table is gone needs nothing any more. The transaction is decided by then, so that it must not be
// taken for one that did not happen.
func lasting(shares []router.Share) error {
	for i := range shares {
		err := shares[i].Err
		switch {
		case err == nil, errors.Is(err, router.ErrNoTable):
		case errors.Is(err, errDied):
			return err
		default:
			return &command.Ambiguous{Cause: err}
		}
	}
	return nil
}
