// Package node assembles a Stator process: it opens the store, keeps the replicas, owns every goroutine. It does not
// know what an operation means.
package node

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"stator/internal/base/metric"
	"stator/internal/cluster/budget"
	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/cluster/txn"
	"stator/internal/jobs/adopt"
	"stator/internal/jobs/backfill"
	"stator/internal/jobs/drop"
	"stator/internal/jobs/expire"
	"stator/internal/jobs/propagate"
	"stator/internal/jobs/scale"
	"stator/internal/jobs/settle"
	"stator/internal/jobs/split"
	"stator/internal/jobs/trim"
	"stator/internal/jobs/warm"
	"stator/internal/model/api"
	"stator/internal/model/table"
	"stator/internal/ops"
	"stator/internal/partition/machine"
	"stator/internal/partition/solo"
	"stator/internal/storage/engine"
)

// Node is an open database.
type Node struct {
	options   Options
	engine    *engine.Engine
	committer *solo.Committer
	began     time.Time
	budget    *budget.Budget // nil where nobody counts what is consumed
	meter     meter
	requests  *metric.Tables
	totals    totals
	// countedSince is when the requests began to be counted, in epoch milliseconds.
	countedSince int64
	insights     *insights
	executors    *executors
	host         *host
	catalog      *catalog.Catalog
	router       *router.Router
	transactions *txn.Coordinator
	ops          *ops.Ops
	jobs         jobs
	feeds        *feeds
	expiries     *expire.Schedule
	// expired are the items that went because their time to live ended, online the units that the filling of indexes consumed.
	expired sums[int]
	online  sums[float64]
	settled settled
	damaged damages
	// cluster is nil on a node that is alone.
	cluster *cluster

	// core is what every write needs, work what goes on behind requests.
	core, work *crew
	closed     sync.Once
	failed     error
	// Each signal asks a goroutine for a step.
	committing, following, controlling, filling, unlocking signal
}

// jobs are the background works of the node.
type jobs struct {
	adopt     adopt.Job
	drop      drop.Job
	expire    expire.Job
	backfill  backfill.Job
	propagate propagate.Job
	scale     scale.Job
	settle    settle.Job
	split     split.Job
	trim      trim.Job
	warm      warm.Job
}

