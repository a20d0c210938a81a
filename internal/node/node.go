// Package node assembles a Stator process: it opens the store, keeps the replicas, owns every goroutine. It does not
// know what an operation means.
package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/base/clock"
	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/jobs/adopt"
	"stator/internal/jobs/backfill"
	"stator/internal/jobs/drop"
	"stator/internal/jobs/propagate"
	"stator/internal/jobs/split"
	"stator/internal/jobs/trim"
	"stator/internal/model/api"
	"stator/internal/ops"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/partition/solo"
	"stator/internal/storage/engine"
)

// Durability says when a write is answered.
type Durability string

// The durabilities.
const (
	// Synced: once it is on disk.
	Synced Durability = "synced"
	// Relaxed: once it is in memory; it is on disk at most relaxedSyncEvery later.
	Relaxed Durability = "relaxed"
)

// Options say what the node keeps and where.
type Options struct {
	Data     string
	InMemory bool
	// Partitions of a new table; 0 is as its billing mode asks.
	Partitions  int
	Durability  Durability
	CacheBytes  int64
	DiskReserve int64
	Region      string
	Account     string
	// Address is what DescribeEndpoints answers with.
	Address string
	Creator string
	Log     *slog.Logger
	Clock   clock.Clock
	Random  io.Reader
	// Fatal is told that the store is broken, and does not return; nil exits the process.
	Fatal func(error)
}

// Node is an open database.
type Node struct {
	options   Options
	engine    *engine.Engine
	committer *solo.Committer
	executors *executors
	host      *host
	catalog   *catalog.Catalog
	router    *router.Router
	ops       *ops.Ops
	jobs      jobs
	feeds     *feeds

	stop    context.CancelFunc
	running sync.WaitGroup
	closed  sync.Once
	failed  error
	// committing, following, controlling, filling ask a goroutine for a step.
	committing, following, controlling, filling signal
}

// jobs are the background works of the node.
type jobs struct {
	adopt     adopt.Job
	drop      drop.Job
	backfill  backfill.Job
	propagate propagate.Job
	split     split.Job
	trim      trim.Job
}

// Open opens the database, recovers what a crash left half done, and starts to serve.
func Open(ctx context.Context, o Options) (*Node, error) {
	o = o.withDefaults()
	e, err := engine.Open(o.engine())
	if err != nil {
		return nil, err
	}
	n := &Node{
		options: o, engine: e,
		committing: newSignal(), following: newSignal(), controlling: newSignal(), filling: newSignal(),
	}
	n.committer = solo.NewCommitter(e, o.Durability == Synced && !o.InMemory, n.committing.raise)
	n.executors = newExecutors()
	n.feeds = newFeeds()
	n.host = &host{node: n}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	n.startCore(running)
	if err := n.assemble(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	n.startJobs(running)
	return n, nil
}

// assemble joins the floors, from the partitions up.
func (n *Node) assemble(ctx context.Context) error {
	if err := n.engine.Space().Check(); err != nil {
		return err
	}
	if err := n.host.open(); err != nil {
		return err
	}
	system, ok := n.host.Replica(machine.CatalogPartition)
	if !ok {
		return fmt.Errorf("the catalog's partition did not start")
	}
	var err error
	n.catalog, err = catalog.Open(ctx, catalog.Options{
		Store: system, Wait: replica.WaitOnChannel, Changed: n.controlling.raise,
	})
	if err != nil {
		return err
	}
	n.router = router.New(router.Options{Map: n.catalog, Host: n.host, Wait: replica.WaitOnChannel, Pause: pause})
	n.jobs = n.newJobs()
	if err := n.jobs.split.Recover(ctx); err != nil {
		return err
	}
	n.ops = ops.New(&guardedRouter{Router: n.router, space: n.engine.Space()}, &livePort{n.catalog, n.host}, ops.Account{
		Region: n.options.Region, Number: n.options.Account, Address: n.options.Address,
		Partitions: n.options.Partitions, Clock: n.options.Clock, Random: n.options.Random, Log: n.options.Log,
	})
	return n.control(ctx)
}

func (n *Node) newJobs() jobs {
	return jobs{
		adopt:     adopt.Job{Catalog: n.catalog, Host: n.host, Wait: replica.WaitOnChannel},
		drop:      drop.Job{Catalog: n.catalog, Host: n.host},
		propagate: propagate.Job{Router: n.router, Wait: replica.WaitOnChannel, NowMillis: n.nowMillis},
		split:     split.Job{Catalog: n.catalog, Host: n.host, Wait: replica.WaitOnChannel},
		trim:      trim.Job{Catalog: n.catalog, Host: n.host, Wait: replica.WaitOnChannel, NowMillis: n.nowMillis},
		backfill: backfill.Job{
			Catalog: n.catalog, Host: n.host, Router: n.router, Wait: replica.WaitOnChannel, NowMillis: n.nowMillis,
			Progress: n.logBackfill,
		},
	}
}

// Calls are the operations this node answers, by their X-Amz-Target.
func (n *Node) Calls() map[string]api.Call {
	calls := map[string]api.Call{}
	for name, call := range n.ops.Calls() {
		calls[targetPrefix+name] = call
	}
	return calls
}

// targetPrefix stands before an operation's name in X-Amz-Target.
const targetPrefix = "DynamoDB_20120810."

// Engine is the node's store, for its metrics.
func (n *Node) Engine() *engine.Engine { return n.engine }

// Close lets what is under way finish, then closes the store. It may be called twice.
func (n *Node) Close() error {
	n.closed.Do(func() {
		n.stop()
		n.executors.close()
		n.running.Wait()
		for n.committer.Step() {
			continue
		}
		n.host.stop()
		n.failed = n.engine.Close()
	})
	return n.failed
}

func (n *Node) nowMillis() int64 { return n.options.Clock.Now().UnixMilli() }

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Durability == "" {
		o.Durability = Synced
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Account == "" {
		o.Account = "000000000000"
	}
	return o
}

func (o Options) engine() engine.Options {
	options := engine.Options{
		Dir: o.Data, CacheBytes: o.CacheBytes, ReserveBytes: o.DiskReserve, Log: o.Log, Random: o.Random,
		Creator: o.Creator, Fatal: o.Fatal,
	}
	if o.InMemory {
		options.FS, options.Dir = vfs.NewMem(), "memory"
	}
	return options
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func executorCount() int { return max(2, runtime.GOMAXPROCS(0)) }
