package replica

import (
	"fmt"

	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Scan answers with a page of a plan. It reads a snapshot taken before the in-flight set is looked at, within bounds no wider
// than that snapshot has them: a split leaves the right half's rows where they are.
func (r *Replica) Scan(p *command.Plan, done func(command.Page, error)) {
	r.scanBehind(r.options.Log.Barrier, p, done)
}

func (r *Replica) scanBehind(barrier func(done func(error)), p *command.Plan, done func(command.Page, error)) {
	if least := capacity.Read(0, p.Strong); !p.Raw {
		if !r.bound.takes(capacity.Reads, least) {
			done(command.Page{}, &command.BeyondBound{})
			return
		}
		answer := done
		done = func(page command.Page, err error) {
			units := capacity.Read(page.Bytes, p.Strong) + capacity.Fetched(page.FetchUnits, p.Strong)
			r.bound.charge(capacity.Reads, units-least)
			if err == nil {
				r.traffic.add(capacity.Reads, p.Lower, units)
			}
			answer(page, err)
		}
	}
	if !p.Strong {
		r.scan(p, done)
		return
	}
	barrier(func(err error) {
		if err != nil {
			done(command.Page{}, unconfirmed(err))
			return
		}
		r.scan(p, done)
	})
}

// scan is Scan behind the barrier.
func (r *Replica) scan(p *command.Plan, done func(command.Page, error)) {
	snapshot := r.options.Engine.Snapshot()
	r.mu.Lock()
	err := r.readRefusal(p.Table, p.TableVersion, p.Strong)
	state := r.walked()
	batch := uint64(0)
	if err == nil {
		batch = r.inFlight(p)
	}
	finish := func(err error) {
		page := command.Page{}
		if err == nil {
			page, err = r.scanSnapshot(snapshot, state, p)
		}
		closed := snapshot.Close()
		if err == nil && closed != nil {
			err = fmt.Errorf("closing a snapshot: %w", closed)
		}
		done(page, err)
	}
	if err == nil && batch != 0 {
		if err = r.flight.await(batch, finish); err == nil {
			r.mu.Unlock()
			return
		}
	}
	r.mu.Unlock()
	finish(err)
}

// walked is what a walk has of the partition's state. A snapshot that was taken before shows the descriptor as it is here or
// as it was before that, with wider bounds, where told is set: a leader has every batch that is seen and not performed in its
// in-flight set. A follower has not.
type walked struct {
	descriptor machine.Descriptor
	told       bool
	adopted    *table.Table
}

// walked is taken after the walk's snapshot. The caller holds mu.
func (r *Replica) walked() walked {
	told := r.leading && r.flight.touching(machine.DescriptorKey(r.options.Partition)) == 0
	return walked{descriptor: r.performed.Descriptor, told: told, adopted: r.performed.Table}
}

// seen is a descriptor whose bounds are no wider than the snapshot has them.
func (w *walked) seen(snapshot *engine.Snapshot) (machine.Descriptor, error) {
	if w.told {
		return w.descriptor, nil
	}
	return machine.LoadDescriptor(snapshot, w.descriptor.Partition)
}

// inFlight is the newest batch under way that writes what the plan reads: its range and, of a walk that fetches, the
// items of the same collections, which change without their entries where an index does not show the change. The caller
// holds mu.
func (r *Replica) inFlight(p *command.Plan) uint64 {
	lower, upper, _ := machine.Span(r.performed.Descriptor, p)
	batch := r.flight.touchingRange(lower, upper)
	if !p.Fetch {
		return batch
	}
	items := command.Plan{Table: p.Table, Lower: p.Lower[:min(len(p.Lower), keys.TokenBytes)]}
	if len(p.Upper) > 0 {
		items.Upper = keys.SuccessorPrefix(p.Upper[:min(len(p.Upper), keys.TokenBytes)])
	}
	lower, upper, _ = machine.Span(r.performed.Descriptor, &items)
	return max(batch, r.flight.touchingRange(lower, upper))
}

// scanSnapshot brings the page. Bytes that no key or item of this release has are a broken invariant of this copy.
func (r *Replica) scanSnapshot(s *engine.Snapshot, state walked, p *command.Plan) (page command.Page, err error) {
	broken := whole(func() error {
		page, err = walk(s, state, p)
		return nil
	})
	if broken != nil {
		r.quarantine(broken)
		return command.Page{}, &command.Rejected{Cause: broken}
	}
	if err != nil {
		err = r.unreadable(err)
	}
	return page, err
}

func walk(snapshot *engine.Snapshot, state walked, p *command.Plan) (command.Page, error) {
	descriptor, err := state.seen(snapshot)
	if err != nil {
		return command.Page{}, err
	}
	if !begins(descriptor, p) {
		return command.Page{}, machine.StaleRoute(descriptor)
	}
	lower, upper, clipped := machine.Span(descriptor, p)
	iterator, err := snapshot.Iter(lower, upper)
	if err != nil {
		return command.Page{}, fmt.Errorf("walking partition %d: %w", descriptor.Partition, err)
	}
	page, err := pageOf(p, iterator, clipped, func(entry attr.Map) (attr.Map, error) {
		return fetch(snapshot, state.adopted, p.Table, entry)
	})
	if err != nil {
		return command.Page{}, fmt.Errorf("walking partition %d: %w", descriptor.Partition, err)
	}
	if page.Reason == command.Done && clipped {
		page.Reason = command.Edge
		page.Next = descriptor.Bounds.Upper
		if p.Reverse {
			page.Next = descriptor.Bounds.Lower
		}
	}
	return page, nil
}

// pageOf walks an iterator and closes it, also when what it meets breaks an invariant.
func pageOf(p *command.Plan, iterator *engine.Iterator, clipped bool, fetch func(attr.Map) (attr.Map, error)) (page command.Page, err error) {
	defer func() {
		if closed := iterator.Close(); err == nil {
			err = closed
		}
	}()
	return machine.Scan(p, &rows{iterator: iterator, reverse: p.Reverse}, clipped, fetch)
}

// begins tells whether the partition holds the end of the plan's range at which the walk starts.
func begins(d machine.Descriptor, p *command.Plan) bool {
	if !p.Reverse {
		return string(p.Lower) >= string(d.Bounds.Lower) && (len(d.Bounds.Upper) == 0 || string(p.Lower) < string(d.Bounds.Upper))
	}
	if len(p.Upper) == 0 {
		return len(d.Bounds.Upper) == 0
	}
	return string(p.Upper) > string(d.Bounds.Lower) && (len(d.Bounds.Upper) == 0 || string(p.Upper) <= string(d.Bounds.Upper))
}

// fetch brings the whole item of a local index entry, from the same snapshot.
func fetch(snapshot *engine.Snapshot, t *table.Table, tableID uint64, entry attr.Map) (attr.Map, error) {
	hash, rng, ok := t.Key.Values(entry)
	if !ok {
		return nil, fmt.Errorf("a local index entry of table %d has no table key", tableID)
	}
	stored, found, err := snapshot.Get(keys.Data(tableID, keys.Suffix(hash, rng)))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("a local index entry of table %d has no item", tableID)
	}
	item, err := record.ParseItem(stored)
	return item.Attributes, err
}

// rows walks an engine iterator in a plan's direction.
type rows struct {
	iterator *engine.Iterator
	reverse  bool
	begun    bool
}

// Next steps to the next row, the first one first.
func (w *rows) Next() bool {
	switch {
	case w.begun && w.reverse:
		return w.iterator.Prev()
	case w.begun:
		return w.iterator.Next()
	}
	w.begun = true
	if w.reverse {
		return w.iterator.Last()
	}
	return w.iterator.First()
}

func (w *rows) Key() []byte            { return w.iterator.Key() }
func (w *rows) Value() ([]byte, error) { return w.iterator.Value() }
func (w *rows) Err() error             { return w.iterator.Err() }