// Open opens the database, recovers what a crash left half done, and starts to serve.
func Open(ctx context.Context, o Options) (*Node, error) {
	n, err := newNode(ctx, o)
	if err != nil {
		return nil, err
	}
	if n.cluster != nil {
		if err := n.cluster.listen(); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	n.startCore()
	if err := n.assemble(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	n.startJobs()
	return n, nil
}

// newNode opens the store. Nothing runs yet.
func newNode(ctx context.Context, o Options) (_ *Node, err error) {
	o = o.withDefaults()
	e, place, err := openStore(ctx, &o)
	if err != nil {
		return nil, err
	}
	made := false
	defer func() { // also where whoever steps the node ends it while it asks others whether it may start
		if !made {
			err = errors.Join(err, e.Close())
		}
	}()
	known, err := o.Membership.enrol(ctx, e, place, &o)
	if err != nil {
		return nil, err
	}
	n := &Node{
		options: o, engine: e, began: time.Now(), executors: newExecutors(), feeds: newFeeds(), expiries: expire.NewSchedule(),
		requests: newRequests(), core: newCrew(ctx), work: newCrew(ctx),
		committing: newSignal(), following: newSignal(), controlling: newSignal(), filling: newSignal(),
		unlocking: newSignal(),
	}
	n.countedSince = n.nowMillis()
	n.committer = solo.NewCommitter(e, o.synced(), n.brought)
	n.host = newHost(n)
	if o.Membership != nil {
		if n.cluster, err = newCluster(n, known); err != nil {
			return nil, err
		}
	}
	n.insights = newInsights(n)
	n.budget = n.newBudget()
	made = true
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
	if err := n.openMap(ctx); err != nil {
		return err
	}
	n.transactions = txn.New(txn.Options{
		Router: n.router, NowMillis: n.nowMillis, Random: n.options.Random, Pause: n.options.Pause, Failpoint: n.options.Failpoint,
		Met: n.unlocking.raise,
	})
	n.jobs = n.newJobs()
	if n.cluster != nil {
		n.cluster.equip(&n.jobs)
	} else if err := n.jobs.split.Recover(ctx); err != nil {
		if n.damaged.count() == 0 {
			return err
		}
		n.options.Log.Warn("a split that was left half done waits for the next start", "error", err)
	}
	space := n.engine.Space()
	transactions := &guardedTransactions{Coordinator: n.transactions, space: space, refused: n.refused}
	guarded := &guardedRouter{Router: n.router, space: space, met: n.transactions.MetBy, refused: n.refused, awaitFed: n.awaitFed}
	n.ops = ops.New(guarded, transactions, newLivePort(n), ops.Account{
		Region: n.options.Region, Number: n.options.Account, Address: n.options.Address, Addresses: n.Living(),
		Partitions: n.options.Partitions, Admission: n.admission(), Quotas: n.options.Capacity == CapacityEnforce, Requests: n.requests, Clock: n.options.Clock, Random: n.options.Random, Log: n.options.Log,
	})
	if n.cluster != nil {
		return n.cluster.enter(ctx)
	}
	return n.control(ctx)
}

// openMap brings up the catalog, and the router that finds partitions by it.
func (n *Node) openMap(ctx context.Context) (err error) {
	options := router.Options{Host: n.host, Wait: n.options.Wait, Pause: n.options.Pause, FanOut: n.options.fanOut}
	if n.cluster != nil {
		return n.cluster.openMap(ctx, options)
	}
	options.Lost = n.damaged.has
	system, ok := n.host.Replica(machine.CatalogPartition)
	if !ok {
		return fmt.Errorf("the catalog's partition did not start")
	}
	if n.catalog, err = catalog.Open(ctx, catalog.Options{Store: system, Wait: n.options.Wait, Changed: n.controlling.raise}); err != nil {
		return err
	}
	options.Map = n.catalog
	n.router = router.New(options)
	return nil
}

// first tells whether an empty store of this node begins a database. One that knows of others has joined them, or has given
// them all it had: it never begins anew.
func (n *Node) first() bool {
	return n.engine.Ident().Node == firstNode && (n.cluster == nil || len(n.cluster.roster.Nodes) == 0)
}

func (n *Node) newJobs() jobs {
	wait := n.options.Wait
	return jobs{
		adopt:     adopt.Job{Catalog: n.catalog, Host: n.host, Wait: wait},
		drop:      drop.Job{Catalog: n.catalog, Host: n.host, Settled: &n.jobs.settle, Wait: wait},
		propagate: propagate.Job{Router: n.router, Wait: wait, NowMillis: n.nowMillis},
		scale:     scale.Job{Catalog: n.catalog, Meter: counted{node: n}, Tables: provisioner{n}, Now: n.options.Clock.Now},
		settle:    settle.Job{Catalog: n.catalog, Host: n.host, Transactions: n.transactions, Wait: wait, NowMillis: n.nowMillis, Settled: n.settled.add},
		split: split.Job{
			Catalog: n.catalog, Host: n.host, Wait: wait, BytesMax: n.options.SplitBytes, NowMillis: n.nowMillis,
			Warm: n.budget != nil && n.options.Partitions == 0,
		},
		trim: trim.Job{Catalog: n.catalog, Host: n.host, Wait: wait, NowMillis: n.nowMillis},
		warm: warm.Job{Catalog: n.catalog, Consumed: n.Consumption, NowMillis: n.nowMillis},
		expire: expire.Job{
			Host: n.host, Schedule: n.expiries, Wait: wait, NowMillis: n.nowMillis, Deleted: n.expired.add,
		},
		backfill: backfill.Job{
			Catalog: n.catalog, Host: n.host, Router: n.router, Wait: wait, NowMillis: n.nowMillis,
			Progress: n.logBackfill, Consumed: n.online.add,
		},
	}
}

// Calls are the operations this node answers, by their X-Amz-Target.
func (n *Node) Calls() map[string]api.Call {
	calls := map[string]api.Call{}
	for name, call := range n.ops.Calls() {
		calls[targetPrefix+name] = call
	}
	for name, call := range n.ops.StreamCalls() {
		calls[streamsTargetPrefix+name] = call
	}
	for name, call := range n.ops.ScalingCalls() {
		calls[scalingTargetPrefix+name] = call
	}
	return calls
}

// What stands before an operation's name in X-Amz-Target.
const (
	targetPrefix        = "DynamoDB_20120810."
	streamsTargetPrefix = "DynamoDBStreams_20120810."
	scalingTargetPrefix = "AnyScaleFrontendService."
)

// Table finds a table in any state by its name.
func (n *Node) Table(name string) (*table.Table, bool) { return n.catalog.Table(name) }

// Engine is the node's store, for its metrics.
func (n *Node) Engine() *engine.Engine { return n.engine }

// Close lets what is under way finish, then closes the store. It may be called twice.
func (n *Node) Close() error {
	n.closed.Do(func() {
		if n.cluster != nil {
			n.cluster.leave()
		}
		n.work.stop() // while its writes still find the core
		n.executors.close()
		n.core.stop()
		n.committer.Close()
		n.host.stop()
		if n.cluster != nil {
			n.cluster.end()
		}
		n.failed = errors.Join(n.closeMeter(), n.engine.Close())
	})
	return n.failed
}

func (n *Node) nowMillis() int64 { return n.options.Clock.Now().UnixMilli() }

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

// scanFanOut is how many partitions of one scan are read side by side.
const scanFanOut = 4
