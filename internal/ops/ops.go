// Package ops is the meaning of every DynamoDB operation: a decoded request becomes commands and plans, their results and pages become
// an answer or DynamoDB's own error. It does not know how a request arrived, nor on which partition or node an item lives.
package ops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"stator/internal/cluster/router"
	"stator/internal/cluster/txn"
	"stator/internal/model/api"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// Router brings commands and plans to the partitions that hold their keys. A table description that a partition has already left behind
// is answered with *command.StaleTable, a table that is gone with router.ErrNoTable; every other error is a fault.
type Router interface {
	Write(ctx context.Context, c *command.Command) (command.Result, error)
	// WriteAll writes commands side by side, each on its own.
	WriteAll(ctx context.Context, commands []*command.Command) []router.Reply
	Read(ctx context.Context, g command.Get) (command.GetResult, error)
	// Scan walks the plan's range over as many partitions as its limit and budget allow: its pages never end at an Edge.
	Scan(ctx context.Context, p command.Plan) (command.Page, error)
	StreamReader
}

// StreamReader reads change logs as streams. A table that is gone is router.ErrNoTable; every other error is a fault.
type StreamReader interface {
	// Shards lists the shards of a table's stream.
	Shards(ctx context.Context, tableID uint64, stream int64) (command.ShardList, error)
	// Shard finds one of them.
	Shard(ctx context.Context, at command.ShardPlace) (shard command.Shard, ok bool, err error)
	// Changes reads a shard.
	Changes(ctx context.Context, p command.LogPlan) (command.LogPage, error)
	// ChangeSince is the first change of a shard that was made at a moment or later, the one after its last if there is none.
	ChangeSince(ctx context.Context, at command.ShardPlace, millis int64) (uint64, error)
}

// Transactions carries transactions through. Its errors are those of Router.
type Transactions interface {
	Write(ctx context.Context, q txn.Request) (txn.Outcome, error)
	// Read reads items as they were together, or tells which of them did not keep still.
	Read(ctx context.Context, gets []command.Get) (seen []command.Seen, moving []bool, err error)
}

// Ops answers operations. It holds no state of its own besides what bounds its work.
type Ops struct {
	router       Router
	transactions Transactions
	catalog      Catalog
	account      Account
	fan          *fanOut
}

// New joins the operations to the partitions below them.
func New(partitions Router, transactions Transactions, catalog Catalog, account Account) *Ops {
	return &Ops{
		router: partitions, transactions: transactions, catalog: catalog, account: account, fan: newFanOut(fanOutWorkersMax),
	}
}

// Calls is the table of built operations by name. An operation that is not in it answers as one DynamoDB does not know.
func (o *Ops) Calls() map[string]api.Call {
	calls := map[string]api.Call{
		"PutItem":            counted(o, "PutItem", o.PutItem),
		"GetItem":            counted(o, "GetItem", o.GetItem),
		"UpdateItem":         counted(o, "UpdateItem", o.UpdateItem),
		"DeleteItem":         counted(o, "DeleteItem", o.DeleteItem),
		"Query":              counted(o, "Query", o.Query),
		"Scan":               counted(o, "Scan", o.Scan),
		"BatchGetItem":       counted(o, "BatchGetItem", o.BatchGetItem),
		"BatchWriteItem":     counted(o, "BatchWriteItem", o.BatchWriteItem),
		"TransactGetItems":   counted(o, "TransactGetItems", o.TransactGetItems),
		"TransactWriteItems": counted(o, "TransactWriteItems", o.TransactWriteItems),

		"ExecuteStatement":      counted(o, "ExecuteStatement", o.ExecuteStatement),
		"BatchExecuteStatement": counted(o, "BatchExecuteStatement", o.BatchExecuteStatement),
		"ExecuteTransaction":    counted(o, "ExecuteTransaction", o.ExecuteTransaction),
	}
	for name, call := range o.tableCalls() {
		calls[name] = call
	}
	return calls
}

// Built lists the names of the built operations of DynamoDB, BuiltStreams those of DynamoDB Streams.
func Built() []string { return slices.Sorted(maps.Keys(new(Ops).Calls())) }

// BuiltStreams is Built for DynamoDB Streams.
func BuiltStreams() []string { return slices.Sorted(maps.Keys(new(Ops).StreamCalls())) }

const noTable = "Requested resource not found"

// confirmed is what answer says of the tables as this node knows them. Whatever it refuses rests on that: before a refusal is said, the
// catalog asks whether another node has changed something a moment ago, and answer is called once more. What nobody can confirm is a fault
// and not a refusal.
func confirmed[T any](ctx context.Context, o *Ops, answer func() (T, error)) (T, error) {
	said, err := answer()
	refused, ok := errors.AsType[*api.Error](err)
	if !ok {
		return said, err
	}
	if failed := o.catalog.Sync(ctx); failed != nil {
		return said, fmt.Errorf("asking whether another node knows better than %q: %w", refused.Message, failed)
	}
	return answer()
}

// planFor plans a request for the table that it names.
func planFor[T any](ctx context.Context, o *Ops, name string, plan func(t *table.Table) (T, error)) (T, error) {
	return confirmed(ctx, o, func() (planned T, err error) {
		t, err := o.serving(name)
		if err != nil {
			return planned, err
		}
		return plan(t)
	})
}

// findTable refuses a table that is not there, whatever else a request would be refused for.
func (o *Ops) findTable(ctx context.Context, name string) error {
	_, err := planFor(ctx, o, name, func(*table.Table) (struct{}, error) { return struct{}{}, nil })
	return err
}

// serving finds the table that a request names, by name or ARN, as this node knows it. One that is being created or deleted is not there
// yet, or not any more (semantics §17.1).
func (o *Ops) serving(name string) (*table.Table, error) {
	t, ok := o.catalog.Table(o.tableName(name))
	if !ok || !t.Serves() {
		return nil, api.NewResourceNotFoundException(noTable)
	}
	return t, nil
}

// find finds a table in any state, as it is since the call, whichever node changed it. Where the catalog cannot ask, what it knows has to
// do.
func (o *Ops) find(ctx context.Context, name string) (*table.Table, bool, error) {
	failed := o.catalog.Sync(ctx)
	t, ok := o.catalog.Table(name)
	if !ok && failed != nil {
		return nil, false, fmt.Errorf("looking for table %s: %w", name, failed)
	}
	return t, ok, nil
}

// current is find for a table that has to be there.
func (o *Ops) current(ctx context.Context, name string) (*table.Table, error) {
	return o.present(ctx, name, o.tableMissing)
}

// present is current where a missing table has an exception of its own.
func (o *Ops) present(ctx context.Context, name string, missing func(name string) error) (*table.Table, error) {
	t, ok, err := o.find(ctx, name)
	if err == nil && !ok {
		err = missing(name)
	}
	return t, err
}

// plansMax is how often a request is planned before a table that keeps changing under it becomes a fault.
const plansMax = 3

// replan reports whether the request has to be planned anew: the partition has adopted a newer description of the table than the plan was
// made with, or the table is gone, which planning then finds. The catalog learns of it first, if another node was before it.
func (o *Ops) replan(ctx context.Context, err error, plans int) bool {
	if err == nil || plans >= plansMax {
		return false
	}
	_, stale := errors.AsType[*command.StaleTable](err)
	if !stale && !errors.Is(err, router.ErrNoTable) {
		return false
	}
	return o.catalog.Sync(ctx) == nil
}

// value is what p points to, or the zero value for an absent member.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
