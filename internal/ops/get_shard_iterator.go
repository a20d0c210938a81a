package ops

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/router"
	"stator/internal/model/api"
	"stator/internal/partition/command"
)

// GetShardIterator makes an iterator that stands before a change of a shard.
func (o *Ops) GetShardIterator(ctx context.Context, in *api.GetShardIteratorInput) (*api.GetShardIteratorOutput, error) {
	if err := o.checkIteratorWish(in); err != nil {
		return nil, err
	}
	return confirmed(ctx, o, func() (*api.GetShardIteratorOutput, error) { return o.shardIterator(ctx, in) })
}

func (o *Ops) shardIterator(ctx context.Context, in *api.GetShardIteratorInput) (*api.GetShardIteratorOutput, error) {
	s, err := o.streamOf(*in.StreamArn)
	if err != nil {
		return nil, err
	}
	name, ok := shardNamed(*in.ShardId)
	if !ok {
		return nil, shardMissing()
	}
	shard, ok, err := o.router.Shard(ctx, s.place(name))
	if err != nil {
		return nil, fmt.Errorf("looking for shard %s: %w", *in.ShardId, err)
	}
	if !ok {
		return nil, shardMissing()
	}
	next, err := o.iteratorStart(ctx, s, shard, in)
	if err != nil {
		return nil, err
	}
	it := iterator{shard: name, next: next, madeMillis: o.now().UnixMilli()}
	return &api.GetShardIteratorOutput{ShardIterator: ref(it.encode(s))}, nil
}

// checkIteratorWish makes the checks that need only the request.
func (o *Ops) checkIteratorWish(in *api.GetShardIteratorInput) error {
	kind := *in.ShardIteratorType
	bySequence := kind == api.ShardIteratorTypeAtSequenceNumber || kind == api.ShardIteratorTypeAfterSequenceNumber
	byTime := kind == api.ShardIteratorTypeAtTimestamp
	switch {
	case bySequence && in.SequenceNumber == nil:
		return api.NewValidationException("SequenceNumber must be specified when ShardIteratorType is " + kind)
	case !bySequence && in.SequenceNumber != nil:
		return api.NewValidationException("SequenceNumber must not be specified when ShardIteratorType is " + kind)
	case byTime && in.Timestamp == nil:
		return api.NewValidationException("Timestamp must be specified when ShardIteratorType is " + kind)
	case !byTime && in.Timestamp != nil:
		return api.NewValidationException("Timestamp must not be specified when ShardIteratorType is " + kind)
	case byTime && timestampMillis(*in.Timestamp) > o.now().UnixMilli():
		return api.NewValidationException("Timestamp must not be in the future")
	}
	return nil
}

func timestampMillis(seconds float64) int64 { return int64(seconds * 1000) }

// iteratorStart is the change to read first.
func (o *Ops) iteratorStart(ctx context.Context, s openStream, shard command.Shard, in *api.GetShardIteratorInput) (uint64, error) {
	switch *in.ShardIteratorType {
	case api.ShardIteratorTypeTrimHorizon:
		return shard.First, nil
	case api.ShardIteratorTypeLatest:
		return shard.Last + 1, nil
	case api.ShardIteratorTypeAtTimestamp:
		// A moment before the oldest change that is kept is the trim horizon (semantics §14.7).
		next, err := o.router.ChangeSince(ctx, s.place(shard.Name), timestampMillis(*in.Timestamp))
		switch {
		case errors.Is(err, router.ErrNoTable):
			return 0, shardMissing()
		case err != nil:
			return 0, fmt.Errorf("looking for a moment in shard %s: %w", *in.ShardId, err)
		}
		return next, nil
	}
	return sequenceStart(shard, *in.SequenceNumber, *in.ShardIteratorType == api.ShardIteratorTypeAfterSequenceNumber)
}

// sequenceStart is the place at or after a sequence number. What comes after a change that was the last to be trimmed is
// all there.
func sequenceStart(shard command.Shard, number string, after bool) (uint64, error) {
	sequence, ok := sequenceOf(number)
	if !ok {
		return 0, api.NewValidationException("Invalid SequenceNumber: " + number)
	}
	if sequence > shard.Last+1 {
		return 0, api.NewValidationException("The SequenceNumber " + number + " is not in shard " + shardID(shard.Name))
	}
	if after {
		sequence++
	}
	if sequence < shard.First {
		return 0, dataTrimmed()
	}
	return sequence, nil
}
