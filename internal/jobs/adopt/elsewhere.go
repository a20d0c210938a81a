package adopt

import (
	"context"
	"errors"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// mine tells whether a new partition has one of its first replicas here: a node that is alone has them all.
func (j *Job) mine(p catalog.Partition) bool {
	return j.Node == 0 || slices.ContainsFunc(p.Members, func(m command.Member) bool { return m.Node == j.Node })
}

// everywhere tells whether the partitions of a table that are led elsewhere have its version. What is led here has it by
// now; alone, so has everything.
func (j *Job) everywhere(ctx context.Context, entry *catalog.Entry) bool {
	if j.Node == 0 {
		return true
	}
	var elsewhere []catalog.Partition
	for _, id := range entry.TableIDs() {
		for _, p := range entry.Partitions[id] {
			if r, leads := j.Host.Led(p.ID); !leads || r.State().Table == nil || r.State().Table.Version < entry.Table.Version {
				elsewhere = append(elsewhere, p)
			}
		}
	}
	if len(elsewhere) == 0 {
		return true
	}
	// A partition without a leader is asked again at the next step.
	reports, err := j.Leaders.Reports(ctx, elsewhere)
	return err == nil && !slices.ContainsFunc(reports, func(r command.Report) bool { return r.Version < entry.Table.Version })
}

// members enters in the catalog which copies the partitions have that are led here. A partition is the authority on that;
// the catalog only tells others where to ask.
func (j *Job) members(ctx context.Context, entry *catalog.Entry) error {
	if j.Node == 0 || !j.moved(entry) {
		return nil
	}
	_, err := j.Catalog.UpdateEntry(ctx, entry.Table.Name, func(now *catalog.Entry) (*catalog.Entry, error) {
		if now.Table.ID != entry.Table.ID || !j.moved(now) {
			return nil, errMoved
		}
		next := *now
		next.Partitions = map[uint64][]catalog.Partition{}
		for id, partitions := range now.Partitions {
			next.Partitions[id] = slices.Clone(partitions)
			for i := range next.Partitions[id] {
				j.enter(&next.Partitions[id][i])
			}
		}
		return &next, nil
	})
	if errors.Is(err, catalog.ErrMissing) || errors.Is(err, errMoved) {
		return nil
	}
	return err
}

// moved tells whether the catalog is behind on the members of a partition that is led here.
func (j *Job) moved(entry *catalog.Entry) bool {
	for _, id := range entry.TableIDs() {
		for _, p := range entry.Partitions[id] {
			if j.enter(&p) {
				return true
			}
		}
	}
	return false
}

// enter brings the catalog's word on a partition up to what its leader here says. Bounds are a split's to enter.
func (j *Job) enter(p *catalog.Partition) bool {
	r, leads := j.Host.Led(p.ID)
	if !leads {
		return false
	}
	d := r.State().Descriptor
	if d.Generation < p.Generation || slices.Equal(d.Members, p.Members) {
		return false
	}
	p.Generation, p.Members = d.Generation, d.Members
	return true
}

// system is members for the catalog's own partition, which no table lists.
func (j *Job) system(ctx context.Context) error {
	r, leads := j.Host.Led(machine.CatalogPartition)
	known, in := j.Catalog.Cluster()
	if j.Node == 0 || !leads || !in || slices.Equal(r.State().Descriptor.Members, known.Members) {
		return nil
	}
	return j.Catalog.UpdateCluster(ctx, func(now catalog.Cluster) (catalog.Cluster, error) {
		d := r.State().Descriptor
		if d.Generation >= now.Generation {
			now.Generation, now.Members = d.Generation, d.Members
		}
		return now, nil
	})
}
