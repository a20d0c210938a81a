package rebalance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/placement"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// enter has the catalog say who keeps what, where partitions say otherwise: their own word is the authority, and the map
// is an index of it. The catalog's own partition enters itself.
func (j *Job) enter(ctx context.Context, s *sight) error {
	moved := map[string]map[uint64]*place{}
	for i := range s.places {
		p := &s.places[i]
		if p.ID == machine.CatalogPartition || p.led == nil || p.led.Generation < p.Generation || slices.Equal(p.members(), p.Members) {
			continue
		}
		if moved[p.table] == nil {
			moved[p.table] = map[uint64]*place{}
		}
		moved[p.table][p.ID] = p
	}
	var failed []error
	for name, places := range moved {
		_, err := j.Catalog.UpdateEntry(ctx, name, func(e *catalog.Entry) (*catalog.Entry, error) { return entered(e, places), nil })
		if err != nil && !errors.Is(err, catalog.ErrMissing) {
			failed = append(failed, fmt.Errorf("entering who keeps table %s: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

// entered is a table's entry with the members that its partitions told. One that was changed meanwhile keeps the change.
func entered(e *catalog.Entry, places map[uint64]*place) *catalog.Entry {
	next := *e
	next.Partitions = map[uint64][]catalog.Partition{}
	for id, partitions := range e.Partitions {
		next.Partitions[id] = slices.Clone(partitions)
		for i := range next.Partitions[id] {
			p := &next.Partitions[id][i]
			if told, ok := places[p.ID]; ok && told.led.Generation >= p.Generation {
				p.Generation, p.Members = told.led.Generation, told.members()
			}
		}
	}
	return &next
}

// dismiss has the catalog say that leaving nodes are gone which keep nothing any more.
func (j *Job) dismiss(ctx context.Context, s *sight) error {
	var failed []error
	for _, n := range s.facts.Nodes {
		if n.State != placement.Leaving || s.keeps(n.ID) {
			continue
		}
		err := j.Catalog.UpdateNode(ctx, n.ID, func(now catalog.Node) (catalog.Node, error) {
			if now.State == catalog.Leaving {
				now.State = catalog.Gone
			}
			return now, nil
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("dismissing node %d: %w", n.ID, err))
			continue
		}
		j.Log.Info("a node has nothing any more and may be stopped", "node", n.ID)
	}
	return errors.Join(failed...)
}

// keeps tells whether a node has a replica as far as anybody says, the catalog or a leader. Tables that come or go were
// left out of sight, so that their entries are asked as well.
func (s *sight) keeps(node uint64) bool {
	for i := range s.places {
		p := &s.places[i]
		if holds(p.Members, node) || holds(p.members(), node) {
			return true
		}
	}
	return s.unseen[node]
}

func holds(members []command.Member, node uint64) bool {
	return slices.ContainsFunc(members, func(m command.Member) bool { return m.Node == node })
}
