package replica

import (
	"fmt"

	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Trimmed is the answer to a reader of the change log who comes too late: the changes up to First are gone.
type Trimmed struct{ First uint64 }

func (e *Trimmed) Error() string { return fmt.Sprintf("the change log begins at %d", e.First) }

// Changes returns the changes that follow sequence after, oldest first, until bytesMax is reached, one at least: none if
// there are none yet. Only what is durable is shown.
func (r *Replica) Changes(after uint64, bytesMax int) ([]record.Change, error) {
	state := r.State()
	if after >= state.Applied.Sequence {
		return nil, nil
	}
	if after+1 < state.Applied.First {
		return nil, &Trimmed{First: state.Applied.First}
	}
	id := state.Descriptor.Partition
	snapshot := r.options.Engine.Snapshot()
	defer snapshot.Close()
	iterator, err := snapshot.Iter(keys.Log(id, after+1), keys.Log(id, state.Applied.Sequence+1))
	if err != nil {
		return nil, fmt.Errorf("reading the change log of partition %d: %w", id, err)
	}
	defer iterator.Close()
	var changes []record.Change
	size := 0
	for ok := iterator.First(); ok && (size < bytesMax || len(changes) == 0); ok = iterator.Next() {
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
		return nil, &Trimmed{First: max(after+2, r.State().Applied.First)}
	}
	return changes, nil
}
