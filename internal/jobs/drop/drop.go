// Package drop removes what belongs to deleted tables or indexes. It touches nothing before every partition has adopted
// the deletion.
package drop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/partition/replica"
)

// Host keeps the replicas of this node.
type Host interface {
	// Led finds a replica that leads its partition.
	Led(partition uint64) (*replica.Replica, bool)
	Replica(partition uint64) (*replica.Replica, bool)
	// Drop stops partitions, then removes them with all their table's ranges. It may be called twice.
	Drop(tableID uint64, partitions []catalog.Partition) error
}

// Settled sees to transactions.
type Settled interface {
	// Table settles every transaction that begins in a table's partitions, and tells whether all are.
	Table(ctx context.Context, partitions []catalog.Partition) (bool, error)
}

// Job is the removal of tables and indexes.
type Job struct {
	Catalog *catalog.Catalog
	Host    Host
	// Settled is asked before a table goes: the items of other tables may wait for what its records say.
	Settled Settled
	// Wait is replica.WaitOnChannel by default.
	Wait replica.Wait
	// Elsewhere is set on a node among others: then a table goes from the catalog, and each node drops what it has of it.
	Elsewhere *Elsewhere
}

// Step removes whatever is to go. A table of which a crash left nothing but what the catalog says goes first: transactions of other
// tables that took part in it can be settled only once nobody looks for its partitions any more.
func (j *Job) Step(ctx context.Context) error {
	var failed []error
	entries := j.Catalog.Entries()
	slices.SortStableFunc(entries, func(a, b *catalog.Entry) int { return cmp.Compare(j.left(a), j.left(b)) })
	for _, entry := range entries {
		if err := j.table(ctx, entry); err != nil {
			failed = append(failed, fmt.Errorf("dropping from table %s: %w", entry.Table.Name, err))
		}
	}
	return errors.Join(failed...)
}

func (j *Job) table(ctx context.Context, entry *catalog.Entry) error {
	t := entry.Table
	gone := map[uint64]bool{}
	if t.State == table.Deleting {
		gone[t.ID] = true
	}
	for i := range t.Global {
		if t.State == table.Deleting || t.Global[i].Status == table.IndexDeleting {
			gone[t.Global[i].ID] = true
		}
	}
	// A split under way has a half that the catalog does not name yet: it would stay for ever.
	if len(gone) == 0 || len(entry.Splits) > 0 {
		return nil
	}
	if j.Elsewhere != nil {
		return j.strike(ctx, entry, gone)
	}
	if !j.adopted(entry) {
		return nil
	}
	if gone[t.ID] {
		if settled, err := j.Settled.Table(ctx, entry.Partitions[t.ID]); err != nil || !settled {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		if err := j.quiet(ctx, entry.Partitions[id]); err != nil {
			return err
		}
		if err := j.Host.Drop(id, entry.Partitions[id]); err != nil {
			return err
		}
	}
	return j.leave(ctx, t, gone)
}

// left is how many partitions of a table are here.
func (j *Job) left(entry *catalog.Entry) (here int) {
	for _, p := range entry.Partitions[entry.Table.ID] {
		if _, ok := j.Host.Replica(p.ID); ok {
			here++
		}
	}
	return here
}

// leave takes what is gone out of the catalog.
func (j *Job) leave(ctx context.Context, t *table.Table, gone map[uint64]bool) error {
	_, err := j.Catalog.Update(ctx, t.Name, func(now *table.Table) (*table.Table, error) {
		switch {
		case now.ID != t.ID:
			return nil, catalog.ErrMissing
		case gone[now.ID]:
			return nil, nil
		}
		return without(now, gone), nil
	})
	if errors.Is(err, catalog.ErrMissing) {
		return nil
	}
	return err
}

// quiet stops partitions and waits until nothing of theirs is under way: a batch that was performed after they are gone
// would leave rows without a table, and a partition that is half there.
func (j *Job) quiet(ctx context.Context, partitions []catalog.Partition) error {
	wait := j.Wait
	if wait == nil {
		wait = replica.WaitOnChannel
	}
	for _, p := range partitions {
		r, ok := j.Host.Replica(p.ID)
		if !ok {
			continue
		}
		r.Stop()
		drained := make(chan struct{})
		r.Drained(func() { close(drained) })
		if err := wait(ctx, drained); err != nil {
			return err
		}
	}
	return nil
}

// adopted tells whether every partition that is still here knows of the deletion: none records or serves for it any more.
func (j *Job) adopted(entry *catalog.Entry) bool {
	for _, partitions := range entry.Partitions {
		for _, p := range partitions {
			r, ok := j.Host.Replica(p.ID)
			if !ok {
				continue
			}
			if has := r.State().Table; has == nil || has.Version < entry.Table.Version {
				return false
			}
		}
	}
	return true
}

// without is the table without indexes that are gone, nor definitions that nothing uses any more (semantics §7.6).
func without(now *table.Table, gone map[uint64]bool) *table.Table {
	for i := range now.Global {
		if gone[now.Global[i].ID] {
			return without(now.WithoutGlobal(now.Global[i].Name), gone)
		}
	}
	return now
}
