package conformance_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// streams is the SDK's client for the streams of one table.
type streams struct {
	*dynamodbstreams.Client
	client
	table string
	arn   string
}

// stream makes a table that has a stream.
func stream(t *testing.T, view types.StreamViewType) streams {
	t.Helper()
	c := connect(t)
	name := c.table(func(in *dynamodb.CreateTableInput) {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view}
	})
	described, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	check(t, err)
	return streams{client: c, table: name, arn: *described.Table.LatestStreamArn, Client: dynamodbstreams.New(dynamodbstreams.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDCONFORMANCE", "secret", ""),
	})}
}

func (s streams) shards() []streamtypes.Shard {
	s.t.Helper()
	var all []streamtypes.Shard
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn, Limit: aws.Int32(10)}
	for {
		out, err := s.DescribeStream(ctx, in)
		check(s.t, err)
		all = append(all, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return all
		}
	}
}

func (s streams) iterator(shard *string, change func(*dynamodbstreams.GetShardIteratorInput)) *string {
	s.t.Helper()
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &s.arn, ShardId: shard, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon}
	if change != nil {
		change(in)
	}
	out, err := s.GetShardIterator(ctx, in)
	check(s.t, err)
	return out.ShardIterator
}

// reader is a place in every shard of a stream: an iterator by shard id, nil where the shard was read to its end.
type reader map[string]*string

// reader begins in every shard there is.
func (s streams) reader(change func(*dynamodbstreams.GetShardIteratorInput)) reader {
	all := reader{}
	for _, shard := range s.shards() {
		all[*shard.ShardId] = s.iterator(shard.ShardId, change)
	}
	return all
}

func (r reader) open() (n int) {
	for _, it := range r {
		if it != nil {
			n++
		}
	}
	return n
}

// page reads a shard once.
func (s streams) page(it *string) *dynamodbstreams.GetRecordsOutput {
	s.t.Helper()
	out, err := s.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: it})
	check(s.t, err)
	return out
}

// read reads all there is, parents before children: a shard that has ended goes on in its children.
func (s streams) read(from reader) []streamtypes.Record {
	s.t.Helper()
	var records []streamtypes.Record
	for more := true; more; {
		more = false
		for _, shard := range slices.Sorted(maps.Keys(from)) {
			for from[shard] != nil {
				out := s.page(from[shard])
				records = append(records, out.Records...)
				if from[shard] = out.NextShardIterator; from[shard] == nil {
					more = s.follow(from, shard) || more
				} else if len(out.Records) == 0 {
					break
				}
			}
		}
	}
	return records
}

// follow adds the children of a shard.
func (s streams) follow(from reader, shard string) (found bool) {
	s.t.Helper()
	out, err := s.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn, ShardFilter: &streamtypes.ShardFilter{
		Type: streamtypes.ShardFilterTypeChildShards, ShardId: &shard}})
	check(s.t, err)
	for _, child := range out.StreamDescription.Shards {
		if _, known := from[*child.ShardId]; !known {
			from[*child.ShardId], found = s.iterator(child.ShardId, nil), true
		}
	}
	return found
}

// shown is a record in a line.
func shown(r streamtypes.Record) string {
	return fmt.Sprintf("%s %s old %s new %s", r.EventName, streamItem(r.Dynamodb.Keys), streamItem(r.Dynamodb.OldImage), streamItem(r.Dynamodb.NewImage))
}

func streamItem(attributes map[string]streamtypes.AttributeValue) string {
	if attributes == nil {
		return "-"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		switch v := attributes[name].(type) {
		case *streamtypes.AttributeValueMemberS:
			parts = append(parts, name+"="+v.Value)
		case *streamtypes.AttributeValueMemberN:
			parts = append(parts, name+"="+v.Value)
		}
	}
	return strings.Join(parts, ",")
}

// change makes an item's life: it comes, changes, stays as it is, and goes.
func (s streams) change(pk string) {
	s.t.Helper()
	s.put(s.table, with(keyOf(pk, "1"), item{"v": n("1")}))
	s.put(s.table, with(keyOf(pk, "1"), item{"v": n("1")}))
	update := &dynamodb.UpdateItemInput{TableName: &s.table, Key: keyOf(pk, "1"), UpdateExpression: aws.String("SET v = v + :one"),
		ExpressionAttributeValues: item{":one": n("1")}}
	_, err := s.UpdateItem(ctx, update)
	check(s.t, err)
	for range 2 {
		_, err = s.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyOf(pk, "1")})
		check(s.t, err)
	}
}

