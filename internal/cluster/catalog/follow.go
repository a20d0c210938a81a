package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// load reads the whole catalog from a snapshot of partition 1: of the copy that leads it, or of any.
func (c *Catalog) load(ctx context.Context, strong bool) error {
	return c.inTurn(ctx, func() error { return c.loadNow(ctx, strong) })
}

// inTurn takes a step with the map that no other one is under way with.
func (c *Catalog) inTurn(ctx context.Context, step func() error) error {
	select {
	case <-c.turn:
	default:
		if err := c.options.Wait(ctx, c.turn); err != nil {
			return err
		}
	}
	defer func() { c.turn <- struct{}{} }()
	return step()
}

func (c *Catalog) loadNow(ctx context.Context, strong bool) error {
	// The sequence is read before the items: changes that the items show already are then followed once more, which is
	// harmless as each replaces a whole entry by a later one.
	end, err := c.options.Store.ChangesAndWait(ctx, c.options.Wait, command.ChangesPlan{After: math.MaxUint64, Strong: strong})
	if err != nil {
		return err
	}
	s := &state{
		byName: map[string]*Entry{}, nodes: map[uint64]*Node{}, scaled: map[string]scaled{}, sequence: end.Shard.Last, pieced: !strong,
	}
	plan := &command.Plan{Table: machine.CatalogTable, TableVersion: SystemTable().Version, Strong: strong}
	for {
		page, err := c.options.Store.ScanAndWait(ctx, c.options.Wait, plan)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := s.take(item); err != nil {
				return err
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

// take brings an item into a map that nobody has seen yet.
func (s *state) take(item attr.Map) error {
	entry, err := Parse(item)
	if err != nil {
		return err
	}
	if entry != nil {
		s.byName[entry.Table.Name] = entry
		return nil
	}
	if taken, err := s.takeScaling(item); taken || err != nil {
		return err
	}
	if pk, _ := item.Get(attributePK); string(pk.Str()) == raisedKey {
		s.raised, err = number(item, attributeRevision)
		return err
	}
	return s.takeNode(item)
}

// drop takes an item out of a map that nobody has seen yet.
func (s *state) drop(item attr.Map) {
	if name, ok := tableName(item); ok {
		delete(s.byName, name)
		return
	}
	pk, _ := item.Get(attributePK)
	delete(s.scaled, string(pk.Str()))
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

// Follow brings the map up to the end of the change log of some copy of partition 1.
func (c *Catalog) Follow(ctx context.Context) error { return c.follow(ctx, false) }

func (c *Catalog) follow(ctx context.Context, strong bool) error {
	err := c.inTurn(ctx, func() error {
		more, err := true, error(nil)
		for more && err == nil {
			more, err = c.followStep(ctx, strong)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("following the catalog: %w", err)
	}
	return nil
}

func (c *Catalog) followStep(ctx context.Context, strong bool) (more bool, err error) {
	now := c.current.Load()
	if now.pieced {
		return true, c.loadNow(ctx, true)
	}
	page, err := c.options.Store.ChangesAndWait(ctx, c.options.Wait,
		command.ChangesPlan{After: now.sequence, Bytes: followBytesMax, Strong: strong})
	if err != nil {
		return false, err
	}
	if page.Trimmed {
		return true, c.loadNow(ctx, true)
	}
	if len(page.Changes) == 0 {
		return false, nil
	}
	next := &state{
		byName: maps.Clone(now.byName), nodes: maps.Clone(now.nodes), cluster: now.cluster, scaled: maps.Clone(now.scaled),
		raised: now.raised, sequence: page.Changes[len(page.Changes)-1].Sequence,
	}
	for _, change := range page.Changes {
		if len(change.After) == 0 {
			next.drop(change.Before)
		} else if err := next.take(change.After); err != nil {
			return false, err
		}
	}
	c.publish(next)
	return next.sequence < page.Shard.Last, nil
}

// reach brings the map at least up to a change that partition 1 has answered for.
func (c *Catalog) reach(ctx context.Context, sequence uint64) error {
	if err := c.follow(ctx, false); err == nil && c.current.Load().sequence >= sequence {
		return nil
	}
	return c.follow(ctx, true)
}

// Sync brings the map up to everything that was answered for anywhere before the call. Those who ask at the same time
// share one look at partition 1.
func (c *Catalog) Sync(ctx context.Context) error {
	f, before, first := c.syncs.join()
	if !first {
		if err := c.options.Wait(ctx, f.done); err != nil {
			return err
		}
		return f.failed
	}
	// Others wait for this one: it does not end with its caller.
	ctx = context.WithoutCancel(ctx)
	var waited error
	if before != nil {
		waited = c.options.Wait(ctx, before.done)
	}
	err := errors.Join(waited, c.follow(ctx, true))
	c.syncs.end(f, err)
	return err
}

// Splitting tells whether, with all that was answered for anywhere before the call, the map may lack the right half of a partition of a
// table, or of an index's hidden table, that has been split: the split is reserved and not entered yet.
func (c *Catalog) Splitting(ctx context.Context, tableID uint64) (bool, error) {
	if err := c.Sync(ctx); err != nil {
		return false, err
	}
	entry, ok := c.EntryByTable(tableID)
	return ok && slices.ContainsFunc(entry.Splits, func(s Reservation) bool {
		return s.Table == tableID && !slices.ContainsFunc(entry.Partitions[tableID], func(p Partition) bool { return p.ID == s.Child })
	}), nil
}

// Find is Entry for a table that has to be there: before it answers ErrMissing, it asks whether another node has made the table a moment ago.
func (c *Catalog) Find(ctx context.Context, name string) (*Entry, error) {
	entry, ok := c.Entry(name)
	if !ok {
		if err := c.Sync(ctx); err != nil {
			return nil, fmt.Errorf("looking for table %s: %w", name, err)
		}
		entry, ok = c.Entry(name)
	}
	if !ok {
		return nil, fmt.Errorf("table %s: %w", name, ErrMissing)
	}
	return entry, nil
}

// syncs are the looks at partition 1: one under way at most, and one that begins after it, for all who come meanwhile.
type syncs struct {
	mu          sync.Mutex
	under, next *look
}

type look struct {
	done   chan struct{}
	failed error
}

// join finds the look that begins after the call, and the one that has to end before. The first to join has to make it.
func (s *syncs) join() (mine, before *look, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.under == nil:
		s.under = &look{done: make(chan struct{})}
		return s.under, nil, true
	case s.next == nil:
		s.next = &look{done: make(chan struct{})}
		return s.next, s.under, true
	}
	return s.next, nil, false
}

// end tells all who joined a look what came of it.
func (s *syncs) end(l *look, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.failed = err
	s.under, s.next = s.next, nil
	close(l.done)
}
