// Package txn carries transactions through: it has every partition prepare its part, decides once, and sees to it that all
// of them follow. It does not know what an item means, nor what becomes of a transaction whose coordinator died.
package txn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"stator/internal/cluster/router"
	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// Router brings what a transaction asks to the partitions that hold its items.
type Router interface {
	Spread(ctx context.Context, s router.Spread) []router.Share
	Together(ctx context.Context, gets []command.Get) (seen []command.Seen, whole bool, err error)
}

// Options are a coordinator's surroundings.
type Options struct {
	Router    Router
	NowMillis func() int64
	// Random gives transactions their ids.
	Random io.Reader
	// Pause waits between the rounds of a read.
	Pause func(ctx context.Context, d time.Duration) error
	// Met is told of a lock that is older than any transaction may be: somebody ought to settle it. nil is nobody.
	Met func()
	// Failpoint is called before each step of a transaction by the step's name, which are then made one after the other.
	// With an error the coordinator dies there, and leaves everything as it is. nil is no failpoint.
	Failpoint func(step string) error
}

// Coordinator carries transactions through. It holds no state that a transaction depends on.
type Coordinator struct {
	options Options
	tokens  tokens
}

// New returns a coordinator.
func New(o Options) *Coordinator { return &Coordinator{options: o} }

// Request is a transaction that writes: its actions, each a Put, Update, Delete or Check planned for its table, no two of
// one item.
type Request struct {
	Actions []*command.Command
	// Token names the request; a second one with the same token and hash of parameters is answered and not performed.
	Token string
	Hash  [16]byte
}

// Outcome is what became of a request.
type Outcome struct {
	// Refusal is Accepted, Cancelled, Mismatched, Running, or Aborted: somebody took the coordinator for dead.
	Refusal command.Refusal
	// Replayed tells that an earlier request with this token was performed, and not this one.
	Replayed bool
	// Results answer the actions one by one; none when replayed.
	Results []command.Result
	// Version is the version of everything the transaction wrote.
	Version uint64
}

// transaction is a request under way.
type transaction struct {
	*Coordinator
	Request
	id     command.TransactionID
	record command.Place
	keys   []router.Key
	// earlier is another attempt at the request, which is still under way.
	earlier command.Result
}

func (c *Coordinator) newTransaction(q Request) (*transaction, error) {
	t := &transaction{Coordinator: c, Request: q, keys: make([]router.Key, len(q.Actions))}
	if _, err := io.ReadFull(c.options.Random, t.id[:]); err != nil {
		return nil, fmt.Errorf("giving a transaction its id: %w", err)
	}
	for i, action := range q.Actions {
		t.keys[i] = router.Key{Table: action.Table, TableVersion: action.TableVersion, Suffix: action.Key}
	}
	// A token and an id are components of different types, so that neither is ever taken for the other.
	name := attr.String(q.Token)
	if q.Token == "" {
		name = attr.Binary(t.id[:])
	}
	first := q.Actions[0]
	t.record = command.Place{Table: first.Table, Suffix: keys.AppendComponent(append([]byte(nil), first.Key...), name)}
	return t, nil
}

// errDied is the end of a coordinator at a failpoint.
var errDied = errors.New("the transaction's coordinator died")

// pass is called before a step.
func (c *Coordinator) pass(step string) error {
	if c.options.Failpoint == nil {
		return nil
	}
	if err := c.options.Failpoint(step); err != nil {
		return fmt.Errorf("%w: %w", errDied, err)
	}
	return nil
}

// MetBy looks at what refused writes met: a lock that is older than any transaction may be is somebody's to settle.
func (c *Coordinator) MetBy(results ...command.Result) {
	if c.options.Met == nil {
		return
	}
	for i := range results {
		if held := results[i].Held; held != nil && c.options.NowMillis()-held.SinceMillis > machine.PendingMillisMax {
			c.options.Met()
			return
		}
	}
}
