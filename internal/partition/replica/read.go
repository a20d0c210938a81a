package replica

import (
	"errors"
	"fmt"

	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Read answers with the item under a key. done comes before Read returns unless the key is in flight, or the barrier of a
// strong read waits.
func (r *Replica) Read(g *command.Get, done func(command.GetResult, error)) {
	r.readBehind(r.options.Log.Barrier, g, done)
}

func (r *Replica) readBehind(barrier func(done func(error)), g *command.Get, done func(command.GetResult, error)) {
	if least := capacity.Read(0, g.Strong); !r.bound.takes(capacity.Reads, least) {
		done(command.GetResult{}, &command.BeyondBound{})
		return
	}
	if !g.Strong {
		r.read(g, done)
		return
	}
	barrier(func(err error) {
		if err != nil {
			done(command.GetResult{}, unconfirmed(err))
			return
		}
		r.read(g, done)
	})
}

// read is Read behind the barrier.
//
// The engine shows a batch before it is durable. So the value is read first and the in-flight set looked at after: a key
// that is not in the set then was durable when it was read, or not yet visible. The engine also lets go of what a snapshot
// replaces a moment before it shows what comes: a read during which that began or ended may have found neither.
func (r *Replica) read(g *command.Get, done func(command.GetResult, error)) {
	key := keys.Data(g.Table, g.Key)
	result := command.GetResult{}
	if g.Lend {
		result.Arena = attr.NewArena()
	}
	replacements := r.replacements.Load()
	value, found, err := r.options.Engine.GetInto(result.Arena.Rest(), key)
	if err != nil {
		done(command.GetResult{}, r.unreadable(fmt.Errorf("reading an item: %w", err)))
		return
	}
	if found {
		item, err := record.ParseItem(value)
		if err != nil {
			done(command.GetResult{}, fmt.Errorf("reading an item: %w", err))
			return
		}
		if !item.Deleted {
			result.Item, result.Size = item.Attributes, int(item.Size)
		}
	}
	units := capacity.Read(int64(result.Size), g.Strong)
	r.bound.charge(capacity.Reads, units-capacity.Read(0, g.Strong))
	r.traffic.add(capacity.Reads, g.Key, units)
	r.mu.Lock()
	err = r.readRefusal(g.Table, g.TableVersion, g.Strong)
	if err == nil && r.replacements.Load() != replacements {
		err = &command.Rejected{Cause: errReplacing}
	}
	if err == nil && !r.performed.Descriptor.Bounds.Holds(g.Key) {
		err = machine.StaleRoute(r.performed.Descriptor)
	}
	if batch := r.flight.touching(key); err == nil && batch != 0 {
		err = r.flight.await(batch, func(err error) {
			if err != nil {
				result = command.GetResult{}
			}
			done(result, err)
		})
		if err == nil {
			r.mu.Unlock()
			return
		}
	}
	r.mu.Unlock()
	if err != nil {
		result = command.GetResult{}
	}
	done(result, err)
}

// unreadable is the answer to a read that failed. Where others have a copy, a file that is damaged ends this one, so that one of
// those serves what it held; alone it goes on, as what can be read is served.
func (r *Replica) unreadable(err error) error {
	state := r.State()
	_, damaged := errors.AsType[*engine.ErrCorrupt](err)
	switch {
	case errors.Is(err, engine.ErrReplaced): // a snapshot came to this copy meanwhile
	case damaged && !state.Descriptor.Alone():
		r.quarantine(err)
	default:
		return err
	}
	return &command.Rejected{Cause: err}
}

// unconfirmed is the answer to a strong read whose barrier failed: it says where the leader is, if the log knows.
func unconfirmed(err error) error {
	var elsewhere *command.NotLeader
	if errors.As(err, &elsewhere) {
		return elsewhere
	}
	return &command.Rejected{Cause: err}
}

// readRefusal tells why a read of this table cannot be served here. The caller holds mu.
func (r *Replica) readRefusal(tableID, version uint64, strong bool) error {
	if r.broken != nil {
		return &command.Rejected{Cause: r.broken}
	}
	if r.replacing {
		return &command.Rejected{Cause: errReplacing}
	}
	if strong && !r.leading {
		return &command.NotLeader{Hint: r.hint}
	}
	if tableID != r.performed.Descriptor.Table {
		return machine.StaleRoute(r.performed.Descriptor)
	}
	if r.performed.Table == nil || r.performed.Table.Version != version {
		have := uint64(0)
		if r.performed.Table != nil {
			have = r.performed.Table.Version
		}
		return &command.StaleTable{Have: have}
	}
	return nil
}
