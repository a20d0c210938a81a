package router

import (
	"context"
	"errors"
	"slices"

	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// Shards lists the shards of a table's stream. A partition that another was split off has the lower id, and a later
// generation the higher one, so that parents come before children.
func (r *Router) Shards(_ context.Context, tableID uint64, stream int64) (command.ShardList, error) {
	partitions := r.options.Map.Partitions(tableID)
	if len(partitions) == 0 {
		return command.ShardList{}, ErrNoTable
	}
	list := command.ShardList{Complete: true}
	for _, p := range partitions {
		var here []command.Shard
		if found, ok := r.options.Host.Replica(p.ID); ok {
			state := found.State()
			here = state.ShardsOf(stream)
		}
		list.Complete = list.Complete && len(here) > 0
		list.Shards = append(list.Shards, here...)
	}
	slices.SortFunc(list.Shards, func(a, b command.Shard) int { return a.Name.Compare(b.Name) })
	return list, nil
}

// Shard finds one shard.
func (r *Router) Shard(_ context.Context, at command.ShardPlace) (shard command.Shard, ok bool, err error) {
	_, shard, ok = r.shard(at)
	return shard, ok, nil
}

func (r *Router) shard(at command.ShardPlace) (*replica.Replica, command.Shard, bool) {
	found, ok := r.options.Host.Replica(at.Name.Partition)
	if !ok {
		return nil, command.Shard{}, false
	}
	state := found.State()
	if state.Descriptor.Table != at.Table {
		return nil, command.Shard{}, false
	}
	for _, shard := range state.ShardsOf(at.Stream) {
		if shard.Name == at.Name {
			return found, shard, true
		}
	}
	return nil, command.Shard{}, false
}

// Changes reads a shard. Only what is durable is shown. A shard that is not listed any more was trimmed as a whole.
func (r *Router) Changes(_ context.Context, p command.LogPlan) (command.LogPage, error) {
	found, shard, ok := r.shard(p.ShardPlace)
	if !ok || p.First < shard.First {
		return command.LogPage{Shard: shard, Trimmed: true}, nil
	}
	changes, err := found.ChangesUpTo(shard.Last, p.First-1, p.Limit, p.Bytes)
	if trimmed(err) {
		return command.LogPage{Shard: shard, Trimmed: true}, nil
	}
	return command.LogPage{Changes: changes, Shard: shard}, err
}

// ChangeSince is the first change of a shard that was made at a moment or later, the one after its last if there is none.
func (r *Router) ChangeSince(ctx context.Context, at command.ShardPlace, millis int64) (uint64, error) {
	for {
		found, shard, ok := r.shard(at)
		if !ok {
			return 0, ErrNoTable
		}
		sequence, err := found.ChangeSince(shard.First, shard.Last, command.VersionAt(millis))
		if !trimmed(err) || ctx.Err() != nil {
			return sequence, err
		}
	}
}

func trimmed(err error) bool {
	var gone *replica.Trimmed
	return errors.As(err, &gone)
}