func TestStreamViews(t *testing.T) {
	for view, want := range map[types.StreamViewType][]string{
		types.StreamViewTypeKeysOnly:        {"old - new -", "old - new -", "old - new -"},
		types.StreamViewTypeNewImage:        {"old - new pk=a,sk=1,v=1", "old - new pk=a,sk=1,v=2", "old - new -"},
		types.StreamViewTypeOldImage:        {"old - new -", "old pk=a,sk=1,v=1 new -", "old pk=a,sk=1,v=2 new -"},
		types.StreamViewTypeNewAndOldImages: {"old - new pk=a,sk=1,v=1", "old pk=a,sk=1,v=1 new pk=a,sk=1,v=2", "old pk=a,sk=1,v=2 new -"},
	} {
		t.Run(string(view), func(t *testing.T) {
			s := stream(t, view)
			s.change("a")
			got := s.read(s.reader(nil))
			if len(got) != 3 {
				t.Fatalf("%d records", len(got))
			}
			for i, name := range []string{"INSERT", "MODIFY", "REMOVE"} {
				wantText(t, "record", shown(got[i]), name+" pk=a,sk=1 "+want[i])
				if got[i].Dynamodb.StreamViewType != streamtypes.StreamViewType(view) {
					t.Errorf("view %s", got[i].Dynamodb.StreamViewType)
				}
			}
		})
	}
}

func TestStreamRecords(t *testing.T) {
	s := stream(t, types.StreamViewTypeNewAndOldImages)
	before := time.Now().Add(-2 * time.Second)
	s.change("a")
	first, again := s.read(s.reader(nil)), s.read(s.reader(nil))
	if len(first) != 3 || len(again) != 3 {
		t.Fatalf("%d records, then %d", len(first), len(again))
	}
	ids := map[string]bool{}
	for i, r := range first {
		d := r.Dynamodb
		if ids[*r.EventID] || *r.EventID != *again[i].EventID || len(*r.EventID) != 32 {
			t.Errorf("event id %s, then %s", *r.EventID, *again[i].EventID)
		}
		ids[*r.EventID] = true
		if *r.EventVersion != "1.1" || *r.EventSource != "aws:dynamodb" || *r.AwsRegion != "us-east-1" || r.UserIdentity != nil {
			t.Errorf("record %+v", r)
		}
		if at := *d.ApproximateCreationDateTime; at.Before(before) || at.After(time.Now()) || at.Nanosecond() != 0 {
			t.Errorf("created %s", at)
		}
		if number := *d.SequenceNumber; len(number) < 21 || len(number) > 40 || i > 0 && number <= *first[i-1].Dynamodb.SequenceNumber {
			t.Errorf("sequence number %s", number)
		}
	}
	// Keys pk=a sk=1 are 6 bytes, the item is 3 more for a name and a number.
	for i, want := range []int64{15, 24, 15} {
		if got := *first[i].Dynamodb.SizeBytes; got != want {
			t.Errorf("record %d has %d bytes, want %d", i, got, want)
		}
	}
}

func TestShardIterators(t *testing.T) {
	s := stream(t, types.StreamViewTypeKeysOnly)
	latest := s.reader(func(in *dynamodbstreams.GetShardIteratorInput) {
		in.ShardIteratorType = streamtypes.ShardIteratorTypeLatest
	})
	if got := s.read(latest); len(got) != 0 || latest.open() == 0 {
		t.Fatalf("%d records of an empty stream, %d iterators", len(got), latest.open())
	}
	s.change("a")
	if got := s.read(latest); len(got) != 3 {
		t.Fatalf("%d records after LATEST", len(got))
	}
	read := 0
	for _, shard := range s.shards() {
		all := s.page(s.iterator(shard.ShardId, nil)).Records
		read += len(all)
		from := func(kind streamtypes.ShardIteratorType, change func(*dynamodbstreams.GetShardIteratorInput)) int {
			t.Helper()
			return len(s.page(s.iterator(shard.ShardId, func(in *dynamodbstreams.GetShardIteratorInput) {
				in.ShardIteratorType = kind
				change(in)
			})).Records)
		}
		for i, r := range all {
			number := func(in *dynamodbstreams.GetShardIteratorInput) { in.SequenceNumber = r.Dynamodb.SequenceNumber }
			at, after := from(streamtypes.ShardIteratorTypeAtSequenceNumber, number), from(streamtypes.ShardIteratorTypeAfterSequenceNumber, number)
			if at != len(all)-i || after != len(all)-i-1 {
				t.Errorf("at change %d of %d: %d records, after it %d", i, len(all), at, after)
			}
		}
		start := func(in *dynamodbstreams.GetShardIteratorInput) {
			in.SequenceNumber = shard.SequenceNumberRange.StartingSequenceNumber
		}
		if n := from(streamtypes.ShardIteratorTypeAtSequenceNumber, start); n != len(all) {
			t.Errorf("at the start of a shard of %d: %d records", len(all), n)
		}
		for ago, want := range map[time.Duration]int{time.Hour: len(all), 48 * time.Hour: len(all), 0: 0} {
			time.Sleep(2 * time.Millisecond)
			moment := func(in *dynamodbstreams.GetShardIteratorInput) { in.Timestamp = aws.Time(time.Now().Add(-ago)) }
			if n := from(streamtypes.ShardIteratorTypeAtTimestamp, moment); n != want {
				t.Errorf("since %s ago: %d records, want %d", ago, n, want)
			}
		}
	}
	if read != 3 {
		t.Errorf("all shards have %d records", read)
	}
}

