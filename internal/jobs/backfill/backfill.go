// Package backfill brings the items that are older than a global index into it, partition by partition, while writes go
// on. It does not know of changes.
package backfill

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/propagate"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// stepBytesMax bounds the items read in one step of one partition.
const stepBytesMax = 1 << 20

// Host keeps the replicas of this node.
type Host interface {
	Replica(partition uint64) (*replica.Replica, bool)
}

// Router brings entries to the partitions of an index.
type Router interface {
	Feed(ctx context.Context, c *command.Command) error
}

// Job is the filling of new indexes. A partition reads only after it adopted the index, so every later change is in its
// log, and versions settle which of the two is newer.
type Job struct {
	Catalog   *catalog.Catalog
	Host      Host
	Router    Router
	Wait      replica.Wait
	NowMillis func() int64
	// Progress is told how many items of an index's table were read so far.
	Progress func(tableName, indexName string, items int64)
}

// Step moves every index that is being filled by one chunk. more tells that there is further work.
func (j *Job) Step(ctx context.Context) (more bool, err error) {
	for _, entry := range j.Catalog.Entries() {
		for i := range entry.Table.Global {
			ix := &entry.Table.Global[i]
			if ix.Status != table.IndexCreating || !ix.Backfilling || entry.Table.State == table.Deleting {
				continue
			}
			more = true
			if err := j.index(ctx, entry, ix); err != nil {
				return more, fmt.Errorf("filling index %s of table %s: %w", ix.Name, entry.Table.Name, err)
			}
		}
	}
	return more, nil
}

// index moves one index's first unfinished partition, or makes the index active.
func (j *Job) index(ctx context.Context, entry *catalog.Entry, ix *table.Index) error {
	items := int64(0)
	for _, p := range entry.Partitions[entry.Table.ID] {
		r, ok := j.Host.Replica(p.ID)
		if !ok {
			return fmt.Errorf("partition %d is not here", p.ID)
		}
		progress := r.State().Backfills[ix.ID]
		items += progress.Items
		if progress.Done {
			continue
		}
		read, err := j.chunk(ctx, entry.Table, ix, r)
		j.Progress(entry.Table.Name, ix.Name, items+read)
		return err
	}
	return j.finish(ctx, entry.Table.Name, ix.ID)
}

// chunk reads the next items of a partition, feeds them, then saves how far it came.
func (j *Job) chunk(ctx context.Context, t *table.Table, ix *table.Index, r *replica.Replica) (read int64, err error) {
	state := r.State()
	progress := state.Backfills[ix.ID]
	lower := state.Descriptor.Bounds.Lower
	if len(progress.After) > 0 {
		// A split may have left progress below, or all of it above, this half.
		if after := append(append([]byte(nil), progress.After...), 0); string(after) > string(lower) {
			lower = after
		}
	}
	page := command.Page{Reason: command.Done}
	if state.Descriptor.Bounds.Holds(lower) {
		page, err = r.ScanAndWait(ctx, j.Wait, &command.Plan{
			Table: t.ID, TableVersion: state.Table.Version, Lower: lower, Upper: state.Descriptor.Bounds.Upper,
			Bytes: stepBytesMax, Strong: true, Raw: true,
		})
		if stale(err) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
	}
	feed := command.Command{Action: command.Feed, Table: ix.ID, SentMillis: j.NowMillis()}
	for _, item := range page.Entries {
		if key, entry := propagate.Entry(t, ix, item.Item); key != nil {
			feed.Entries = append(feed.Entries, command.Entry{Key: key, Version: item.Version, Item: entry})
		}
	}
	if len(feed.Entries) > 0 {
		if err := j.Router.Feed(ctx, &feed); err != nil {
			return 0, err
		}
	}
	next := command.Backfill{After: progress.After, Items: progress.Items + int64(len(page.Entries))}
	if page.Reason == command.Budget || page.Reason == command.Limit {
		next.After = page.Next
	} else {
		next.Done = true
	}
	// Progress names the generation it was read under: a split in between has changed what "done" means.
	_, err = r.WriteAndWait(ctx, j.Wait, &command.Command{
		Action: command.Progress, Index: ix.ID, Backfill: next, Generation: state.Descriptor.Generation,
	})
	if stale(err) {
		return 0, nil
	}
	return next.Items - progress.Items, err
}

// stale tells that the partition changed under the step: it is made again.
func stale(err error) bool {
	var route *command.StaleRoute
	var version *command.StaleTable
	return errors.As(err, &route) || errors.As(err, &version)
}

func (j *Job) finish(ctx context.Context, tableName string, id uint64) error {
	_, err := j.Catalog.Update(ctx, tableName, func(now *table.Table) (*table.Table, error) {
		next := now.Clone()
		if ix, ok := next.GlobalIndexByID(id); ok && ix.Status == table.IndexCreating {
			ix.Status, ix.Backfilling = table.IndexActive, false
		}
		return next, nil
	})
	return err
}
