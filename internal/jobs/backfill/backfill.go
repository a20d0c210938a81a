// Package backfill brings the items that are older than a global index into it, partition by partition, while writes go
// on. It does not know of changes.
package backfill

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// stepBytesMax bounds the items read in one step of one partition.
const stepBytesMax = 1 << 20

// Host keeps the replicas of this node.
type Host interface {
	// Led finds a replica that leads its partition.
	Led(partition uint64) (*replica.Replica, bool)
}

// Leaders are asked about partitions that are led elsewhere.
type Leaders interface {
	// Reports fails when one of them has no leader now.
	Reports(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error)
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
	// Leaders are those of other nodes; nil on one that is alone.
	Leaders Leaders
	// Progress is told how many items of an index's table were read so far.
	Progress func(tableName, indexName string, items int64)
	// Consumed is told of the units that bringing entries to an index, by its id, would cost if anybody paid for it.
	Consumed func(index uint64, units float64)
}

// Step moves every index that is being filled by one chunk. more tells that there is further work.
func (j *Job) Step(ctx context.Context) (more bool, err error) {
	var failed []error
	for _, entry := range j.Catalog.Entries() {
		for i := range entry.Table.Global {
			ix := &entry.Table.Global[i]
			if ix.Status != table.IndexCreating || !ix.Backfilling || entry.Table.State == table.Deleting {
				continue
			}
			moved, err := j.index(ctx, entry, ix)
			if err != nil {
				failed = append(failed, fmt.Errorf("filling index %s of table %s: %w", ix.Name, entry.Table.Name, err))
			}
			more = more || moved
		}
	}
	return more, errors.Join(failed...)
}

// index moves one index's first unfinished partition that is led here; where there is none, and the catalog's is, it makes
// the index active once all are finished. It does not move where a partition has not adopted the index yet: what it writes
// meanwhile is in no change log.
func (j *Job) index(ctx context.Context, entry *catalog.Entry, ix *table.Index) (moved bool, err error) {
	items := int64(0)
	for _, p := range entry.Partitions[entry.Table.ID] {
		r, ok := j.Host.Led(p.ID)
		if !ok && j.Leaders != nil {
			continue
		}
		if !ok {
			return false, fmt.Errorf("partition %d is not here", p.ID)
		}
		state := r.State()
		if !knows(state.Table, ix.ID) {
			return false, nil
		}
		progress := state.Backfills[ix.ID]
		items += progress.Items
		if progress.Done {
			continue
		}
		read, err := j.chunk(ctx, entry.Table, ix, r)
		if follows(err) {
			return false, nil // whoever leads the partition now goes on
		}
		j.Progress(entry.Table.Name, ix.Name, items+read)
		return true, err
	}
	if _, leads := j.Host.Led(machine.CatalogPartition); !leads {
		return false, nil
	}
	done, err := j.doneElsewhere(ctx, entry, ix.ID)
	if err != nil || done == nil {
		return false, err
	}
	return j.finish(ctx, entry.Table.Name, ix.ID, done)
}

// doneElsewhere names the partitions led elsewhere, if all of them are finished; nil if one is not, or has no leader now.
func (j *Job) doneElsewhere(ctx context.Context, entry *catalog.Entry, index uint64) (map[uint64]bool, error) {
	done := map[uint64]bool{}
	var elsewhere []catalog.Partition
	for _, p := range entry.Partitions[entry.Table.ID] {
		if _, ok := j.Host.Led(p.ID); !ok {
			elsewhere = append(elsewhere, p)
		}
	}
	if len(elsewhere) == 0 {
		return done, nil
	}
	reports, err := j.Leaders.Reports(ctx, elsewhere)
	if err != nil {
		return nil, ctx.Err() // the next step asks again
	}
	for i := range reports {
		if !reports[i].Backfills[index].Done {
			return nil, nil
		}
		done[elsewhere[i].ID] = true
	}
	return done, nil
}

// follows tells that the partition is led by another copy by now.
func follows(err error) bool {
	_, follows := errors.AsType[*command.NotLeader](err)
	return follows
}

func knows(t *table.Table, index uint64) bool {
	if t == nil {
		return false
	}
	_, known := t.GlobalIndexByID(index)
	return known
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
	// The feed's age is that of what was read.
	sent := j.NowMillis()
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
	feed := command.Command{Action: command.Feed, Table: ix.ID, SentMillis: sent}
	units := 0.0
	for _, item := range page.Entries {
		if key, entry := machine.IndexEntry(t, ix, item.Item); key != nil {
			units += capacity.WriteItem(nil, entry)
			feed.Entries = append(feed.Entries, command.Entry{Key: key, Version: item.Version, Item: entry})
		}
	}
	if len(feed.Entries) > 0 {
		if err := j.Router.Feed(ctx, &feed); err != nil {
			return 0, err
		}
		j.Consumed(ix.ID, units)
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

var errUnfinished = errors.New("a partition of the table is not done")

// finish makes an index active that every partition of the table has filled. It looks at them once more under the very
// revision it changes: a split may have made one that the caller did not know of.
func (j *Job) finish(ctx context.Context, tableName string, id uint64, elsewhere map[uint64]bool) (moved bool, err error) {
	_, err = j.Catalog.UpdateEntry(ctx, tableName, func(now *catalog.Entry) (*catalog.Entry, error) {
		next := *now
		next.Table = now.Table.Clone()
		ix, ok := next.Table.GlobalIndexByID(id)
		if !ok || ix.Status != table.IndexCreating || !j.filled(now, id, elsewhere) {
			return nil, errUnfinished
		}
		ix.Status, ix.Backfilling = table.IndexActive, false
		return &next, nil
	})
	if errors.Is(err, errUnfinished) || errors.Is(err, catalog.ErrMissing) {
		return false, nil
	}
	return true, err
}

// filled tells whether all partitions are done, here or elsewhere. A split that is reserved may have been performed already.
func (j *Job) filled(entry *catalog.Entry, index uint64, elsewhere map[uint64]bool) bool {
	if len(entry.Splits) > 0 {
		return false
	}
	for _, p := range entry.Partitions[entry.Table.ID] {
		if elsewhere[p.ID] {
			continue
		}
		r, ok := j.Host.Led(p.ID)
		if !ok || !r.State().Backfills[index].Done {
			return false
		}
	}
	return true
}
