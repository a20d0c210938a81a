package replica

import (
	"fmt"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Read answers with the item under a key. done comes before Read returns unless the key is in flight.
//
// The engine shows a batch before it is durable. So the value is read first and the in-flight set looked at after: a key
// that is not in the set then was durable when it was read, or not yet visible.
func (r *Replica) Read(g *command.Get, done func(command.GetResult, error)) {
	key := keys.Data(g.Table, g.Key)
	value, found, err := r.options.Engine.Get(key, nil)
	if err != nil {
		done(command.GetResult{}, fmt.Errorf("reading an item: %w", err))
		return
	}
	result := command.GetResult{}
	if found {
		item, err := record.ParseItem(value)
		if err != nil {
			done(result, fmt.Errorf("reading an item: %w", err))
			return
		}
		if !item.Deleted {
			result.Item, result.Size = item.Attributes, int(item.Size)
		}
	}
	r.mu.Lock()
	err = r.readRefusal(g.Table, g.TableVersion, g.Strong)
	if err == nil && !r.performed.Descriptor.Bounds.Holds(g.Key) {
		err = machine.StaleRoute(r.performed.Descriptor)
	}
	batch := r.flight.touching(key)
	if err == nil && batch != 0 {
		r.flight.waits = append(r.flight.waits, wait{batch: batch, done: func(err error) { done(result, err) }})
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	if err != nil {
		result = command.GetResult{}
	}
	done(result, err)
}

// readRefusal tells why a read of this table cannot be served here. The caller holds mu.
func (r *Replica) readRefusal(tableID, version uint64, strong bool) error {
	if r.broken != nil {
		return &command.Rejected{Cause: r.broken}
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

// Warm brings what a command will be decided on into the engine's cache, so that the decision loop does not wait for the
// disk. What it finds is not used: it may be old by then.
func (r *Replica) Warm(c *command.Command) {
	if len(c.Key) == 0 {
		return
	}
	// A failed read is met again, and answered, by the decision.
	_, _, _ = r.options.Engine.Get(keys.Data(c.Table, c.Key), nil)
}
