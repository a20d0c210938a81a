package split

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
)

// BytesMax is how large a partition becomes, as DynamoDB's do.
const BytesMax = 10 << 30

// How long a partition is left alone after a split that failed: one that has no middle for long, since to find that out all of it was
// read; else until what stood in the way, such as a node out of reach, may have passed.
const (
	restMillis  = 10 * 60 * 1000
	againMillis = 10 * 1000
)

// Step reads on in a partition that has grown too large, and splits it once its middle is found; else it splits one that is too wide for
// what is warm. It tells whether there was one: then the next step comes after a pause, so that requests have the disk meanwhile.
//
// It runs where the partition is led, who knows what it holds, whether its replicas are at hand, and how far the search is.
func (j *Job) Step(ctx context.Context) (more bool, err error) {
	for _, id := range j.Host.Large(j.BytesMax) {
		if !j.wants(id) {
			continue
		}
		if _, err := j.Of(ctx, id, nil); err != nil {
			return j.failed(ctx, id, fmt.Errorf("splitting partition %d, which holds more than %d bytes: %w", id, j.BytesMax, err))
		}
		return ctx.Err() == nil, nil
	}
	if !j.Warm {
		return false, nil
	}
	return j.spread(ctx)
}

// failed leaves a partition alone for a while that Step could not split, unless that is sure to pass.
func (j *Job) failed(ctx context.Context, partition uint64, err error) (more bool, _ error) {
	switch {
	case passing(err) || ctx.Err() != nil:
		return ctx.Err() == nil, nil
	case errors.Is(err, ErrNothing):
		j.rest(partition, restMillis)
	default:
		j.rest(partition, againMillis)
	}
	return true, err
}

// wants tells whether a partition is to be split by Step now.
func (j *Job) wants(partition uint64) bool {
	return j.NowMillis() >= j.resting[partition] && j.settled(partition)
}

// settled tells that a partition here is of a table that neither comes nor goes, and that no split of it is under way.
func (j *Job) settled(partition uint64) bool {
	r, ok := j.Host.Replica(partition)
	if !ok {
		return false
	}
	id := r.State().Descriptor.Table
	entry, ok := j.Catalog.EntryByTable(id)
	if !ok || !stays(entry.Table, id) || born(entry.Table, id) {
		return false
	}
	for _, s := range entry.Splits {
		if s.Parent == partition || s.Child == partition {
			return false
		}
	}
	return true
}

func (j *Job) rest(partition uint64, millis int64) {
	now := j.NowMillis()
	for id, until := range j.resting {
		if until <= now {
			delete(j.resting, id)
		}
	}
	if j.resting == nil {
		j.resting = map[uint64]int64{}
	}
	j.resting[partition] = now + millis
}

// passing tells whether a split came too late or too early, as happens.
func passing(err error) bool {
	_, stale := errors.AsType[*command.StaleRoute](err)
	_, moved := errors.AsType[*command.NotLeader](err)
	return stale || moved || errors.Is(err, catalog.ErrMissing) || errors.Is(err, errLooking)
}
