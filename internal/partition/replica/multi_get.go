package replica

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/base/trace"
	"stator/internal/model/capacity"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

var errChanging = errors.New("the partition is about to change")

// ReadTogether answers with some items as they were together at one moment, and with who has locked them.
func (r *Replica) ReadTogether(g *command.MultiGet, done func([]command.Seen, error)) {
	r.readTogetherBehind(r.options.Log.Barrier, g, done)
}

func (r *Replica) readTogetherBehind(barrier func(done func(error)), g *command.MultiGet, done func([]command.Seen, error)) {
	if !r.bound.takes(capacity.Reads, leastTogether(g)) {
		done(nil, &command.BeyondBound{})
		return
	}
	barrier(func(err error) {
		if err != nil {
			done(nil, unconfirmed(err))
			return
		}
		r.readTogether(g, done)
	})
}

func leastTogether(g *command.MultiGet) float64 { return capacity.Read(0, true) * float64(len(g.Keys)) }

// readTogether is ReadTogether behind the barrier. What it shows comes out of one snapshot, the partition's own state too:
// the newest deletion, and whether anything is locked. The in-flight set is looked at after.
func (r *Replica) readTogether(g *command.MultiGet, done func([]command.Seen, error)) {
	snapshot := r.options.Engine.Snapshot()
	seen, err := r.together(snapshot, g)
	if closed := snapshot.Close(); err == nil {
		err = closed
	}
	if err != nil {
		done(nil, r.unreadable(fmt.Errorf("reading items together: %w", err)))
		return
	}
	r.servedTogether(g, seen)
	r.mu.Lock()
	err = r.readRefusal(g.Table, g.TableVersion, true)
	if err == nil && r.flight.touching(machine.DescriptorKey(r.options.Partition)) != 0 {
		// The snapshot may show a half of the partition that is not told of yet, which counts its own locks only.
		err = &command.Rejected{Cause: errChanging}
	}
	newest := uint64(0)
	for _, suffix := range g.Keys {
		if err == nil && !r.performed.Descriptor.Bounds.Holds(suffix) {
			err = machine.StaleRoute(r.performed.Descriptor)
		}
		newest = max(newest, r.flight.touching(keys.Data(g.Table, suffix)), r.flight.touching(keys.Lock(g.Table, suffix)))
	}
	if err == nil && newest != 0 {
		err = r.flight.await(newest, func(err error) {
			if err != nil {
				seen = nil
			}
			done(seen, err)
		})
		if err == nil {
			r.mu.Unlock()
			return
		}
	}
	r.mu.Unlock()
	if err != nil {
		seen = nil
	}
	done(seen, err)
}

// servedTogether counts what was read. A transaction mostly reads twice, and pays for both.
func (r *Replica) servedTogether(g *command.MultiGet, seen []command.Seen) {
	beyond := -leastTogether(g)
	for i := range seen {
		units := capacity.Read(int64(seen[i].Size), true)
		beyond += units
		r.traffic.add(capacity.Reads, g.Keys[i], units)
	}
	r.bound.charge(capacity.Reads, beyond)
}

func (r *Replica) together(snapshot *engine.Snapshot, g *command.MultiGet) ([]command.Seen, error) {
	applied, err := machine.LoadApplied(snapshot, r.options.Partition)
	if err != nil {
		return nil, err
	}
	all := make([]command.Seen, len(g.Keys))
	for i, suffix := range g.Keys {
		if all[i], err = seenUnder(snapshot, g.Table, suffix, applied.Locks > 0); err != nil {
			return nil, err
		}
		if all[i].Item == nil {
			all[i].LastDelete = applied.LastDelete
		}
	}
	return all, nil
}

func seenUnder(snapshot *engine.Snapshot, table uint64, suffix []byte, lookForLock bool) (s command.Seen, err error) {
	stored, found, err := snapshot.Get(keys.Data(table, suffix))
	if err != nil {
		return s, err
	}
	if found {
		item, err := record.ParseItem(stored)
		if err != nil {
			return s, err
		}
		if !item.Deleted {
			s.Item, s.Size, s.Version = item.Attributes, int(item.Size), item.Version
		}
	}
	if !lookForLock {
		return s, nil
	}
	if stored, found, err = snapshot.Get(keys.Lock(table, suffix)); err != nil || !found {
		return s, err
	}
	held, err := record.ParseLock(stored)
	s.Holder = command.TransactionID(held.ID)
	return s, err
}

// ReadTogetherAndWait is ReadTogether for a caller that may block; it mostly does not.
func (r *Replica) ReadTogetherAndWait(ctx context.Context, wait Wait, g *command.MultiGet) ([]command.Seen, error) {
	var a answer[[]command.Seen]
	within, reading := trace.Begin(ctx, trace.StorageRead)
	r.readTogetherBehind(r.blocking(within, wait), g, a.take)
	reading.End(nil)
	return a.get(ctx, wait)
}
