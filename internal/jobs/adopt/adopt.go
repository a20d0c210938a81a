// Package adopt brings every partition that is led here its table's description, and the table its next state once all
// partitions have it, wherever they are led. It does not fill or empty anything.
package adopt

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// Host keeps the replicas of this node.
type Host interface {
	Replica(partition uint64) (*replica.Replica, bool)
	// Led finds a replica that leads its partition.
	Led(partition uint64) (*replica.Replica, bool)
	// Birth makes partitions that never existed here.
	Birth(tableID uint64, partitions []catalog.Partition) error
}

// Leaders are asked about partitions that are led elsewhere.
type Leaders interface {
	// Reports fails when one of them has no leader now.
	Reports(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error)
}

// Job is the adoption of descriptions.
type Job struct {
	Catalog *catalog.Catalog
	Host    Host
	Wait    replica.Wait
	// Node is this one among others, 0 for one that is alone; Leaders are the others'.
	Node    uint64
	Leaders Leaders
	// Unready is called when a table waits for partitions that are led elsewhere: it is worth another look before long.
	Unready func()
}

// Step looks at every table once. It may run at any time and twice.
func (j *Job) Step(ctx context.Context) error {
	failed := []error{j.system(ctx)}
	for _, entry := range j.Catalog.Entries() {
		if err := j.table(ctx, entry); err != nil {
			failed = append(failed, fmt.Errorf("adopting table %s: %w", entry.Table.Name, err))
		}
	}
	return errors.Join(failed...)
}

// errMoved says that the catalog's entry is not the one whose partitions have adopted: the next step looks again.
var errMoved = errors.New("the table changed meanwhile")

func (j *Job) table(ctx context.Context, entry *catalog.Entry) error {
	t := entry.Table
	if err := j.description(ctx, t, entry.Partitions[t.ID], t.State == table.Creating); err != nil {
		return err
	}
	for i := range t.Global {
		ix := &t.Global[i]
		born := ix.Status == table.IndexCreating && !ix.Backfilling
		if err := j.description(ctx, catalog.IndexTable(t, ix), entry.Partitions[ix.ID], born); err != nil {
			return err
		}
	}
	if err := j.members(ctx, entry); err != nil {
		return err
	}
	// A split that is not entered yet has a half that the catalog does not list, and that may not have adopted.
	if _, leads := j.Host.Led(machine.CatalogPartition); !leads || !unsettled(t) || len(entry.Splits) > 0 {
		return nil
	}
	if !j.everywhere(ctx, entry) {
		j.Unready()
		return nil
	}
	_, err := j.Catalog.UpdateEntry(ctx, t.Name, func(now *catalog.Entry) (*catalog.Entry, error) {
		if now.Table.ID != t.ID || now.Revision != entry.Revision {
			return nil, errMoved
		}
		next := *now
		next.Table = settled(now.Table)
		return &next, nil
	})
	if errors.Is(err, catalog.ErrMissing) || errors.Is(err, errMoved) {
		return nil
	}
	return err
}

// description brings one table's, or hidden table's, description to its partitions that are led here, and waits until they
// have it.
func (j *Job) description(ctx context.Context, t *table.Table, partitions []catalog.Partition, born bool) error {
	if born {
		if err := j.birth(t.ID, partitions); err != nil {
			return err
		}
	}
	var behind []*replica.Replica
	for _, p := range partitions {
		r, ok := j.Host.Led(p.ID)
		if !ok {
			continue
		}
		if has := r.State().Table; has == nil || has.Version < t.Version {
			behind = append(behind, r)
		}
	}
	return j.all(ctx, behind, t)
}

func (j *Job) birth(tableID uint64, partitions []catalog.Partition) error {
	var missing []catalog.Partition
	for _, p := range partitions {
		if _, ok := j.Host.Replica(p.ID); !ok && j.mine(p) {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return j.Host.Birth(tableID, missing)
}

// all lets the adopts of many partitions share their syncs.
func (j *Job) all(ctx context.Context, behind []*replica.Replica, t *table.Table) error {
	failures := make([]error, len(behind))
	waits := make([]chan struct{}, len(behind))
	for i, r := range behind {
		waits[i] = make(chan struct{})
		r.Adopt(t.WithoutPolicies(), func(err error) {
			failures[i] = err
			close(waits[i])
		})
	}
	var failed error
	for i := range waits {
		if err := j.Wait(ctx, waits[i]); err != nil {
			return err
		}
		if failures[i] != nil {
			failed = failures[i]
		}
	}
	return failed
}

// unsettled tells whether adoption was all the table waited for.
func unsettled(t *table.Table) bool {
	if t.State == table.Creating || t.State == table.Updating {
		return true
	}
	for i := range t.Global {
		ix := &t.Global[i]
		if ix.Status == table.IndexUpdating || ix.Status == table.IndexCreating && !ix.Backfilling {
			return true
		}
	}
	return false
}

// settled is the table in its next state. An index added to a table that may hold items now begins its backfill.
func settled(now *table.Table) *table.Table {
	next := now.Clone()
	if next.State == table.Creating || next.State == table.Updating {
		next.Activate()
	}
	for i := range next.Global {
		ix := &next.Global[i]
		switch {
		case ix.Status == table.IndexUpdating:
			ix.Status = table.IndexActive
		case ix.Status == table.IndexCreating && ix.Added:
			ix.Backfilling = true
		case ix.Status == table.IndexCreating:
			ix.Status = table.IndexActive
		}
	}
	return next
}
