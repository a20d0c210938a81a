package replica

import (
	"fmt"
	"math"
	"sort"

	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Changes returns the changes that follow sequence after, oldest first, until bytesMax is reached, one at least: none if
// there are none yet. Only what is durable is shown.
func (r *Replica) Changes(after uint64, bytesMax int) ([]record.Change, error) {
	return r.ChangesUpTo(math.MaxUint64, after, math.MaxInt, bytesMax)
}

// ChangesUpTo is Changes up to sequence last, and no more than countMax of them.
func (r *Replica) ChangesUpTo(last, after uint64, countMax, bytesMax int) ([]record.Change, error) {
	changes, err := r.changesUpTo(last, after, countMax, bytesMax)
	if err != nil {
		err = r.unreadable(err)
	}
	return changes, err
}

func (r *Replica) changesUpTo(last, after uint64, countMax, bytesMax int) ([]record.Change, error) {
	state := r.State()
	last = min(last, state.Applied.Sequence)
	if after >= last {
		return nil, nil
	}
	if after+1 < state.Applied.First {
		return nil, &command.Trimmed{First: state.Applied.First}
	}
	id := state.Descriptor.Partition
	iterator, err := r.options.Engine.Iter(keys.Log(id, after+1), keys.Log(id, last+1))
	if err != nil {
		return nil, fmt.Errorf("reading the change log of partition %d: %w", id, err)
	}
	defer iterator.Close()
	var changes []record.Change
	size := 0
	for ok := iterator.First(); ok && len(changes) < countMax && (size < bytesMax || len(changes) == 0); ok = iterator.Next() {
		value, err := iterator.Value()
		if err != nil {
			return nil, fmt.Errorf("reading the change log of partition %d: %w", id, err)
		}
		change, err := record.ParseChange(append([]byte(nil), value...))
		if err != nil {
			return nil, fmt.Errorf("reading the change log of partition %d: %w", id, err)
		}
		size += len(value)
		changes = append(changes, change)
	}
	if err := iterator.Err(); err != nil {
		return nil, fmt.Errorf("reading the change log of partition %d: %w", id, err)
	}
	// The state said that the next change is there: what is missing went between the two looks.
	if len(changes) == 0 || changes[0].Sequence != after+1 {
		return nil, &command.Trimmed{First: max(after+2, r.State().Applied.First)}
	}
	return changes, nil
}

// ChangeSince is the first change from first to last whose version is at least version, last+1 if there is none: the
// versions of a log rise, but for those of transactions, which may be a moment older than what stands before them.
func (r *Replica) ChangeSince(first, last, version uint64) (uint64, error) {
	id := r.State().Descriptor.Partition
	var failed error
	at := sort.Search(int(last+1-first), func(i int) bool {
		change, err := r.changeAt(id, first+uint64(i))
		if err != nil {
			failed = err
		}
		return failed != nil || change.Version >= version
	})
	return first + uint64(at), failed
}

func (r *Replica) changeAt(partition, sequence uint64) (record.Change, error) {
	value, found, err := r.options.Engine.Get(keys.Log(partition, sequence))
	if err != nil {
		return record.Change{}, fmt.Errorf("reading change %d of partition %d: %w", sequence, partition, err)
	}
	if !found {
		return record.Change{}, &command.Trimmed{First: max(sequence+1, r.State().Applied.First)}
	}
	return record.ParseChange(value)
}