func TestGetRecordsPages(t *testing.T) {
	s := stream(t, types.StreamViewTypeNewImage)
	for i := range 7 {
		s.put(s.table, with(keyOf("a", fmt.Sprint(i)), item{"v": s300k()}))
	}
	read := 0
	for _, shard := range s.shards() {
		for it := s.iterator(shard.ShardId, nil); it != nil; {
			out := s.page(it)
			if len(out.Records) == 0 {
				break
			}
			// Three such items are under a megabyte and four are not.
			if len(out.Records) > 3 {
				t.Errorf("a page of %d records", len(out.Records))
			}
			read += len(out.Records)
			it = out.NextShardIterator
		}
		out, err := s.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: s.iterator(shard.ShardId, nil), Limit: aws.Int32(2)})
		check(t, err)
		if len(out.Records) > 2 {
			t.Errorf("%d records at a limit of 2", len(out.Records))
		}
	}
	if read != 7 {
		t.Errorf("%d records of 7", read)
	}
}

func s300k() value { return s(strings.Repeat("x", 300<<10)) }

func TestEndedStreamIsReadToItsEnd(t *testing.T) {
	s := stream(t, types.StreamViewTypeKeysOnly)
	open := s.reader(nil)
	s.change("a")
	_, err := s.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &s.table, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)}})
	check(t, err)
	s.awaitActive(s.table)
	s.change("between")
	out, err := s.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn})
	check(t, err)
	if out.StreamDescription.StreamStatus != streamtypes.StreamStatusDisabled {
		t.Errorf("status %s", out.StreamDescription.StreamStatus)
	}
	for _, shard := range s.shards() {
		if shard.SequenceNumberRange.EndingSequenceNumber == nil {
			t.Errorf("shard %s goes on", *shard.ShardId)
		}
	}
	if got := len(s.read(open)); got != 3 || open.open() != 0 {
		t.Errorf("%d records to the end, %d iterators left", got, open.open())
	}
	if got := len(s.read(s.reader(nil))); got != 3 {
		t.Errorf("%d records again", got)
	}

	_, err = s.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &s.table, StreamSpecification: &types.StreamSpecification{
		StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage}})
	check(t, err)
	s.awaitActive(s.table)
	described, err := s.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.table})
	check(t, err)
	next := s
	if next.arn = *described.Table.LatestStreamArn; next.arn == s.arn {
		t.Fatal("the second stream has the first one's name")
	}
	next.change("a")
	if got := next.read(next.reader(nil)); len(got) != 3 || shown(got[0]) != "INSERT pk=a,sk=1 old - new pk=a,sk=1,v=1" {
		t.Errorf("%d records of the second stream", len(got))
	}
	listed, err := s.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: &s.table})
	check(t, err)
	if len(listed.Streams) != 2 || *listed.Streams[0].StreamArn != s.arn || *listed.Streams[1].StreamArn != next.arn {
		t.Errorf("streams %+v", listed.Streams)
	}
}

