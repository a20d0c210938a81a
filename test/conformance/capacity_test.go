package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"stator/internal/node"
	"stator/test/sdk"
)

// metered is a client of a server that enforces throughput, with the clock that it goes by. Such a server is not the pass's: its tables
// would refuse what other cases ask of them.
func metered(t *testing.T) (client, *atomic.Int64) {
	t.Helper()
	t.Parallel()
	if os.Getenv(endpointVariable) != "" {
		t.Skip("the clock of a server elsewhere is not this test's to set")
	}
	var now atomic.Int64
	n, err := node.Open(context.Background(), node.Options{
		InMemory: true, Partitions: 1, Region: "us-east-1", Account: "000000000000", Broken: broken,
		Capacity: node.CapacityEnforce, Steady: func() time.Duration { return time.Duration(now.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := listen(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return client{t: t, Client: sdk.New(url)}, &now
}

// provisioned makes a table of so many units, with an index by owner of as many reads and indexWrite writes.
func (c client) provisioned(read, write, indexWrite int64) string {
	c.t.Helper()
	units := func(read, write int64) *types.ProvisionedThroughput {
		return &types.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
	}
	return c.table(func(in *dynamodb.CreateTableInput) {
		in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, units(read, write)
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "owner", "S")
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
			IndexName: aws.String("byOwner"), KeySchema: key("owner"), ProvisionedThroughput: units(read, indexWrite),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}}
	})
}

func (c client) store(table string, item map[string]value) error {
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item})
	return err
}

// wantThrottle fails the test unless err is a provisioned table's throttle for a reason, of a resource whose ARN ends so.
func wantThrottle(t *testing.T, err error, reason, resource string) {
	t.Helper()
	var throttled *types.ProvisionedThroughputExceededException
	if !errors.As(err, &throttled) {
		t.Fatalf("got %v, want a ProvisionedThroughputExceededException", err)
	}
	for _, r := range throttled.ThrottlingReasons {
		if aws.ToString(r.Reason) == reason && strings.HasSuffix(aws.ToString(r.Resource), resource) {
			return
		}
	}
	t.Fatalf("the reasons are %+v, want %s of %s", throttled.ThrottlingReasons, reason, resource)
}

// semantics §18.1: a provisioned table refuses what is beyond its units, with the reason and its ARN, and serves again as time passes.
func TestProvisionedTableThrottles(t *testing.T) {
	c, now := metered(t)
	name := c.provisioned(2, 3, 10)
	thing := map[string]value{"pk": s("a"), "sk": s("b")}
	for range 3 {
		if err := c.store(name, thing); err != nil {
			t.Fatal(err)
		}
	}
	wantThrottle(t, c.store(name, thing), "TableWriteProvisionedThroughputExceeded", "table/"+name)
	get := &dynamodb.GetItemInput{TableName: &name, Key: thing, ConsistentRead: aws.Bool(true)}
	for range 2 {
		if _, err := c.GetItem(ctx, get); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.GetItem(ctx, get)
	wantThrottle(t, err, "TableReadProvisionedThroughputExceeded", "table/"+name)
	now.Add(int64(time.Second))
	if err := c.store(name, thing); err != nil {
		t.Error(err)
	}
}

// semantics §18.3: what was not used for 300 seconds may be spent at once.
func TestBurst(t *testing.T) {
	c, now := metered(t)
	name := c.provisioned(1, 2, 100)
	thing := map[string]value{"pk": s("a"), "sk": s("b")}
	if err := c.store(name, thing); err != nil {
		t.Fatal(err)
	}
	now.Add(int64(time.Hour))
	burst := 0
	for c.store(name, thing) == nil {
		burst++
	}
	if burst < 570 || burst > 630 {
		t.Errorf("a burst of %d, want 600 within 5 %%", burst)
	}
}

// semantics §18.2: an index without writes left throttles its table, and is the resource that is named.
func TestIndexThrottlesItsTable(t *testing.T) {
	c, _ := metered(t)
	name := c.provisioned(10, 100, 1)
	owned := map[string]value{"pk": s("a"), "sk": s("b"), "owner": s("o")}
	if err := c.store(name, owned); err != nil {
		t.Fatal(err)
	}
	owned["pk"] = s("c")
	wantThrottle(t, c.store(name, owned), "IndexWriteProvisionedThroughputExceeded", "table/"+name+"/index/byOwner")
	delete(owned, "owner")
	if err := c.store(name, owned); err != nil {
		t.Errorf("an item that is not of the index: %v", err)
	}
}

// semantics §18.3: a batch gives back what was throttled, and fails only when all of it was.
func TestBatchesThrottle(t *testing.T) {
	c, _ := metered(t)
	name := c.provisioned(1, 3, 100)
	var requests []types.WriteRequest
	for i := range 5 {
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]value{"pk": s(fmt.Sprint(i)), "sk": s("b")}}})
	}
	batch := &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{name: requests}}
	out, err := c.BatchWriteItem(ctx, batch)
	if err != nil || len(out.UnprocessedItems[name]) != 2 {
		t.Fatalf("unprocessed are %+v, %v: want 2", out.UnprocessedItems, err)
	}
	_, err = c.BatchWriteItem(ctx, batch)
	wantThrottle(t, err, "TableWriteProvisionedThroughputExceeded", "table/"+name)
	gets := &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{name: {Keys: []map[string]value{
		{"pk": s("1"), "sk": s("b")}, {"pk": s("2"), "sk": s("b")}, {"pk": s("3"), "sk": s("b")},
	}}}}
	read, err := c.BatchGetItem(ctx, gets)
	if err != nil || len(read.UnprocessedKeys[name].Keys) != 1 {
		t.Fatalf("unprocessed are %+v, %v: want 1", read.UnprocessedKeys, err)
	}
	_, err = c.BatchGetItem(ctx, gets)
	wantThrottle(t, err, "TableReadProvisionedThroughputExceeded", "table/"+name)
}

