package rebalance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// Copy is a replica on this node.
type Copy struct{ Partition, Replica uint64 }

// Here are the replicas of this node.
type Here interface {
	// Forlorn are those that have heard of no leader for a while, or saw themselves go.
	Forlorn() []Copy
	// Remove ends a replica and all it holds, for ever.
	Remove(ctx context.Context, c Copy) error
}

// Retire is the end of replicas that were removed from their partitions. Who is removed may never hear it: nobody sends it
// anything any more. So a replica that hears nothing asks, and goes only on the word of the leader, or of a catalog that
// has no such partition.
type Retire struct {
	Catalog *catalog.Catalog
	Here    Here
	// Reports asks leaders what their partitions are.
	Reports func(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error)
	// Retired is told of each replica that went.
	Retired func(c Copy)

	// asked is the partition that was asked about last: the next step goes on behind it.
	asked uint64
}

// asksMax bounds the replicas that a step asks about.
const asksMax = 32

// Step asks for each forlorn replica once. It may run at any time and twice.
func (r *Retire) Step(ctx context.Context) error {
	forlorn := r.next()
	if len(forlorn) == 0 {
		return nil
	}
	// The catalog here may lag behind a split that made one of them.
	if err := r.Catalog.Sync(ctx); err != nil {
		return fmt.Errorf("asking about replicas that hear nothing: %w", err)
	}
	known, coming := r.partitions()
	var failed []error
	for _, c := range forlorn {
		p, ok := known[c.Partition]
		if !ok && coming[c.Partition] {
			continue
		}
		if ok && !r.removed(ctx, p, c) {
			continue
		}
		if err := r.Here.Remove(ctx, c); err != nil {
			failed = append(failed, fmt.Errorf("removing the replica of partition %d: %w", c.Partition, err))
			continue
		}
		r.Retired(c)
	}
	return errors.Join(failed...)
}

// next are the forlorn replicas whose turn it is.
func (r *Retire) next() []Copy {
	all := r.Here.Forlorn()
	slices.SortFunc(all, func(a, b Copy) int { return cmp.Compare(a.Partition, b.Partition) })
	at, _ := slices.BinarySearchFunc(all, r.asked+1, func(c Copy, id uint64) int { return cmp.Compare(c.Partition, id) })
	turn := slices.Concat(all[at:], all[:at])
	turn = turn[:min(len(turn), asksMax)]
	if len(turn) > 0 {
		r.asked = turn[len(turn)-1].Partition
	}
	return turn
}

// removed asks the leader. Where none answers nothing is known.
func (r *Retire) removed(ctx context.Context, p catalog.Partition, c Copy) bool {
	reports, err := r.Reports(ctx, []catalog.Partition{p})
	if err != nil || len(reports) != 1 || len(reports[0].Members) == 0 {
		return false
	}
	return !slices.ContainsFunc(reports[0].Members, func(m command.Member) bool { return m.Replica == c.Replica })
}

// partitions are those that the catalog has, and the ids of those that splits under way are making.
func (r *Retire) partitions() (known map[uint64]catalog.Partition, coming map[uint64]bool) {
	known, coming = map[uint64]catalog.Partition{}, map[uint64]bool{}
	system := catalog.Partition{ID: machine.CatalogPartition}
	if cluster, ok := r.Catalog.Cluster(); ok {
		system.Members = cluster.Members
	}
	known[system.ID] = system
	for _, entry := range r.Catalog.Entries() {
		for _, partitions := range entry.Partitions {
			for _, p := range partitions {
				known[p.ID] = p
			}
		}
		for _, s := range entry.Splits {
			coming[s.Child] = true
		}
	}
	return known, coming
}
