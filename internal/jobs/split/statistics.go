package split

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// census is how to count what the statistics of a partition lack since a generation of it began.
type census struct {
	generation uint64
	count      func() (missing command.Stats, err error)
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
	missing, err := c.count()
	if err != nil {
		return fmt.Errorf("counting partition %d after its split: %w", s.Parent, err)
	}
	if err := j.add(ctx, half{s.Table, s.Parent, c.generation}, missing); err != nil {
		return err
	}
	return j.add(ctx, half{s.Table, s.Child, 1}, command.Stats{}.Minus(missing))
}

// half is one of a split partition's, in the generation in which its statistics were estimated.
type half struct{ table, partition, generation uint64 }

// add corrects a half. One that changed since is counted anew: somebody may have done so meanwhile.
func (j *Job) add(ctx context.Context, h half, missing command.Stats) error {
	correct := &command.Command{Action: command.Correct, Generation: h.generation, Correction: missing}
	err := j.write(ctx, h, correct)
	if _, moved := errors.AsType[*command.StaleRoute](err); moved {
		return j.recounted(ctx, h.table, h.partition)
	}
	return err
}

func (j *Job) write(ctx context.Context, h half, correct *command.Command) error {
	if j.Leaders != nil {
		return j.writeElsewhere(ctx, h, correct)
	}
	r, ok := j.Host.Replica(h.partition)
	if !ok {
		return fmt.Errorf("partition %d did not start", h.partition)
	}
	_, err := r.WriteAndWait(ctx, j.Wait, correct)
	return err
}

// Recount sets the statistics of a partition right that is led here: what an order asks for.
func (j *Job) Recount(ctx context.Context, partition uint64) error {
	r, leads := j.Host.Led(partition)
	if !leads {
		return &command.NotLeader{}
	}
	for range triesMax {
		err := j.recount(ctx, r)
		if _, moved := errors.AsType[*command.StaleRoute](err); !moved {
			return err
		}
	}
	return fmt.Errorf("counting partition %d: %w", partition, errMoving)
}

var errMoving = errors.New("it changes all the time")

// recount counts what was there at a change of generation alone: then the partition stands still.
func (j *Job) recount(ctx context.Context, r *replica.Replica) error {
	d := r.State().Descriptor
	counted, err := j.perform(ctx, r, catalog.Reservation{Generation: d.Generation})
	if err != nil {
		return errors.Join(err, counted.drop())
	}
	missing, err := counted.count()
	if err != nil {
		return fmt.Errorf("counting partition %d: %w", d.Partition, err)
	}
	_, err = r.WriteAndWait(ctx, j.Wait, &command.Command{
		Action: command.Correct, Generation: counted.generation, Correction: missing,
	})
	return err
}
