package router

import (
	"context"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
)

// Shards lists the shards of a table's stream. A partition that another was split off has the lower id, and a later
// generation the higher one, so that parents come before children.
func (r *Router) Shards(ctx context.Context, tableID uint64, stream int64) (command.ShardList, error) {
	partitions := r.options.Map.Partitions(tableID)
	if len(partitions) == 0 {
		return command.ShardList{}, ErrNoTable
	}
	here, err := gather(ctx, r, partitions, func(ctx context.Context, at aim) ([]command.Shard, error) {
		return at.ShardsOf(ctx, command.ShardPlace{Table: tableID, Stream: stream})
	})
	if err != nil {
		return command.ShardList{}, err
	}
	list := command.ShardList{Complete: true}
	for _, shards := range here {
		list.Complete = list.Complete && len(shards) > 0
		list.Shards = append(list.Shards, shards...)
	}
	slices.SortFunc(list.Shards, func(a, b command.Shard) int { return a.Name.Compare(b.Name) })
	return list, nil
}

// gather asks the leaders of partitions the same, side by side where they are elsewhere. A node that is alone passes over
// a partition that it does not have: it is about to be born, or gone.
func gather[T any](
	ctx context.Context, r *Router, partitions []catalog.Partition, ask func(ctx context.Context, at aim) (T, error),
) ([]T, error) {
	answers, failures := make([]T, len(partitions)), make([]error, len(partitions))
	far := func(i int) bool { _, ok := r.here(&partitions[i], true); return !ok }
	r.sideBySide(len(partitions), far, func(i int) {
		if r.options.Cluster == nil && far(i) {
			return
		}
		answers[i], failures[i] = askLeader(ctx, r, &partitions[i], ask)
	})
	for _, err := range failures {
		if err != nil {
			return answers, err
		}
	}
	return answers, nil
}

// askLeader asks a partition's leader something that may be asked twice.
func askLeader[T any](
	ctx context.Context, r *Router, p *catalog.Partition, ask func(ctx context.Context, at aim) (T, error),
) (T, error) {
	return askCopy(ctx, r, wanted{partition: p, strong: true}, ask)
}

// wanted is a copy of a partition: the one that leads, or any.
type wanted struct {
	partition *catalog.Partition
	strong    bool
}

// askCopy asks a copy something that may be asked twice.
func askCopy[T any](
	ctx context.Context, r *Router, of wanted, ask func(ctx context.Context, at aim) (T, error),
) (answer T, err error) {
	err = r.try(ctx, 0, func(ctx context.Context, n int) error {
		at, err := r.aim(of.partition, of.strong, n)
		if err != nil {
			return err
		}
		ctx, end := r.once(ctx, at, of.strong)
		defer end()
		answer, err = ask(ctx, at)
		r.learn(at, of.strong, err)
		return err
	})
	return answer, err
}

// partition finds a partition of a table by its id.
func (r *Router) partition(tableID, id uint64) (*catalog.Partition, bool) {
	partitions := r.options.Map.Partitions(tableID)
	for i := range partitions {
		if partitions[i].ID == id {
			return &partitions[i], true
		}
	}
	return nil, false
}

// Shard finds one shard.
func (r *Router) Shard(ctx context.Context, at command.ShardPlace) (shard command.Shard, ok bool, err error) {
	p, ok := r.keeper(at)
	if !ok {
		return shard, false, nil
	}
	shards, err := askLeader(ctx, r, p, func(ctx context.Context, to aim) ([]command.Shard, error) { return to.ShardsOf(ctx, at) })
	for _, shard := range shards {
		if shard.Name == at.Name {
			return shard, true, err
		}
	}
	return command.Shard{}, false, err
}

// keeper finds the partition that keeps a shard. On a node that is alone a partition that is not here is gone.
func (r *Router) keeper(at command.ShardPlace) (*catalog.Partition, bool) {
	p, ok := r.partition(at.Table, at.Name.Partition)
	if ok && r.options.Cluster == nil {
		_, ok = r.options.Host.Replica(p.ID)
	}
	return p, ok
}

// Changes reads a shard. Only what is durable is shown. A shard that is not listed any more was trimmed as a whole.
func (r *Router) Changes(ctx context.Context, plan command.LogPlan) (command.LogPage, error) {
	p, ok := r.keeper(plan.ShardPlace)
	if !ok {
		return command.LogPage{Trimmed: true}, nil
	}
	return askLeader(ctx, r, p, func(ctx context.Context, to aim) (command.LogPage, error) { return to.ShardLog(ctx, plan) })
}

// ChangeSince is the first change of a shard that was made at a moment or later, the one after its last if there is none.
func (r *Router) ChangeSince(ctx context.Context, at command.ShardPlace, millis int64) (uint64, error) {
	p, ok := r.keeper(at)
	if !ok {
		return 0, ErrNoTable
	}
	sequence, err := askLeader(ctx, r, p, func(ctx context.Context, to aim) (uint64, error) {
		return to.ShardSince(ctx, at, command.VersionAt(millis))
	})
	if err == nil && sequence == 0 {
		return 0, ErrNoTable
	}
	return sequence, err
}
