package drop

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// Elsewhere is what a node among others needs: it drops only what is its own.
type Elsewhere struct {
	// Leaders are asked about all partitions of a table.
	Leaders interface {
		// Reports fails when one of them has no leader now.
		Reports(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error)
	}
	// Copies are those on this node.
	Copies Copies
}

// Copies are the replicas that a node keeps.
type Copies interface {
	Partitions() []uint64
	// Remove stops a replica for ever and removes what it keeps. It may be called twice.
	Remove(ctx context.Context, partition uint64) error
}

// strike takes what is gone out of the catalog, where that is led, once all partitions have adopted the deletion and no
// transaction depends on what their records say. From then on nobody finds them, and every node drops its copies.
func (j *Job) strike(ctx context.Context, entry *catalog.Entry, gone map[uint64]bool) error {
	if _, leads := j.Host.Led(machine.CatalogPartition); !leads {
		return nil
	}
	for _, id := range entry.TableIDs() {
		reports, err := j.Elsewhere.Leaders.Reports(ctx, entry.Partitions[id])
		if err != nil {
			return ctx.Err() // one has no leader now: the next step asks again
		}
		for i := range reports {
			if reports[i].Version < entry.Table.Version || gone[id] && reports[i].Unsettled {
				return nil
			}
		}
	}
	return j.leave(ctx, entry.Table, gone)
}

// Orphans drops the copies here of partitions that the catalog does not name any more. The catalog is asked anew once they
// are seen: what it did not name before it named this copy's birth, or the split that made it, it names by then.
func (j *Job) Orphans(ctx context.Context) error {
	if j.Elsewhere == nil {
		return nil
	}
	orphans := j.unnamed(j.Elsewhere.Copies.Partitions())
	if len(orphans) == 0 {
		return nil
	}
	if err := j.Catalog.Sync(ctx); err != nil {
		return fmt.Errorf("looking for partitions without a table: %w", err)
	}
	var failed []error
	for _, id := range j.unnamed(orphans) {
		if err := j.quiet(ctx, []catalog.Partition{{ID: id}}); err != nil {
			return err
		}
		if err := j.Elsewhere.Copies.Remove(ctx, id); err != nil {
			failed = append(failed, fmt.Errorf("dropping partition %d, which is of no table: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

// unnamed are the partitions that no table has, nor a split under way makes.
func (j *Job) unnamed(partitions []uint64) []uint64 {
	named := map[uint64]bool{machine.CatalogPartition: true}
	for _, entry := range j.Catalog.Entries() {
		for _, list := range entry.Partitions {
			for i := range list {
				named[list[i].ID] = true
			}
		}
		for _, s := range entry.Splits {
			named[s.Child] = true
		}
	}
	var unnamed []uint64
	for _, id := range partitions {
		if !named[id] {
			unnamed = append(unnamed, id)
		}
	}
	return unnamed
}
