package chaos_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// stream reads what a table's stream tells, from its beginning.
type stream struct {
	*dynamodbstreams.Client
	t      *testing.T
	arn    *string
	shards map[string]streamtypes.Shard
	read   map[string]bool
	// states are those that each item went through, by its key, as texts.
	states map[string][]string
}

// histories reads every shard of a table's stream, each after its parent. Each change must begin where the one before it ended.
func histories(c client, endpoint, table string) map[string][]string {
	c.t.Helper()
	s := &stream{
		t: c.t, arn: c.describe(table).LatestStreamArn, shards: map[string]streamtypes.Shard{}, read: map[string]bool{}, states: map[string][]string{},
		Client: dynamodbstreams.New(dynamodbstreams.Options{
			Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
			RetryMaxAttempts: calmTries,
		}),
	}
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: s.arn}
	for {
		out, err := s.DescribeStream(context.Background(), in)
		if err != nil {
			s.t.Fatalf("listing the shards of %s: %v", table, err)
		}
		for _, shard := range out.StreamDescription.Shards {
			s.shards[*shard.ShardId] = shard
		}
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			break
		}
	}
	for id := range s.shards {
		s.shard(id)
	}
	return s.states
}

// shard reads a shard, after its parent.
func (s *stream) shard(id string) {
	s.t.Helper()
	shard, ok := s.shards[id]
	if !ok || s.read[id] {
		return
	}
	s.read[id] = true
	if shard.ParentShardId != nil {
		s.shard(*shard.ParentShardId)
	}
	begin, err := s.GetShardIterator(context.Background(), &dynamodbstreams.GetShardIteratorInput{
		StreamArn: s.arn, ShardId: &id, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		s.t.Fatalf("reading shard %s: %v", id, err)
	}
	for at := begin.ShardIterator; at != nil; {
		out, err := s.GetRecords(context.Background(), &dynamodbstreams.GetRecordsInput{ShardIterator: at})
		if err != nil {
			s.t.Fatalf("reading shard %s: %v", id, err)
		}
		for _, r := range out.Records {
			s.change(r.Dynamodb)
		}
		if at = out.NextShardIterator; len(out.Records) == 0 && shard.SequenceNumberRange.EndingSequenceNumber == nil {
			return
		}
	}
}

// change enters one change of an item.
func (s *stream) change(r *streamtypes.StreamRecord) {
	s.t.Helper()
	key := textOf(plain(r.Keys))
	last := absent
	if before := s.states[key]; len(before) > 0 {
		last = before[len(before)-1]
	}
	if old := textOf(plain(r.OldImage)); old != last {
		s.t.Errorf("%s: change %s begins with %q, the one before it ended with %q", key, aws.ToString(r.SequenceNumber), old, last)
	}
	s.states[key] = append(s.states[key], textOf(plain(r.NewImage)))
}

// plain is an item of a stream as one of a table: these hold only text and numbers.
func plain(from map[string]streamtypes.AttributeValue) item {
	to := item{}
	for name, v := range from {
		switch v := v.(type) {
		case *streamtypes.AttributeValueMemberS:
			to[name] = &types.AttributeValueMemberS{Value: v.Value}
		case *streamtypes.AttributeValueMemberN:
			to[name] = &types.AttributeValueMemberN{Value: v.Value}
		}
	}
	return to
}
