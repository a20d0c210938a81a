package replica

import (
	"context"
	"errors"

	"stator/internal/partition/command"
)

// What follows reads the change log as streams do, for callers that may block. Only the copy that leads answers, once that is
// confirmed: one that lags might take a shard that it does not know yet for one that is gone.

// ShardsOf lists the shards that a stream has here; the place's name is not asked for.
func (r *Replica) ShardsOf(ctx context.Context, wait Wait, of command.ShardPlace) ([]command.Shard, error) {
	if err := r.Confirm(ctx, wait); err != nil {
		return nil, err
	}
	state := r.State()
	if state.Descriptor.Table != of.Table {
		return nil, nil
	}
	return state.ShardsOf(of.Stream), nil
}

func (r *Replica) shard(ctx context.Context, wait Wait, at command.ShardPlace) (command.Shard, bool, error) {
	shards, err := r.ShardsOf(ctx, wait, at)
	for _, shard := range shards {
		if shard.Name == at.Name {
			return shard, true, err
		}
	}
	return command.Shard{}, false, err
}

// ShardLog reads a shard. Only what is durable is shown. A shard that is not listed any more was trimmed as a whole.
func (r *Replica) ShardLog(ctx context.Context, wait Wait, p command.LogPlan) (command.LogPage, error) {
	shard, ok, err := r.shard(ctx, wait, p.ShardPlace)
	if err != nil {
		return command.LogPage{}, err
	}
	if !ok || p.First < shard.First {
		return command.LogPage{Shard: shard, Trimmed: true}, nil
	}
	changes, err := r.ChangesUpTo(shard.Last, p.First-1, p.Limit, p.Bytes)
	if trimmed(err) {
		return command.LogPage{Shard: shard, Trimmed: true}, nil
	}
	return command.LogPage{Changes: changes, Shard: shard}, err
}

// ShardSince is the first change of a shard whose version is at least version, the one after its last if there is none;
// 0 if the shard is not here.
func (r *Replica) ShardSince(ctx context.Context, wait Wait, at command.ShardPlace, version uint64) (uint64, error) {
	for {
		shard, ok, err := r.shard(ctx, wait, at)
		if err != nil || !ok {
			return 0, err
		}
		sequence, err := r.ChangeSince(shard.First, shard.Last, version)
		if !trimmed(err) || ctx.Err() != nil {
			return sequence, err
		}
	}
}

func trimmed(err error) bool {
	var gone *command.Trimmed
	return errors.As(err, &gone)
}
