package replication

import (
	"errors"
	"fmt"
	"slices"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
	"stator/sim/history"
	"stator/sim/rows"
)

// versions reads every item's history out of the change logs at rest: all its states, oldest first, beginning with none. Each
// change begins where the one before it ended, and the last one left the item as it is.
func (w *world) versions() (map[string][]attr.Map, error) {
	changes := map[string][]record.Change{}
	items := map[string]attr.Map{}
	for _, at := range w.layout.places {
		leads, ok := w.leader(at.id)
		if !ok {
			return nil, fmt.Errorf("partition %d has no leader", at.id)
		}
		if err := read(leads, at.id, changes, items); err != nil {
			return nil, fmt.Errorf("reading partition %d on node %d: %w", at.id, leads.Number, err)
		}
	}
	versions := map[string][]attr.Map{}
	for key, list := range changes {
		slices.SortFunc(list, func(a, b record.Change) int { return int(int64(a.Version) - int64(b.Version)) })
		states := []attr.Map{nil}
		for i, change := range list {
			if i > 0 && change.Version == list[i-1].Version {
				return nil, fmt.Errorf("item %x has two changes of version %d", key, change.Version)
			}
			if string(change.Before) != string(states[len(states)-1]) {
				return nil, fmt.Errorf("change %d of item %x begins with %s, the one before it ended with %s", change.Sequence, key,
					history.Shown(change.Before), history.Shown(states[len(states)-1]))
			}
			states = append(states, change.After)
		}
		versions[key] = states
	}
	for key := range items {
		if versions[key] == nil {
			return nil, fmt.Errorf("item %x is there, and no change tells of it", key)
		}
	}
	for key, states := range versions {
		if string(states[len(states)-1]) != string(items[key]) {
			return nil, fmt.Errorf("item %x is not as its last change left it", key)
		}
	}
	return versions, nil
}

// read collects a partition's changes and items.
func read(n *node, id uint64, changes map[string][]record.Change, items map[string]attr.Map) (err error) {
	snapshot := n.engine.Snapshot()
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	state := n.copies[id].replica.State()
	next := state.Applied.First
	prefix := keys.Prefix(keys.SpaceLog, id)
	err = each(snapshot, command.Bounds{Lower: prefix, Upper: keys.SuccessorPrefix(prefix)}, func(_, value []byte) error {
		change, err := record.ParseChange(value)
		if err != nil {
			return err
		}
		if change.Sequence != next {
			return fmt.Errorf("the change log has change %d at the place of %d", change.Sequence, next)
		}
		next++
		changes[string(change.Suffix)] = append(changes[string(change.Suffix)], change)
		return nil
	})
	if err == nil && next != state.Applied.Sequence+1 {
		err = fmt.Errorf("the change log ends before %d, the state says %d", next, state.Applied.Sequence)
	}
	if err != nil {
		return err
	}
	data := rows.Spans(state.Descriptor)[0]
	skip := len(keys.Prefix(keys.SpaceData, 0))
	return each(snapshot, data, func(key, value []byte) error {
		item, err := record.ParseItem(value)
		items[string(key[skip:])] = item.Attributes
		return err
	})
}

// each walks a range; what it shows is the caller's to keep.
func each(s *engine.Snapshot, b command.Bounds, do func(key, value []byte) error) error {
	it, err := s.Iter(b.Lower, b.Upper)
	if err != nil {
		return err
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var value []byte
		if value, err = it.Value(); err == nil {
			err = do(slices.Clone(it.Key()), slices.Clone(value))
		}
	}
	return errors.Join(err, it.Close())
}

// checkAcknowledged finds every acknowledged write in its item's history, and once.
func (w *world) checkAcknowledged(versions map[string][]attr.Map) error {
	for _, o := range w.history.Done() {
		if o.Write == nil || o.Unknown || o.Result.Refusal != command.Accepted || len(o.Result.After) == 0 {
			continue
		}
		count := 0
		for _, state := range versions[o.Item.Key] {
			if string(state) == string(o.Result.After) {
				count++
			}
		}
		if count != 1 {
			return fmt.Errorf("client %d %s of item %x is acknowledged, and %d times in the change log", o.Client, o, o.Item.Key, count)
		}
	}
	return nil
}
