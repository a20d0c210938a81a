package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// load reads the whole catalog from a snapshot of partition 1.
func (c *Catalog) load(ctx context.Context) error {
	c.following.Lock()
	defer c.following.Unlock()
	return c.loadLocked(ctx)
}

func (c *Catalog) loadLocked(ctx context.Context) error {
	// The sequence is read before the items: changes that the items show already are then followed once more, which is
	// harmless as each replaces a whole entry by a later one.
	part := c.options.Store.State()
	s := &state{byName: map[string]*Entry{}, byTable: map[uint64]*Entry{}, sequence: part.Applied.Sequence}
	plan := &command.Plan{Table: machine.CatalogTable, TableVersion: SystemTable().Version, Strong: true}
	for {
		page, err := c.options.Store.ScanAndWait(ctx, c.options.Wait, plan)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			entry, err := Parse(item)
			if err != nil {
				return err
			}
			if entry != nil {
				s.byName[entry.Table.Name] = entry
			}
		}
		if page.Reason == command.Done {
			break
		}
		plan.Lower = slices.Concat(page.Next, []byte{0})
	}
	c.publish(s)
	return nil
}

// publish completes a map's other views and shows it.
func (c *Catalog) publish(s *state) {
	s.names = slices.Sorted(maps.Keys(s.byName))
	s.byTable = make(map[uint64]*Entry, len(s.byName))
	for _, entry := range s.byName {
		s.byTable[entry.Table.ID] = entry
		for id := range entry.Partitions {
			s.byTable[id] = entry
		}
	}
	c.current.Store(s)
	c.options.Changed()
}

// Follow brings the map up to the end of partition 1's change log.
func (c *Catalog) Follow(ctx context.Context) error {
	c.following.Lock()
	defer c.following.Unlock()
	for {
		more, err := c.followStep(ctx)
		if err != nil {
			return fmt.Errorf("following the catalog: %w", err)
		}
		if !more {
			return nil
		}
	}
}

func (c *Catalog) followStep(ctx context.Context) (more bool, err error) {
	now := c.current.Load()
	changes, err := c.options.Store.Changes(now.sequence, followBytesMax)
	var trimmed *command.Trimmed
	if errors.As(err, &trimmed) {
		return true, c.loadLocked(ctx)
	}
	if err != nil || len(changes) == 0 {
		return false, err
	}
	next := &state{byName: maps.Clone(now.byName), sequence: changes[len(changes)-1].Sequence}
	for _, change := range changes {
		if len(change.After) == 0 {
			if name, ok := tableName(change.Before); ok {
				delete(next.byName, name)
			}
			continue
		}
		entry, err := Parse(change.After)
		if err != nil {
			return false, err
		}
		if entry != nil {
			next.byName[entry.Table.Name] = entry
		}
	}
	c.publish(next)
	return true, nil
}