func TestStreamRefusals(t *testing.T) {
	s := stream(t, types.StreamViewTypeKeysOnly)
	shard := s.shards()[0]
	unknown := strings.Replace(s.arn, "/stream/2", "/stream/1", 1)
	get := func(change func(*dynamodbstreams.GetShardIteratorInput)) error {
		in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &s.arn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon}
		change(in)
		_, err := s.GetShardIterator(ctx, in)
		return err
	}
	start := shard.SequenceNumberRange.StartingSequenceNumber
	for _, c := range []struct {
		name, phrase string
		change       func(*dynamodbstreams.GetShardIteratorInput)
	}{
		{"ResourceNotFoundException", "Requested resource not found: Stream: " + unknown + " not found", func(in *dynamodbstreams.GetShardIteratorInput) { in.StreamArn = &unknown }},
		{"ValidationException", "Invalid StreamArn", func(in *dynamodbstreams.GetShardIteratorInput) { in.StreamArn = aws.String(strings.Repeat("x", 40)) }},
		{"ResourceNotFoundException", "Requested resource not found: Shard does not exist", func(in *dynamodbstreams.GetShardIteratorInput) { in.ShardId = aws.String(strings.Repeat("x", 40)) }},
		{"ResourceNotFoundException", "Requested resource not found: Shard does not exist", func(in *dynamodbstreams.GetShardIteratorInput) {
			in.ShardId = aws.String("shardId-00000000000000000001-00000001")
		}},
		{"ValidationException", "enum value set", func(in *dynamodbstreams.GetShardIteratorInput) { in.ShardIteratorType = "x" }},
		{"ValidationException", "SequenceNumber", func(in *dynamodbstreams.GetShardIteratorInput) {
			in.ShardIteratorType = streamtypes.ShardIteratorTypeAtSequenceNumber
		}},
		{"ValidationException", "SequenceNumber", func(in *dynamodbstreams.GetShardIteratorInput) { in.SequenceNumber = start }},
		{"ValidationException", "SequenceNumber", func(in *dynamodbstreams.GetShardIteratorInput) {
			in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAtSequenceNumber, aws.String(strings.Repeat("x", 30))
		}},
		{"ValidationException", "SequenceNumber", func(in *dynamodbstreams.GetShardIteratorInput) {
			in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAtSequenceNumber, aws.String(strings.Repeat("9", 40))
		}},
		{"TrimmedDataAccessException", "trimmed", func(in *dynamodbstreams.GetShardIteratorInput) {
			in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAtSequenceNumber, aws.String(strings.Repeat("0", 21))
		}},
		{"ValidationException", "Timestamp", func(in *dynamodbstreams.GetShardIteratorInput) {
			in.ShardIteratorType = streamtypes.ShardIteratorTypeAtTimestamp
		}},
		{"ValidationException", "future", func(in *dynamodbstreams.GetShardIteratorInput) {
			in.ShardIteratorType, in.Timestamp = streamtypes.ShardIteratorTypeAtTimestamp, aws.Time(time.Now().Add(time.Hour))
		}},
	} {
		wantError(t, get(c.change), c.name, c.phrase)
	}
	it := *s.iterator(shard.ShardId, nil)
	other := "A"
	if it[len(it)-9] == 'A' {
		other = "B"
	}
	for _, changed := range []string{it[:len(it)-9] + other + it[len(it)-8:], it + "AAAA", "no iterator at all", strings.Replace(it, "|1|", "|2|", 1)} {
		_, err := s.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &changed})
		wantError(t, err, "ValidationException", "Invalid ShardIterator")
	}
	_, err := s.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &it, Limit: aws.Int32(1001)})
	wantError(t, err, "ValidationException", "less than or equal to 1000")
}

func TestDescribeStream(t *testing.T) {
	s := stream(t, types.StreamViewTypeKeysOnly)
	out, err := s.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn})
	check(t, err)
	d := out.StreamDescription
	if *d.StreamArn != s.arn || *d.TableName != s.table || d.StreamStatus != streamtypes.StreamStatusEnabled ||
		d.StreamViewType != streamtypes.StreamViewTypeKeysOnly || !strings.HasSuffix(s.arn, "/stream/"+*d.StreamLabel) ||
		len(d.KeySchema) != 2 || d.CreationRequestDateTime == nil {
		t.Errorf("description %+v", d)
	}
	shards := s.shards()
	for i, shard := range shards {
		if id := *shard.ShardId; len(id) < 28 || len(id) > 65 || i > 0 && id <= *shards[i-1].ShardId {
			t.Errorf("shard %d is %s", i, id)
		}
	}
	out, err = s.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn, ShardFilter: &streamtypes.ShardFilter{
		Type: streamtypes.ShardFilterTypeChildShards, ShardId: aws.String("shardId-00000000000000000001-00000001")}})
	check(t, err)
	if len(out.StreamDescription.Shards) != 0 {
		t.Errorf("a shard that is not there has the children %+v", out.StreamDescription.Shards)
	}
	out, err = s.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn, ExclusiveStartShardId: aws.String(strings.Repeat("z", 40))})
	check(t, err)
	if len(out.StreamDescription.Shards) != 0 {
		t.Errorf("%d shards after all others", len(out.StreamDescription.Shards))
	}
}
