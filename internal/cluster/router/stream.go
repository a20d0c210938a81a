package router

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
)

// Shards lists the shards of a table's stream that still keep changes, parents before children: a partition that another was split off has
// the lower id, and a later generation the higher one. With a shard that a split has ended it lists both that go on: a reader that is
// through with it reads those that it finds, and may look for no other.
func (r *Router) Shards(ctx context.Context, tableID uint64, stream int64) (command.ShardList, error) {
	var lone []command.ShardName
	for {
		list, err := r.shards(ctx, tableID, stream)
		if err != nil {
			return list, err
		}
		before := lone
		// A right half that no split under way will bring keeps no change any more.
		if lone = leftHalves(list.Shards); !slices.ContainsFunc(lone, func(left command.ShardName) bool { return !slices.Contains(before, left) }) {
			return list, nil
		}
		if err := r.entered(ctx, tableID); err != nil {
			return list, fmt.Errorf("asking for what was split off: %w", err)
		}
	}
}

// leftHalves are the shards that go on in their own partition without another one in what was split off.
func leftHalves(shards []command.Shard) []command.ShardName {
	var lone []command.ShardName
	for _, left := range shards {
		if left.Parent.Partition == left.Name.Partition && !slices.ContainsFunc(shards, func(right command.Shard) bool {
			return right.Parent == left.Parent && right.Name.Partition != left.Name.Partition
		}) {
			lone = append(lone, left.Name)
		}
	}
	return lone
}

// entered waits for the map to show both halves of all partitions of a table that were split before the call.
func (r *Router) entered(ctx context.Context, tableID uint64) error {
	return r.try(ctx, 0, func(ctx context.Context, _ int) error {
		splitting, err := r.options.Map.Splitting(ctx, tableID)
		if splitting {
			return &command.Rejected{Cause: errSplitting}
		}
		return err
	})
}

var errSplitting = errors.New("a partition is being split, and what is split off is not known yet")

func (r *Router) shards(ctx context.Context, tableID uint64, stream int64) (command.ShardList, error) {
	partitions := r.options.Map.Partitions(tableID)
	if len(partitions) == 0 {
		return command.ShardList{}, ErrNoTable
	}
	here, err := gather(ctx, r, partitions, func(ctx context.Context, at aim) ([]command.Shard, error) {
		return at.ShardsOf(ctx, r.options.Wait, command.ShardPlace{Table: tableID, Stream: stream})
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
// a partition that it does not have: it is about to be born, or gone, unless it is lost.
func gather[T any](
	ctx context.Context, r *Router, partitions []catalog.Partition, ask func(ctx context.Context, at aim) (T, error),
) ([]T, error) {
	answers, failures := make([]T, len(partitions)), make([]error, len(partitions))
	far := func(i int) bool { _, ok := r.here(&partitions[i], true); return !ok }
	r.sideBySide(len(partitions), far, func(i int) {
		if r.options.Cluster == nil && far(i) && !r.lost(partitions[i].ID) {
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
	shards, err := askLeader(ctx, r, p, func(ctx context.Context, to aim) ([]command.Shard, error) {
		return to.ShardsOf(ctx, r.options.Wait, at)
	})
	for _, shard := range shards {
		if shard.Name == at.Name {
			return shard, true, err
		}
	}
	return command.Shard{}, false, err
}

// keeper finds the partition that keeps a shard. On a node that is alone a partition that is not here is gone, unless it is lost.
func (r *Router) keeper(at command.ShardPlace) (*catalog.Partition, bool) {
	p, ok := r.partition(at.Table, at.Name.Partition)
	if ok && r.options.Cluster == nil {
		_, ok = r.options.Host.Replica(p.ID)
		ok = ok || r.lost(p.ID)
	}
	return p, ok
}

// Changes reads a shard. Only what is durable is shown. A shard that is not listed any more was trimmed as a whole.
func (r *Router) Changes(ctx context.Context, plan command.LogPlan) (command.LogPage, error) {
	p, ok := r.keeper(plan.ShardPlace)
	if !ok {
		return command.LogPage{Trimmed: true}, nil
	}
	return askLeader(ctx, r, p, func(ctx context.Context, to aim) (command.LogPage, error) {
		return to.ShardLog(ctx, r.options.Wait, plan)
	})
}

// ChangeSince is the first change of a shard that was made at a moment or later, the one after its last if there is none.
func (r *Router) ChangeSince(ctx context.Context, at command.ShardPlace, millis int64) (uint64, error) {
	p, ok := r.keeper(at)
	if !ok {
		return 0, ErrNoTable
	}
	sequence, err := askLeader(ctx, r, p, func(ctx context.Context, to aim) (uint64, error) {
		return to.ShardSince(ctx, r.options.Wait, at, command.VersionAt(millis))
	})
	if err == nil && sequence == 0 {
		return 0, ErrNoTable
	}
	return sequence, err
}
