// Package router finds the partition for each request and brings it there. It does not know what a request means.
package router

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"stator/internal/base/trace"
	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// Bounds of what the router does for one request.
const (
	// deadline ends the tries of a request that finds no partition to take it, on a node that is alone.
	deadline = 10 * time.Second
	// pauseMin and pauseMax are the waits between tries, doubling.
	pauseMin = time.Millisecond
	pauseMax = 100 * time.Millisecond
)

// Map is what the router knows of the database.
type Map interface {
	Partitions(tableID uint64) []catalog.Partition
	// Sequence is the last change of the catalog that the map shows.
	Sequence() uint64
	// Splitting brings the map up to date and tells whether it may still lack the right half of a partition of a table that has been split.
	Splitting(ctx context.Context, tableID uint64) (bool, error)
}

// Host keeps the replicas of this node.
type Host interface {
	Replica(partition uint64) (*replica.Replica, bool)
}

// Options are a router's surroundings. Pause waits between tries.
type Options struct {
	Map   Map
	Host  Host
	Wait  replica.Wait
	Pause func(ctx context.Context, d time.Duration) error
	// FanOut is how many partitions of one scan are read side by side; below 2 it is one after the other.
	FanOut int
	// Cluster is nil on a node that is alone.
	Cluster *Cluster
	// Lost tells of a node that is alone which partitions are out of service: nobody else can answer for one. Nil is none.
	Lost func(partition uint64) bool
}

// Router brings requests to partitions.
type Router struct {
	options Options
	leaders leaders
}

// New returns a router.
func New(o Options) *Router { return &Router{options: o} }

// ErrNoTable is the answer to a request for a table that has no partitions: it is gone.
var ErrNoTable = errors.New("the table has no partitions")

var (
	errNoReplica = errors.New("no replica of the partition is here")
	errOnlyCopy  = errors.New("the only copy is out of service: the log says why")
)

// lost tells that nobody will answer for a partition, however long a request waits.
func (r *Router) lost(partition uint64) bool {
	return r.options.Lost != nil && r.options.Lost(partition)
}

// lookup finds the partition that holds key, as the catalog has it.
func (r *Router) lookup(ctx context.Context, tableID uint64, key []byte) (*catalog.Partition, error) {
	_, span := trace.Begin(ctx, trace.Lookup)
	p, err := r.locate(tableID, key)
	span.End(err)
	return p, err
}

func (r *Router) locate(tableID uint64, key []byte) (*catalog.Partition, error) {
	p := catalog.Holding(r.options.Map.Partitions(tableID), key)
	if p == nil {
		return nil, ErrNoTable
	}
	return p, nil
}

// locateBelow finds the partition that holds the greatest key under upper; an empty upper means the last partition.
func (r *Router) locateBelow(tableID uint64, upper []byte) (*catalog.Partition, error) {
	partitions := r.options.Map.Partitions(tableID)
	if len(partitions) == 0 {
		return nil, ErrNoTable
	}
	i := len(partitions)
	if len(upper) > 0 {
		i = sort.Search(len(partitions), func(i int) bool { return string(partitions[i].Bounds.Lower) >= string(upper) })
	}
	return &partitions[max(i, 1)-1], nil
}

// find aims the n-th try of a request for a key.
func (r *Router) find(ctx context.Context, to command.Place, strong bool, n int) (aim, error) {
	p, err := r.lookup(ctx, to.Table, to.Suffix)
	if err != nil {
		return aim{}, err
	}
	return r.aim(p, strong, n)
}

func noReplica(partition uint64) error {
	return &command.Rejected{Cause: fmt.Errorf("partition %d: %w", partition, errNoReplica)}
}

// again tells whether a request that failed with err certainly did not happen and may be tried again: the partition
// moved, has not yet adopted the version the request was planned with, or has no leader. An older plan is the
// operation's to make anew. The cause of what nobody knows may be something that did not happen: that does not count.
func again(err error, version uint64) bool {
	if err == nil {
		return false
	}
	if _, unknown := errors.AsType[*command.Ambiguous](err); unknown {
		return false
	}
	if _, rejected := errors.AsType[*command.Rejected](err); rejected {
		return true
	}
	if stale, ok := errors.AsType[*command.StaleTable](err); ok {
		return stale.Have < version
	}
	_, moved := errors.AsType[*command.StaleRoute](err)
	_, follows := errors.AsType[*command.NotLeader](err)
	return moved || follows
}

// try calls attempt until it does not ask for another try, within the deadline.
func (r *Router) try(ctx context.Context, version uint64, attempt func(ctx context.Context, n int) error) error {
	ctx, end := r.within(ctx)
	defer end()
	waited, pause := time.Duration(0), pauseMin
	for n := 0; ; n++ {
		err := attempt(ctx, n)
		if !again(err, version) || waited > deadline {
			return err
		}
		if n < hopsMax && hinted(err) {
			continue
		}
		if failed := r.options.Pause(ctx, pause); failed != nil {
			return &command.Rejected{Cause: errors.Join(failed, err)}
		}
		waited += pause
		pause = min(2*pause, pauseMax)
	}
}

// turn is one of the tries of several keys or commands: the n-th, and perhaps the last.
type turn struct {
	n    int
	last bool
}

// insist calls round with some places, again with those that it leaves over, until it leaves none; the turn at the
// deadline is the last. A round that has been told who leads, wherever somebody else does, is known to need no pause.
// When insist is not let wait between two rounds, it tells what is left and why.
func (r *Router) insist(
	ctx context.Context, at []int, round func(ctx context.Context, at []int, t turn) (left []int, known bool),
) ([]int, error) {
	ctx, end := r.within(ctx)
	defer end()
	waited, pause := time.Duration(0), pauseMin
	for n := 0; len(at) > 0; n++ {
		left, known := round(ctx, at, turn{n: n, last: waited > deadline})
		at = left
		if len(at) == 0 || known && n < hopsMax {
			continue
		}
		if err := r.options.Pause(ctx, pause); err != nil {
			return at, err
		}
		waited += pause
		pause = min(2*pause, pauseMax)
	}
	return nil, nil
}
