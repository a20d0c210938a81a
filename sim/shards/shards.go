// Package shards is the stream of a table, read to its end and held against the items that it leads to. It does not know where
// it is read.
package shards

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/storage/record"
	"stator/sim/history"
)

// Router reads shards, wherever they are.
type Router interface {
	Shards(ctx context.Context, tableID uint64, stream int64) (command.ShardList, error)
	Changes(ctx context.Context, plan command.LogPlan) (command.LogPage, error)
}

// Log is all shards of a stream with their changes.
type Log struct {
	Shards  []command.Shard
	changes map[command.ShardName][]record.Change
}

// pageChanges is how many changes are read at a time: so few that a shard has several pages.
const pageChanges = 40

// Read reads a stream of which nothing was trimmed.
func Read(ctx context.Context, r Router, tableID uint64, stream int64) (*Log, error) {
	list, err := r.Shards(ctx, tableID, stream)
	if err == nil && !list.Complete {
		err = errors.New("a partition knows no shard of it")
	}
	if err != nil {
		return nil, fmt.Errorf("listing shards: %w", err)
	}
	l := &Log{Shards: list.Shards, changes: map[command.ShardName][]record.Change{}}
	for _, shard := range l.Shards {
		plan := command.LogPlan{
			ShardPlace: command.ShardPlace{Table: tableID, Stream: stream, Name: shard.Name}, First: shard.First, Limit: pageChanges, Bytes: 1 << 20,
		}
		for plan.First <= shard.Last {
			page, err := r.Changes(ctx, plan)
			if err != nil {
				return nil, fmt.Errorf("reading shard %v: %w", shard.Name, err)
			}
			if page.Trimmed || len(page.Changes) == 0 {
				return nil, fmt.Errorf("shard %v has no change %d, and ends with %d", shard.Name, plan.First, shard.Last)
			}
			for _, change := range page.Changes {
				if change.Sequence != plan.First {
					return nil, fmt.Errorf("shard %v has change %d at the place of %d", shard.Name, change.Sequence, plan.First)
				}
				plan.First++
			}
			l.changes[shard.Name] = append(l.changes[shard.Name], page.Changes...)
		}
	}
	return l, nil
}

// Changes counts them.
func (l *Log) Changes() (n int) {
	for _, changes := range l.changes {
		n += len(changes)
	}
	return n
}

// Count counts the changes that left an item as it is in after.
func (l *Log) Count(key string, after attr.Map) (n int) {
	for _, changes := range l.changes {
		for i := range changes {
			if string(changes[i].Suffix) == key && string(changes[i].After) == string(after) {
				n++
			}
		}
	}
	return n
}

// CheckAcknowledged finds every acknowledged write to a table in its stream, and once.
func (l *Log) CheckAcknowledged(table uint64, done []*history.Operation) error {
	for _, o := range done {
		if o.Item.Table != table || o.Write == nil || o.Write.Action == command.Check || o.Unknown ||
			o.Result.Refusal != command.Accepted || len(o.Result.After) == 0 {
			continue
		}
		if n := l.Count(o.Item.Key, o.Result.After); n != 1 {
			return fmt.Errorf("client %d %s of item %x is acknowledged, and %d times in the stream", o.Client, o, o.Item.Key, n)
		}
	}
	return nil
}

// Check finds shards that do not follow from each other, and items that are not what all their changes lead to, read parents
// before children.
func (l *Log) Check(items map[string]record.Item) error {
	if err := l.checkLineage(); err != nil {
		return err
	}
	return l.checkItems(items)
}

// checkLineage finds each shard beginning where its parent ended, and each that ended with children.
func (l *Log) checkLineage() error {
	known, children := map[command.ShardName]command.Shard{}, map[command.ShardName]int{}
	for _, shard := range l.Shards {
		if _, twice := known[shard.Name]; twice {
			return fmt.Errorf("shard %v is listed twice", shard.Name)
		}
		if shard.Parent != (command.ShardName{}) {
			parent, ok := known[shard.Parent]
			switch {
			case !ok:
				return fmt.Errorf("shard %v is listed before its parent %v", shard.Name, shard.Parent)
			case parent.Open:
				return fmt.Errorf("shard %v has begun, and its parent %v goes on", shard.Name, shard.Parent)
			case shard.First != parent.Last+1:
				return fmt.Errorf("shard %v begins with change %d, its parent %v ended with %d", shard.Name, shard.First, shard.Parent, parent.Last)
			}
			children[shard.Parent]++
		}
		known[shard.Name] = shard
	}
	for _, shard := range l.Shards {
		if !shard.Open && children[shard.Name] == 0 {
			return fmt.Errorf("shard %v has ended, and no other goes on", shard.Name)
		}
	}
	return nil
}

// step is one change of an item.
type step struct {
	shard command.ShardName
	record.Change
}

func (l *Log) checkItems(items map[string]record.Item) error {
	parents := map[command.ShardName]command.ShardName{}
	byItem := map[string][]step{}
	for _, shard := range l.Shards {
		parents[shard.Name] = shard.Parent
		for _, change := range l.changes[shard.Name] {
			byItem[string(change.Suffix)] = append(byItem[string(change.Suffix)], step{shard.Name, change})
		}
	}
	for key, steps := range byItem {
		slices.SortStableFunc(steps, func(a, b step) int { return int(int64(a.Version) - int64(b.Version)) })
		before := step{}
		for i, s := range steps {
			switch {
			case string(s.Before) != string(before.After):
				return fmt.Errorf("change %d of shard %v of item %x begins with %s, the one before it ended with %s", s.Sequence, s.shard, key,
					history.Shown(s.Before), history.Shown(before.After))
			case i == 0:
			case s.Version == before.Version:
				return fmt.Errorf("item %x has two changes of version %d", key, s.Version)
			case s.shard == before.shard && s.Sequence <= before.Sequence, s.shard != before.shard && !descends(parents, s.shard, before.shard):
				return fmt.Errorf("change %d of shard %v of item %x follows change %d of shard %v: who reads parents first reads it first",
					s.Sequence, s.shard, key, before.Sequence, before.shard)
			}
			before = s
		}
		if string(before.After) != string(items[key].Attributes) {
			return fmt.Errorf("item %x is not as its last change left it", key)
		}
	}
	for key := range items {
		if byItem[key] == nil {
			return fmt.Errorf("item %x is there, and no change tells of it", key)
		}
	}
	return nil
}

// descends tells whether a shard comes after another one.
func descends(parents map[command.ShardName]command.ShardName, shard, from command.ShardName) bool {
	for none := (command.ShardName{}); shard != none && shard != from; {
		shard = parents[shard]
	}
	return shard == from
}
