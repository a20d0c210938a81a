package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	random "math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"stator/internal/base/clock"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/sigv4"
	"stator/internal/node"
)

// database is a node in this process that the SDK speaks to.
type database struct {
	*node.Node
	*dynamodb.Client
	streams *dynamodbstreams.Client
}

func open(t *testing.T) database {
	t.Helper()
	n, err := node.Open(t.Context(), node.Options{InMemory: true, Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	ids, err := httpapi.NewRequestIDs(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &httpapi.Transport{Protocol: httpapi.New(httpapi.Options{
		Calls: n.Calls(), Auth: sigv4.WellFormed{}, Budget: httpapi.NewBudget(64 << 20), IDs: ids, Clock: clock.System{},
		Log: slog.New(slog.DiscardHandler), Region: "us-east-1",
	})}}
	anyone, endpoint := credentials.NewStaticCredentialsProvider("local", "local", ""), aws.String("http://stator.internal")
	return database{
		Node:    n,
		Client:  dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: anyone, HTTPClient: client}),
		streams: dynamodbstreams.New(dynamodbstreams.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: anyone, HTTPClient: client}),
	}
}

// create makes the table to follow.
func (d database) create(t *testing.T) {
	t.Helper()
	_, err := d.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("things"), BillingMode: dbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dbtypes.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: dbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dbtypes.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: dbtypes.KeyTypeHash}},
		StreamSpecification:  &dbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: dbtypes.StreamViewTypeNewImage},
	})
	if err != nil {
		t.Fatal(err)
	}
	waiter := dynamodb.NewTableExistsWaiter(d.Client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("things")}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// Bounds of the story.
const (
	writes    = 1500
	things    = 20
	splits    = 12
	testPage  = 7
	killEvery = 60 // records, about
	waitMax   = 60 * time.Second
)

// trouble writes the table's things, each with a number that rises, and splits the table meanwhile.
func (d database) trouble(t *testing.T) {
	for i := range writes {
		_, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("things"), Item: map[string]dbtypes.AttributeValue{
			"pk": &dbtypes.AttributeValueMemberS{Value: fmt.Sprint("thing ", i%things)}, "n": &dbtypes.AttributeValueMemberN{Value: fmt.Sprint(things + i)},
		}})
		if err != nil {
			t.Error(err)
			return
		}
		if i%(writes/splits) == 0 {
			_, _ = d.Split(t.Context(), "things", nil) // there may be nothing to split
		}
	}
}

var errKilled = errors.New("killed")

// A tail that is killed at random, between a page and its place too, while the table is written and split, shows every
// change, each thing's in order. A kill costs at most one page that is shown again, though not always at the next start: that
// may be killed in another shard first.
func TestTailMissesNothing(t *testing.T) {
	d := open(t)
	d.create(t)
	var writing sync.WaitGroup
	writing.Go(func() { d.trouble(t) })
	defer writing.Wait()
	arn, err := streamOf(t.Context(), d.Client, "things")
	if err != nil {
		t.Fatal(err)
	}
	remembered := &places{client: d.Client, table: "places"}
	if err := remembered.create(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen, last := map[string]bool{}, map[string]int{}
	starts, again := 0, 0
	for ; len(seen) < writes; starts++ {
		ctx, cancel := context.WithTimeout(t.Context(), waitMax)
		left := 1 + random.IntN(2*killEvery)
		show := func(r types.Record) error {
			var number int
			if _, err := fmt.Sscan(r.Dynamodb.NewImage["n"].(*types.AttributeValueMemberN).Value, &number); err != nil {
				return err
			}
			thing := r.Dynamodb.Keys["pk"].(*types.AttributeValueMemberS).Value
			switch {
			case seen[*r.EventID]:
				again++
			case number <= last[thing]:
				t.Errorf("%s: %d comes after %d", thing, number, last[thing])
			case last[thing] > 0 && number != last[thing]+things:
				t.Errorf("%s: %d comes after %d: something is missing", thing, number, last[thing])
			}
			seen[*r.EventID], last[thing] = true, max(last[thing], number)
			if left--; left <= 0 || len(seen) == writes {
				return errKilled
			}
			return nil
		}
		one := &tail{streams: d.streams, arn: arn, places: remembered, page: testPage, show: show}
		if err := one.run(ctx); !errors.Is(err, errKilled) {
			t.Fatalf("after %d of %d records: %v", len(seen), writes, err)
		}
		cancel()
	}
	if again > starts*testPage {
		t.Errorf("%d kills cost %d records that were shown again, a page has %d", starts, again, testPage)
	}
}

// A shard waits for its parent for as long as that is listed and not read to its end.
func TestReady(t *testing.T) {
	shard := func(id, parent string) types.Shard {
		s := types.Shard{ShardId: &id}
		if parent != "" {
			s.ParentShardId = &parent
		}
		return s
	}
	shards := []types.Shard{shard("a", ""), shard("b", "a"), shard("c", "a"), shard("d", "gone"), shard("e", "b")}
	for _, c := range []struct {
		ended []string
		want  string
	}{{nil, "[a d]"}, {[]string{"a"}, "[b c d]"}, {[]string{"a", "b", "d"}, "[c e]"}} {
		at := map[string]place{}
		for _, id := range c.ended {
			at[id] = place{ended: true}
		}
		if got := fmt.Sprint(ready(shards, at)); got != c.want {
			t.Errorf("after %v: %s, want %s", c.ended, got, c.want)
		}
	}
}
