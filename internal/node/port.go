package node

import (
	"context"
	"errors"
	"slices"

	"stator/internal/cluster/router"
	"stator/internal/cluster/txn"
	"stator/internal/partition/command"
	"stator/internal/storage/engine"
)

// ErrDiskLow is why writes are refused while the disk is nearly full.
var ErrDiskLow = errors.New("the disk is nearly full: make room, or give Stator another --data directory")

// guardedRouter refuses writes that make the store grow while the disk is nearly full. Deletes and reads go on, those of indexes once these
// show what was written before.
type guardedRouter struct {
	*router.Router
	space *engine.Space
	// met is told of writes that met a lock: nobody else may come to remove it.
	met func(...command.Result)
	// refused is told of writes that were refused, and whose table's.
	refused func(table uint64, refusal command.Refusal)
	// awaitFed waits for an index to show what was written, for a moment.
	awaitFed func(ctx context.Context, table uint64)
}

// Scan is the router's.
func (g *guardedRouter) Scan(ctx context.Context, p command.Plan) (command.Page, error) {
	g.awaitFed(ctx, p.Table)
	return g.Router.Scan(ctx, p)
}

// Write is the router's, unless the disk is nearly full.
func (g *guardedRouter) Write(ctx context.Context, c *command.Command) (command.Result, error) {
	if g.refuses(c) {
		return command.Result{}, ErrDiskLow
	}
	result, err := g.Router.Write(ctx, c)
	if result.Refusal != command.Accepted {
		g.refuse(c, &result)
	}
	return result, err
}

// WriteAll is the router's, unless the disk is nearly full: then it writes all or nothing.
func (g *guardedRouter) WriteAll(ctx context.Context, commands []*command.Command) []router.Reply {
	if slices.ContainsFunc(commands, g.refuses) {
		return slices.Repeat([]router.Reply{{Err: ErrDiskLow}}, len(commands))
	}
	replies := g.Router.WriteAll(ctx, commands)
	for i := range replies {
		if result := &replies[i].Result; result.Refusal != command.Accepted {
			g.refuse(commands[i], result)
		}
	}
	return replies
}

func (g *guardedRouter) refuse(c *command.Command, result *command.Result) {
	g.refused(c.Table, result.Refusal)
	if result.Refusal == command.Locked {
		g.met(*result)
	}
}

func (g *guardedRouter) refuses(c *command.Command) bool {
	return c.Action != command.Delete && g.space.Low()
}

// guardedTransactions refuses transactions that make the store grow while the disk is nearly full.
type guardedTransactions struct {
	*txn.Coordinator
	space *engine.Space
	// refused is told of the items for which a transaction was not performed.
	refused func(table uint64, refusal command.Refusal)
}

// Write is the coordinator's, unless the disk is nearly full. A transaction of deletes and checks goes on: what it keeps
// for a while is less than what it removes.
func (g *guardedTransactions) Write(ctx context.Context, q txn.Request) (txn.Outcome, error) {
	for _, c := range q.Actions {
		if c.Action != command.Delete && c.Action != command.Check && g.space.Low() {
			return txn.Outcome{}, ErrDiskLow
		}
	}
	outcome, err := g.Coordinator.Write(ctx, q)
	for i := range outcome.Results {
		g.refused(q.Actions[i].Table, outcome.Results[i].Refusal)
	}
	return outcome, err
}

// Read is the coordinator's.
func (g *guardedTransactions) Read(ctx context.Context, gets []command.Get) (seen []command.Seen, moving []bool, err error) {
	seen, moving, err = g.Coordinator.Read(ctx, gets)
	for i, moved := range moving {
		if moved {
			g.refused(gets[i].Table, command.Locked)
		}
	}
	return seen, moving, err
}

// Split cuts the partition of a table that holds at, or its largest one in the middle if at is empty.
func (n *Node) Split(ctx context.Context, tableName string, at []byte) (uint64, error) {
	entry, err := n.catalog.Find(ctx, tableName)
	if err != nil {
		return 0, err
	}
	return n.jobs.split.At(ctx, tableName, entry.Table.ID, at)
}
