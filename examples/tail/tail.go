package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

const (
	// pageRecords is how many records are shown before their place is saved: so many may be shown again after a crash.
	pageRecords = 100
	// idlePause is how long we wait when no shard had anything new, lookEvery how often we look for new shards.
	idlePause = 200 * time.Millisecond
	lookEvery = 2 * time.Second
)

// tail shows every record of a stream: each shard in order, and no shard before its parent was shown to its end.
//
// A page is shown first and its place saved after. So nothing is missed, and who is stopped between the two shows that one
// page again.
type tail struct {
	streams *dynamodbstreams.Client
	arn     string
	places  *places
	page    int32
	show    func(types.Record) error

	at        map[string]place
	iterators map[string]*string // where the next page of a shard begins; they expire, places do not
}

// run shows records until ctx ends or something fails that a new start has to be made after.
func (t *tail) run(ctx context.Context) (err error) {
	if t.at, err = t.places.load(ctx, t.arn); err != nil {
		return err
	}
	t.iterators = map[string]*string{}
	for {
		shards, err := t.shards(ctx)
		if err != nil {
			return err
		}
		if err := t.round(ctx, shards); err != nil {
			return err
		}
	}
}

// round reads shards until one of them ends, or until it is time to look for new ones.
func (t *tail) round(ctx context.Context, shards []types.Shard) error {
	for began := time.Now(); time.Since(began) < lookEvery; {
		shown, ended := 0, false
		for _, shard := range ready(shards, t.at) {
			n, err := t.step(ctx, shard)
			if err != nil {
				return err
			}
			shown += n
			ended = ended || t.at[shard].ended
		}
		if ended {
			return nil
		}
		if shown == 0 {
			if err := pause(ctx, idlePause); err != nil {
				return err
			}
		}
	}
	return nil
}

// ready lists the shards that may be read: what is left of the stream's shards whose parents were shown to their end. A
// parent that is not listed any more has nothing left to show.
func ready(shards []types.Shard, at map[string]place) []string {
	waiting := map[string]bool{}
	for _, shard := range shards {
		waiting[*shard.ShardId] = !at[*shard.ShardId].ended
	}
	var list []string
	for _, shard := range shards {
		if waiting[*shard.ShardId] && (shard.ParentShardId == nil || !waiting[*shard.ParentShardId]) {
			list = append(list, *shard.ShardId)
		}
	}
	return list
}

func (t *tail) shards(ctx context.Context) ([]types.Shard, error) {
	var all []types.Shard
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &t.arn}
	for {
		out, err := t.streams.DescribeStream(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("listing the shards: %w", err)
		}
		all = append(all, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return all, nil
		}
	}
}

// step shows one page of a shard and saves its place.
func (t *tail) step(ctx context.Context, shard string) (shown int, err error) {
	if t.iterators[shard] == nil {
		if t.iterators[shard], err = t.iterator(ctx, shard); err != nil {
			return 0, err
		}
	}
	out, err := t.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: t.iterators[shard], Limit: &t.page})
	var expired *types.ExpiredIteratorException
	if errors.As(err, &expired) {
		delete(t.iterators, shard)
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading shard %s: %w", shard, err)
	}
	at := t.at[shard]
	for _, record := range out.Records {
		if err := t.show(record); err != nil {
			return shown, err
		}
		at.after = *record.Dynamodb.SequenceNumber
		shown++
	}
	at.ended = out.NextShardIterator == nil
	if at != t.at[shard] {
		if err := t.places.save(ctx, t.arn, shard, at); err != nil {
			return shown, err
		}
	}
	t.at[shard], t.iterators[shard] = at, out.NextShardIterator
	return shown, nil
}

// iterator begins after the last record shown, or with the oldest one there is.
func (t *tail) iterator(ctx context.Context, shard string) (*string, error) {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &t.arn, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	if after := t.at[shard].after; after != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, aws.String(after)
	}
	out, err := t.streams.GetShardIterator(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("beginning shard %s: %w", shard, err)
	}
	return out.ShardIterator, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
