package node_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"stator/internal/base/clock"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/sigv4"
	"stator/internal/node"
	"stator/test/sdk"
)

// aged is a database behind a socket whose clock a test moves, with a table that has a stream.
type aged struct {
	*node.Node
	clock   *clock.Manual
	tables  *dynamodb.Client
	streams *dynamodbstreams.Client
	arn     *string
}

func openAged(t *testing.T) *aged {
	t.Helper()
	a := &aged{clock: clock.NewManual(time.Now())}
	var err error
	a.Node, err = node.Open(t.Context(), node.Options{InMemory: true, Partitions: 1, Clock: a.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	endpoint := a.serve(t)
	a.tables = sdk.New(endpoint)
	a.streams = dynamodbstreams.New(dynamodbstreams.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
	})
	created, err := a.tables.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("things"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.arn = created.TableDescription.LatestStreamArn
	a.put(t, "first")
	return a
}

// serve answers requests on a socket, and returns where.
func (a *aged) serve(t *testing.T) string {
	t.Helper()
	ids, err := httpapi.NewRequestIDs(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := httpapi.NewServer(httpapi.New(httpapi.Options{
		Calls: a.Calls(), Auth: sigv4.WellFormed{}, Budget: httpapi.NewBudget(64 << 20), IDs: ids, Clock: clock.System{},
		Log: slog.New(slog.DiscardHandler), Region: "us-east-1",
	}), httpapi.DefaultLimits())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(context.Background()), <-served); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// put waits until the table takes it.
func (a *aged) put(t *testing.T, pk string) {
	t.Helper()
	await(t, func() string {
		_, err := a.tables.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String("things"), Item: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}},
		})
		var making *types.ResourceNotFoundException
		if errors.As(err, &making) {
			return "the table is not made yet"
		}
		if err != nil {
			t.Fatal(err)
		}
		return ""
	})
}

// iterator begins in the stream's only shard, behind a record if one is given.
func (a *aged) iterator(t *testing.T, behind *string) (*string, error) {
	t.Helper()
	described, err := a.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: a.arn})
	if err != nil {
		t.Fatal(err)
	}
	in := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: a.arn, ShardId: described.StreamDescription.Shards[0].ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	}
	if behind != nil {
		in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAfterSequenceNumber, behind
	}
	out, err := a.streams.GetShardIterator(t.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

// read reads on from an iterator: the sequence numbers that it meets, and where to go on.
func (a *aged) read(t *testing.T, iterator *string) (numbers []string, next *string, err error) {
	t.Helper()
	out, err := a.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
	if err != nil {
		return nil, nil, err
	}
	for _, r := range out.Records {
		numbers = append(numbers, *r.Dynamodb.SequenceNumber)
	}
	return numbers, out.NextShardIterator, nil
}

func must[T any](value T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func wantCode(t *testing.T, err error, code, phrase string) {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != code || !strings.Contains(refused.ErrorMessage(), phrase) {
		t.Errorf("got %v, want %s: %s", err, code, phrase)
	}
}

// An iterator can be used for fifteen minutes; the next one that a read gives has its own.
func TestIteratorsExpire(t *testing.T) {
	a := openAged(t)
	first := must(a.iterator(t, nil))(t)
	a.clock.Advance(15 * time.Minute)
	numbers, next, err := a.read(t, first)
	if err != nil || len(numbers) != 1 {
		t.Fatalf("after fifteen minutes: %q, %v", numbers, err)
	}
	a.clock.Advance(time.Second)
	_, _, err = a.read(t, first)
	wantCode(t, err, "ExpiredIteratorException", "expired")
	if _, _, err = a.read(t, next); err != nil {
		t.Errorf("the next iterator, a second old: %v", err)
	}
}

// Records go after a day, whoever has read them. An iterator that stands before what went is told so; the horizon moves on.
func TestRecordsAreTrimmed(t *testing.T) {
	a := openAged(t)
	numbers, _, err := a.read(t, must(a.iterator(t, nil))(t))
	if err != nil || len(numbers) != 1 {
		t.Fatalf("%q, %v", numbers, err)
	}
	a.put(t, "second")
	a.clock.Advance(24*time.Hour - time.Minute)
	a.put(t, "third")
	before := must(a.iterator(t, nil))(t)
	behindFirst := must(a.iterator(t, &numbers[0]))(t)
	if err := a.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, _, err := a.read(t, before); err != nil || len(all) != 3 {
		t.Fatalf("a minute before their time: %q, %v", all, err)
	}
	a.clock.Advance(2 * time.Minute)
	if err := a.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, iterator := range []*string{before, behindFirst} {
		_, _, err = a.read(t, iterator)
		wantCode(t, err, "TrimmedDataAccessException", "trimmed")
	}
	_, err = a.iterator(t, &numbers[0])
	wantCode(t, err, "TrimmedDataAccessException", "trimmed")
	if left, _, err := a.read(t, must(a.iterator(t, nil))(t)); err != nil || len(left) != 1 {
		t.Errorf("from the horizon: %q, %v", left, err)
	}
}
