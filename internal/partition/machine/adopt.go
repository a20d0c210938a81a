package machine

import (
	"fmt"

	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// Adopt is the batch that puts a table's description into the partition's state. Nothing is in flight. It is empty when
// the partition has this version or a newer one.
func Adopt(state Part, description *table.Table) (Batch, error) {
	if description.ID != state.Descriptor.Table {
		return Batch{}, fmt.Errorf("partition %d belongs to table %d, not %d",
			state.Descriptor.Partition, state.Descriptor.Table, description.ID)
	}
	if state.Table != nil && state.Table.Version >= description.Version {
		return Batch{After: state}, nil
	}
	after := state
	after.Table = description
	after.Descriptor.Generation++
	after.Applied.Chain++
	after.Backfills = keptBackfills(state.Backfills, description)
	return ofPart(Adopts, state, after), nil
}

// keptBackfills drops the progress of indexes that are gone.
func keptBackfills(progress map[uint64]command.Backfill, t *table.Table) map[uint64]command.Backfill {
	kept := map[uint64]command.Backfill{}
	for id, p := range progress {
		if _, ok := t.GlobalIndexByID(id); ok {
			kept[id] = p
		}
	}
	return kept
}

// ofPart is a batch that replaces the records of space part.
func ofPart(kind Kind, before, after Part) Batch {
	id := after.Descriptor.Partition
	writes := after.Writes()
	if len(after.Backfills) == 0 && len(before.Backfills) > 0 {
		writes = append(writes, Write{Key: keys.Part(id, nameBackfills)})
	}
	return Batch{
		Kind: kind, Epoch: before.Applied.Epoch, Chain: after.Applied.Chain, Generation: before.Descriptor.Generation,
		Writes: writes, After: after,
	}
}
