package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/router"
	"stator/internal/model/api"
	"stator/internal/partition/command"
)

// shardsPageMax bounds a page of DescribeStream.
const shardsPageMax = 100

// DescribeStream describes a stream with a page of its shards, those that still keep changes. The start is only a place in
// the order of ids.
func (o *Ops) DescribeStream(ctx context.Context, in *api.DescribeStreamInput) (*api.DescribeStreamOutput, error) {
	return confirmed(ctx, o, func() (*api.DescribeStreamOutput, error) { return o.streamDescription(ctx, in) })
}

func (o *Ops) streamDescription(ctx context.Context, in *api.DescribeStreamInput) (*api.DescribeStreamOutput, error) {
	s, err := o.streamOf(*in.StreamArn)
	if err != nil {
		return nil, err
	}
	wanted, err := shardsWanted(in)
	if err != nil {
		return nil, err
	}
	list, err := o.router.Shards(ctx, s.table.ID, s.stream.CreatedMillis)
	if errors.Is(err, router.ErrNoTable) {
		return nil, streamMissing(s.arn)
	}
	if err != nil {
		return nil, fmt.Errorf("listing the shards of %s: %w", s.arn, err)
	}
	d := &api.StreamDescription{
		StreamArn: &s.arn, StreamLabel: ref(s.stream.Label()), StreamStatus: ref(s.status(list)), StreamViewType: ref(s.stream.View.String()),
		CreationRequestDateTime: seconds(s.stream.CreatedMillis), TableName: &s.table.Name, KeySchema: keySchema(s.table.Key),
		Shards: []api.Shard{},
	}
	limit := shardsPageMax
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	for i := range list.Shards {
		if !wanted(&list.Shards[i]) {
			continue
		}
		if len(d.Shards) == limit {
			d.LastEvaluatedShardId = d.Shards[limit-1].ShardId
			break
		}
		d.Shards = append(d.Shards, shardDescription(&list.Shards[i]))
	}
	return &api.DescribeStreamOutput{StreamDescription: d}, nil
}

// shardsWanted chooses the shards after the start, and with the filter those that follow on one shard.
func shardsWanted(in *api.DescribeStreamInput) (func(*command.Shard) bool, error) {
	after, parent := value(in.ExclusiveStartShardId), command.ShardName{}
	if f := in.ShardFilter; f != nil {
		switch {
		case f.Type == nil:
			return nil, api.NewValidationException("ShardFilter Type must be specified when ShardFilter is provided")
		case f.ShardId == nil:
			return nil, api.NewValidationException("ShardFilter ShardId must be specified when ShardFilter Type is CHILD_SHARDS")
		}
		name, ok := shardNamed(*f.ShardId)
		if !ok {
			return func(*command.Shard) bool { return false }, nil
		}
		parent = name
	}
	return func(s *command.Shard) bool {
		return (in.ShardFilter == nil || s.Parent == parent) && (after == "" || shardID(s.Name) > after)
	}, nil
}

// status is how far the partitions are with what the table says of the stream.
func (s openStream) status(list command.ShardList) string {
	goesOn := slices.ContainsFunc(list.Shards, func(shard command.Shard) bool { return shard.Open })
	switch {
	case s.stream.EndedMillis != 0 && goesOn:
		return api.StreamStatusDisabling
	case s.stream.EndedMillis != 0:
		return api.StreamStatusDisabled
	case !list.Complete:
		return api.StreamStatusEnabling
	}
	return api.StreamStatusEnabled
}

// shardDescription shows a shard's ending once nothing can follow. A shard that ended without a change, or without one that
// is still kept, ends where it begins.
func shardDescription(shard *command.Shard) api.Shard {
	d := api.Shard{
		ShardId:             ref(shardID(shard.Name)),
		SequenceNumberRange: &api.SequenceNumberRange{StartingSequenceNumber: ref(sequenceNumber(shard.First))},
	}
	if !shard.Open {
		d.SequenceNumberRange.EndingSequenceNumber = ref(sequenceNumber(max(shard.First, shard.Last)))
	}
	if shard.Parent != (command.ShardName{}) {
		d.ParentShardId = ref(shardID(shard.Parent))
	}
	return d
}