// semantics §3.9, §12.3: a transaction takes twice the units, and is cancelled with a reason for each action that was short.
func TestTransactionsThrottle(t *testing.T) {
	c, _ := metered(t)
	name := c.provisioned(1, 3, 100)
	put := func(pk string) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: &name, Item: map[string]value{"pk": s(pk), "sk": s("b")}}}
	}
	write := &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{put("1"), put("2"), put("3")}}
	_, err := c.TransactWriteItems(ctx, write)
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 3 ||
		aws.ToString(cancelled.CancellationReasons[0].Code) != "None" ||
		aws.ToString(cancelled.CancellationReasons[2].Code) != "ProvisionedThroughputExceeded" {
		t.Fatalf("got %v", err)
	}
	write.TransactItems = write.TransactItems[:2]
	write.ClientRequestToken = nil
	if _, err := c.TransactWriteItems(ctx, write); err != nil {
		t.Errorf("what was given back is not there: %v", err)
	}
}

// semantics §18.1: an on-demand table beyond its maximum answers with another exception, whose reasons are in lower case.
func TestOnDemandTableThrottles(t *testing.T) {
	c, _ := metered(t)
	name := c.table(func(in *dynamodb.CreateTableInput) {
		in.OnDemandThroughput = &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(2)}
	})
	thing := map[string]value{"pk": s("a"), "sk": s("b")}
	var throttled *types.ThrottlingException
	for i := range 3 {
		err := c.store(name, thing)
		if i < 2 && err != nil || i == 2 && !errors.As(err, &throttled) {
			t.Fatalf("write %d: %v", i, err)
		}
	}
	if len(throttled.ThrottlingReasons) != 1 || aws.ToString(throttled.ThrottlingReasons[0].Reason) != "TableWriteMaxOnDemandThroughputExceeded" {
		t.Errorf("the reasons are %+v", throttled.ThrottlingReasons)
	}
}

// semantics §18.4: one partition serves 1,000 write units a second, however many its table has.
func TestPartitionThrottles(t *testing.T) {
	c, _ := metered(t)
	name := c.provisioned(1, 10_000, 10_000)
	thing := map[string]value{"pk": s("a"), "sk": s("b"), "text": s(strings.Repeat("x", 300_000))}
	admitted := 0
	var err error
	for admitted < 20 && err == nil {
		if err = c.store(name, thing); err == nil {
			admitted++
		}
	}
	if admitted != 4 {
		t.Errorf("%d writes of 294 units were admitted, want 4", admitted)
	}
	wantThrottle(t, err, "TableWriteKeyRangeThroughputExceeded", "table/"+name)
}

// semantics §3.5: a write whose condition fails consumes what the item there costs.
func TestFailedConditionConsumes(t *testing.T) {
	c, now := metered(t)
	name := c.provisioned(1, 3, 100)
	large := map[string]value{"pk": s("a"), "sk": s("b"), "text": s(strings.Repeat("x", 2500))}
	check(t, c.store(name, large))
	now.Add(int64(time.Second))
	_, err := c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &name, Key: keyOf("a", "b"), ConditionExpression: aws.String("attribute_not_exists(pk)")})
	wantError(t, err, "ConditionalCheckFailedException")
	wantThrottle(t, c.store(name, keyOf("c", "d")), "TableWriteProvisionedThroughputExceeded", "table/"+name)
}

// semantics §13.2: what time to live removes consumes no units, and is throttled by none that others consumed.
func TestExpiryConsumesNothing(t *testing.T) {
	c, _ := metered(t)
	name := c.provisioned(100, 3, 100)
	for i := range 3 {
		check(t, c.store(name, with(keyOf("ends", fmt.Sprint(i)), item{"ends": after(-time.Minute)})))
	}
	wantThrottle(t, c.store(name, keyOf("c", "d")), "TableWriteProvisionedThroughputExceeded", "table/"+name)
	c.lives(name, "ends")
	c.eventually("all have expired", func() bool {
		out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		check(t, err)
		return *out.Table.ItemCount == 0
	})
}
