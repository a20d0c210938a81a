package split

import (
	"context"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
)

// census is the statistics that the left half began with, and how to count the true ones as of then.
type census struct {
	estimated command.Stats
	count     func() (command.Stats, error)
}

// drop lets a census go that is not wanted any more.
func (c census) drop() error {
	if c.count == nil {
		return nil
	}
	_, err := c.count()
	return err
}

// correct mends the statistics the halves began with, once requests find both.
func (j *Job) correct(ctx context.Context, s catalog.Reservation, c census) error {
	truth, err := c.count()
	if err != nil {
		return fmt.Errorf("counting partition %d after its split: %w", s.Parent, err)
	}
	missing := minus(truth, c.estimated)
	if err := j.add(ctx, s.Table, s.Parent, missing); err != nil {
		return err
	}
	return j.add(ctx, s.Table, s.Child, minus(command.Stats{}, missing))
}

// recount sets a partition's statistics right after a crash, before anything else writes to it.
func (j *Job) recount(ctx context.Context, tableID, partition uint64) error {
	r, ok := j.Host.Replica(partition)
	if !ok {
		return fmt.Errorf("partition %d did not start", partition)
	}
	state := r.State()
	truth, err := j.Host.Counted(state.Descriptor)()
	if err != nil {
		return fmt.Errorf("counting partition %d after a crash: %w", partition, err)
	}
	return j.add(ctx, tableID, partition, minus(truth, state.Applied.Stats))
}

func (j *Job) add(ctx context.Context, tableID, partition uint64, missing command.Stats) error {
	correct := &command.Command{Action: command.Correct, Correction: missing}
	if j.Leaders != nil {
		return j.addElsewhere(ctx, tableID, partition, correct)
	}
	r, ok := j.Host.Replica(partition)
	if !ok {
		return fmt.Errorf("partition %d did not start", partition)
	}
	_, err := r.WriteAndWait(ctx, j.Wait, correct)
	return err
}

func minus(a, b command.Stats) command.Stats {
	d := command.Stats{Items: a.Items - b.Items, Bytes: a.Bytes - b.Bytes, Local: map[uint32]command.Tally{}}
	for index, tally := range a.Local {
		d.Local[index] = tally
	}
	for index, tally := range b.Local {
		left := d.Local[index]
		d.Local[index] = command.Tally{Items: left.Items - tally.Items, Bytes: left.Bytes - tally.Bytes}
	}
	return d
}
