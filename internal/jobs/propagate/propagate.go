// Package propagate feeds global indexes from the change logs of their tables' partitions. It does not know of items
// older than an index.
package propagate

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/record"
)

// stepBytesMax bounds the changes read in one step.
const stepBytesMax = 2 << 20

// Router brings entries to the partitions of an index.
type Router interface {
	Feed(ctx context.Context, c *command.Command) error
}

// Job is the feeding of indexes from one node's partitions.
type Job struct {
	Router    Router
	Wait      replica.Wait
	NowMillis func() int64
}

// Step feeds the next changes of one partition and saves how far it came. more tells that there may be further ones. A command.BeyondBound is
// no failure: a part of an index cannot take more now, which the partition is told, and the same changes are to be fed again a little later.
func (j *Job) Step(ctx context.Context, r *replica.Replica) (more bool, err error) {
	if state := r.State(); state.Unfed() == 0 {
		return false, nil
	}
	// What is sent is as old as the look at what has not been fed, and only who leads may look: a copy that slept while others led would
	// bring what they have fed since, and the index may have forgotten by now that it is gone.
	sent := j.NowMillis()
	if err := r.Confirm(ctx, j.Wait); err != nil {
		return false, led(err)
	}
	state := r.State()
	changes, err := r.Changes(state.Cursor(command.IndexConsumer), stepBytesMax)
	var trimmed *command.Trimmed
	if errors.As(err, &trimmed) {
		return false, nil // an adopt is ending the log, and what nobody has read goes with it
	}
	if err != nil || len(changes) == 0 {
		return false, err
	}
	// The description is read after the changes: one read before them might not know an index that was adopted between,
	// whose first changes would then be consumed without having been fed to it.
	state = r.State()
	if state.Table == nil || len(state.Table.Global) == 0 || state.Table.State == table.Deleting {
		return false, nil
	}
	for i := range state.Table.Global {
		ix := &state.Table.Global[i]
		if ix.Status == table.IndexDeleting {
			continue
		}
		err := j.feed(ctx, &command.Command{
			Action: command.Feed, Table: ix.ID, Consumer: command.IndexConsumer, SentMillis: sent,
			Entries: entries(state.Table, ix, recordedFor(state, ix, changes)),
		})
		if busy, ok := errors.AsType[*command.BeyondBound](err); ok {
			r.Busy(ix.ID, busy.Of)
			return true, err
		}
		r.Busy(ix.ID, nil)
		if err != nil {
			return false, fmt.Errorf("feeding index %s of table %s: %w", ix.Name, state.Table.Name, err)
		}
	}
	_, err = r.WriteAndWait(ctx, j.Wait, &command.Command{
		Action: command.Consume, Consumer: command.IndexConsumer, Sequence: changes[len(changes)-1].Sequence,
	})
	return true, err
}

// recordedFor are the changes that came after the partition adopted an index. What is older the backfill brings, as it
// is by then.
func recordedFor(state machine.Part, ix *table.Index, changes []record.Change) []record.Change {
	since := state.Backfills[ix.ID].Since
	return changes[sort.Search(len(changes), func(i int) bool { return changes[i].Sequence > since }):]
}

func entries(t *table.Table, ix *table.Index, changes []record.Change) []command.Entry {
	var all []command.Entry
	for i := range changes {
		all = append(all, machine.IndexEntries(t, ix, &changes[i])...)
	}
	return all
}

func (j *Job) feed(ctx context.Context, c *command.Command) error {
	if len(c.Entries) == 0 {
		return nil
	}
	return j.Router.Feed(ctx, c)
}

// led is why a copy could not be asked, unless another one leads: that one feeds.
func led(err error) error {
	if _, follows := errors.AsType[*command.NotLeader](err); follows {
		return nil
	}
	return err
}
