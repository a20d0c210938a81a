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
	after.Backfills = backfills(state, description)
	after.Expiry = expiryAfter(state, description)
	after.Streams = streams(&state, &after)
	after.Cursors = cursors(&state, &after)
	if !state.Indexed() || !after.Indexed() {
		after.Applied.UnfedBytes = 0
	}
	// What nobody has read goes with its readers: an index that is added later must not be fed from a log that says
	// nothing of the time between.
	gone := after.trim()
	b := ofPart(Adopts, state, after)
	b.Ranges = gone
	if was := timeToLive(state.Table); was != "" && was != description.TimeToLive {
		b.Ranges = append(b.Ranges, Whole(keys.SpaceExpiry, state.Descriptor.Partition))
	}
	return b, nil
}

// backfills drops the progress of indexes that are gone and begins that of new ones. An index is fed from here on, and
// from nothing older: the changes that undid an older one may have been consumed already, since at a split the left half
// keeps the log of both while the right half's goes on.
func backfills(state Part, t *table.Table) map[uint64]command.Backfill {
	kept := map[uint64]command.Backfill{}
	for i := range t.Global {
		id := t.Global[i].ID
		progress, ok := state.Backfills[id]
		if !ok {
			progress.Since = state.Applied.Sequence
		}
		kept[id] = progress
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
	if len(after.Streams) == 0 && len(before.Streams) > 0 {
		writes = append(writes, Write{Key: keys.Part(id, nameStreams)})
	}
	if len(after.Cursors) == 0 && len(before.Cursors) > 0 {
		writes = append(writes, Write{Key: keys.Part(id, nameCursors)})
	}
	if after.Expiry == nil && before.Expiry != nil {
		writes = append(writes, Write{Key: keys.Part(id, nameExpiry)})
	}
	return Batch{
		Kind: kind, Epoch: before.Applied.Epoch, Chain: after.Applied.Chain, Generation: before.Descriptor.Generation,
		Writes: writes, After: after,
	}
}
