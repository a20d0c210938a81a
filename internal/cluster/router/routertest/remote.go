package routertest

import (
	"context"
	"errors"

	"stator/internal/cluster/router"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

var errUnreachable = errors.New("the node cannot be reached")

// remote is a copy on another node, asked without bytes.
type remote struct {
	cluster         *Cluster
	node, partition uint64
}

var _ router.Remote = (*remote)(nil)

// copy finds the copy, unless the node cannot be reached, or the copy does not lead as a strong request asks.
func (r *remote) copy(strong bool) (*replica.Replica, error) {
	r.cluster.mu.Lock()
	r.cluster.calls++
	down := r.cluster.down[r.node]
	r.cluster.mu.Unlock()
	if down {
		return nil, &command.Rejected{Cause: errUnreachable}
	}
	found, ok := r.cluster.Node(r.node).Replica(r.partition)
	if !ok {
		return nil, &command.NotLeader{}
	}
	if leads, hint := found.Leads(); strong && !leads {
		return nil, &command.NotLeader{Hint: hint}
	}
	return found, nil
}

// muted waits for the answer that does not come.
func (r *remote) muted(ctx context.Context) bool {
	r.cluster.mu.Lock()
	mute := r.cluster.mute[r.node]
	r.cluster.mu.Unlock()
	if mute {
		<-ctx.Done()
	}
	return mute
}

// WriteAndWait is the copy's.
func (r *remote) WriteAndWait(ctx context.Context, wait replica.Wait, c *command.Command) (command.Result, error) {
	found, err := r.copy(true)
	if err != nil {
		return command.Result{}, err
	}
	result, err := found.WriteAndWait(context.WithoutCancel(ctx), wait, c)
	if r.muted(ctx) {
		return command.Result{}, &command.Ambiguous{Cause: errUnreachable}
	}
	return result, err
}

// read asks the copy for what may be asked twice.
func read[T any](ctx context.Context, r *remote, strong bool, ask func(*replica.Replica) (T, error)) (none T, err error) {
	found, err := r.copy(strong)
	if err != nil {
		return none, err
	}
	if r.muted(ctx) {
		return none, &command.Rejected{Cause: errUnreachable}
	}
	return ask(found)
}

// ReadAndWait is the copy's.
func (r *remote) ReadAndWait(ctx context.Context, wait replica.Wait, g *command.Get) (command.GetResult, error) {
	return read(ctx, r, g.Strong, func(c *replica.Replica) (command.GetResult, error) { return c.ReadAndWait(ctx, wait, g) })
}

// ReadTogetherAndWait is the copy's.
func (r *remote) ReadTogetherAndWait(ctx context.Context, wait replica.Wait, g *command.MultiGet) ([]command.Seen, error) {
	return read(ctx, r, true, func(c *replica.Replica) ([]command.Seen, error) { return c.ReadTogetherAndWait(ctx, wait, g) })
}

// ScanAndWait is the copy's.
func (r *remote) ScanAndWait(ctx context.Context, wait replica.Wait, p *command.Plan) (command.Page, error) {
	return read(ctx, r, p.Strong, func(c *replica.Replica) (command.Page, error) { return c.ScanAndWait(ctx, wait, p) })
}

// ShardsOf is the copy's.
func (r *remote) ShardsOf(ctx context.Context, of command.ShardPlace) ([]command.Shard, error) {
	return read(ctx, r, true, func(c *replica.Replica) ([]command.Shard, error) { return c.ShardsOf(ctx, of) })
}

// ShardLog is the copy's.
func (r *remote) ShardLog(ctx context.Context, p command.LogPlan) (command.LogPage, error) {
	return read(ctx, r, true, func(c *replica.Replica) (command.LogPage, error) { return c.ShardLog(ctx, p) })
}

// ShardSince is the copy's.
func (r *remote) ShardSince(ctx context.Context, at command.ShardPlace, version uint64) (uint64, error) {
	return read(ctx, r, true, func(c *replica.Replica) (uint64, error) { return c.ShardSince(ctx, at, version) })
}

// ChangesAndWait is the copy's.
func (r *remote) ChangesAndWait(ctx context.Context, wait replica.Wait, p command.ChangesPlan) (command.LogPage, error) {
	return read(ctx, r, p.Strong, func(c *replica.Replica) (command.LogPage, error) { return c.ChangesAndWait(ctx, wait, p) })
}

// ReportAndWait is the copy's.
func (r *remote) ReportAndWait(ctx context.Context, wait replica.Wait) (command.Report, error) {
	return read(ctx, r, true, func(c *replica.Replica) (command.Report, error) { return c.ReportAndWait(ctx, wait) })
}

// Order is the copy's node's.
func (r *remote) Order(ctx context.Context, o command.Order) (uint64, error) {
	if _, err := r.copy(true); err != nil {
		return 0, err
	}
	return r.cluster.Node(r.node).order(ctx, r.partition, o)
}
