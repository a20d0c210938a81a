package router

import (
	"context"
	"fmt"

	"stator/internal/cluster/budget"
	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// Target is one copy of a partition as requests need it: here, or on another node. It answers for itself and never sends
// on: a copy that does not lead refuses what only the leader may answer, and says where that is.
type Target interface {
	Items
	ChangeLog
	// ReportAndWait says what the partition is and holds; only the leader does.
	ReportAndWait(ctx context.Context, wait replica.Wait) (command.Report, error)
}

// Items are a partition's items. A write that was sent and not answered is *command.Ambiguous; whatever else did not come
// to an answer is *command.Rejected: a read may always be made again.
type Items interface {
	WriteAndWait(ctx context.Context, wait replica.Wait, c *command.Command) (command.Result, error)
	ReadAndWait(ctx context.Context, wait replica.Wait, g *command.Get) (command.GetResult, error)
	ReadTogetherAndWait(ctx context.Context, wait replica.Wait, g *command.MultiGet) ([]command.Seen, error)
	ScanAndWait(ctx context.Context, wait replica.Wait, p *command.Plan) (command.Page, error)
}

// ChangeLog is a partition's change log, as streams show it and as it is.
type ChangeLog interface {
	ShardsOf(ctx context.Context, wait replica.Wait, of command.ShardPlace) ([]command.Shard, error)
	ShardLog(ctx context.Context, wait replica.Wait, p command.LogPlan) (command.LogPage, error)
	ShardSince(ctx context.Context, wait replica.Wait, at command.ShardPlace, version uint64) (uint64, error)
	ChangesAndWait(ctx context.Context, wait replica.Wait, p command.ChangesPlan) (command.LogPage, error)
}

// Remote is a copy on another node. Of a copy here, orders are the node's to perform.
type Remote interface {
	Target
	Order(ctx context.Context, o command.Order) (uint64, error)
	Tokens(ctx context.Context, q budget.Question) (budget.Answers, error)
}

var _ Target = (*replica.Replica)(nil)

// aim is the copy that a request is brought to.
type aim struct {
	Target
	partition uint64
	// node is where the copy is, 0 for here.
	node uint64
}

// aim chooses the copy for the n-th try of a request: for a strong one the leader, as far as anybody here knows; for an
// eventual one a copy here, else the nearest, and at each further try the next.
func (r *Router) aim(p *catalog.Partition, strong bool, n int) (aim, error) {
	if n > 0 && r.lost(p.ID) {
		return aim{}, fmt.Errorf("partition %d: %w", p.ID, errOnlyCopy)
	}
	if found, ok := r.here(p, strong); ok {
		return aim{Target: found, partition: p.ID}, nil
	}
	if r.options.Cluster == nil {
		return aim{}, noReplica(p.ID)
	}
	if strong {
		return r.leader(p, n)
	}
	return r.nearest(p, n)
}

// here finds the copy on this node, if it may answer.
func (r *Router) here(p *catalog.Partition, strong bool) (*replica.Replica, bool) {
	found, ok := r.options.Host.Replica(p.ID)
	c := r.options.Cluster
	if !ok || c == nil {
		return found, ok
	}
	if strong {
		leads, _ := found.Leads()
		return found, leads
	}
	return found, c.Current(p.ID)
}
