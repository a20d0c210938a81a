package node

import (
	"context"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/cluster/txn"
	"stator/internal/model/api"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
)

// Steps is a node that runs nothing by itself: each of the works that Open gives to goroutines is made one step at a
// call, in the order that the caller likes. All calls come from one goroutine, or from one after the other.
type Steps struct {
	node *Node
	// shipments are snapshots that wait to be sent.
	shipments []func(context.Context)
}

// Assemble opens the store and nothing more: the options need a Wait and a Pause under which the caller goes on stepping.
// Recover comes next.
func Assemble(o Options) (*Steps, error) {
	n, err := newNode(context.Background(), o)
	if err != nil {
		return nil, err
	}
	return &Steps{node: n}, nil
}

// Recover brings up what the store holds, finishes what a crash left half done, and makes the node serve. It waits for
// steps of Execute, Commit and Settle.
func (s *Steps) Recover(ctx context.Context) error { return s.node.assemble(ctx) }

// Executable is how many replicas have work.
func (s *Steps) Executable() int { return s.node.executors.waiting() }

// Execute has one of them decide: the one at a place below Executable.
func (s *Steps) Execute(place int) { s.node.executors.step(s.node.executors.take(place)) }

// Commit performs the batches that wait for the engine, and tells whether there were any.
func (s *Steps) Commit() bool { return s.node.committer.Step() }

// Settle waits for the sync of the commit under way and answers it. It tells whether there was one.
func (s *Steps) Settle() bool { return s.node.committer.Settle() }

// Turn makes one step of what writes need, and tells whether there was one to make.
func (s *Steps) Turn() bool {
	if s.Executable() > 0 {
		s.Execute(0)
		return true
	}
	return s.Commit() || s.Settle()
}

// Control brings tables to the state the catalog wants.
func (s *Steps) Control(ctx context.Context) error { return s.node.control(ctx) }

// Fill brings older items into new indexes until none moves.
func (s *Steps) Fill(ctx context.Context) error { return s.node.fill(ctx) }

// Follow keeps the catalog current.
func (s *Steps) Follow(ctx context.Context) error { return s.node.follow(ctx) }

// Trim removes old tombstones.
func (s *Steps) Trim(ctx context.Context) error { return s.node.jobs.trim.Step(ctx) }

// SettleTransactions brings transactions to their end whose coordinators died.
func (s *Steps) SettleTransactions(ctx context.Context) error { return s.node.jobs.settle.Step(ctx) }

// Expire deletes what has expired, and completes indexes of expiry, until nothing is left to do now.
func (s *Steps) Expire(ctx context.Context) error { return s.node.expire(ctx) }

// Feed brings the next changes of one partition to its indexes, and tells whether there were any partitions to ask.
func (s *Steps) Feed(ctx context.Context) bool { return s.node.feedNext(ctx) }

// Fed tells whether no partition has changes that indexes have not seen.
func (s *Steps) Fed() bool { return s.node.feeds.empty() }

// Split cuts a partition of a table, or of an index's hidden table, as jobs/split.At does.
func (s *Steps) Split(ctx context.Context, name string, tableID uint64, at []byte) (child uint64, err error) {
	return s.node.jobs.split.At(ctx, name, tableID, at)
}

// Duty is a work that is made when it is asked for, and every so often.
type Duty struct{ duty }

// Duties are all works of the node of that kind, once it has recovered.
func (s *Steps) Duties() []Duty {
	var all []Duty
	for _, d := range s.node.duties() {
		all = append(all, Duty{d})
	}
	return all
}

// Name is what the duty is called.
func (d Duty) Name() string { return d.name }

// Every is how often it is made at least.
func (d Duty) Every() time.Duration { return d.every }

// Asked tells whether it was asked for since it was told so last.
func (d Duty) Asked() bool { return d.asked.taken() }

// Step makes it once.
func (d Duty) Step(ctx context.Context) error { return d.step(ctx) }

// Calls are the operations of the node, once it has recovered.
func (s *Steps) Calls() map[string]api.Call { return s.node.Calls() }

// Catalog knows which tables and partitions there are.
func (s *Steps) Catalog() *catalog.Catalog { return s.node.catalog }

// Router brings requests to partitions.
func (s *Steps) Router() *router.Router { return s.node.router }

// Transactions carries transactions through.
func (s *Steps) Transactions() *txn.Coordinator { return s.node.transactions }

// Engine is the node's store.
func (s *Steps) Engine() *engine.Engine { return s.node.engine }

// Replica finds the replica of a partition.
func (s *Steps) Replica(partition uint64) (*replica.Replica, bool) {
	return s.node.host.Replica(partition)
}

// Led finds the replica of a partition if it leads, which one that is here alone does.
func (s *Steps) Led(partition uint64) (*replica.Replica, bool) { return s.node.host.Led(partition) }

// Partitions lists the partitions that are here.
func (s *Steps) Partitions() []uint64 { return s.node.host.partitions() }

// Abandon closes the store as it is, with whatever is under way.
func (s *Steps) Abandon() error { return s.node.engine.Close() }
