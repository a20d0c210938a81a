// Package drop removes what belongs to deleted tables or indexes. It touches nothing before every partition has adopted
// the deletion.
package drop

import (
	"context"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/partition/replica"
)

// Host keeps the replicas of this node.
type Host interface {
	Replica(partition uint64) (*replica.Replica, bool)
	// Drop stops partitions, then removes them with all their table's ranges. It may be called twice.
	Drop(tableID uint64, partitions []catalog.Partition) error
}

// Job is the removal of tables and indexes.
type Job struct {
	Catalog *catalog.Catalog
	Host    Host
}

// Step removes whatever is to go.
func (j *Job) Step(ctx context.Context) error {
	for _, entry := range j.Catalog.Entries() {
		if err := j.table(ctx, entry); err != nil {
			return fmt.Errorf("dropping from table %s: %w", entry.Table.Name, err)
		}
	}
	return nil
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
	if len(gone) == 0 || !j.adopted(entry) {
		return nil
	}
	for id := range gone {
		if err := j.Host.Drop(id, entry.Partitions[id]); err != nil {
			return err
		}
	}
	_, err := j.Catalog.Update(ctx, t.Name, func(now *table.Table) (*table.Table, error) {
		if now.ID != t.ID || gone[now.ID] {
			return nil, nil
		}
		return without(now, gone), nil
	})
	if err == catalog.ErrMissing {
		return nil
	}
	return err
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
