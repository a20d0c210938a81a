package node_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"stator/internal/base/clock"
	"stator/internal/cluster/catalog"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/sigv4"
	"stator/internal/jobs/rebalance"
	"stator/internal/node"
	"stator/internal/storage/keys"
	"stator/test/sdk"
)

// transactions: a node that holds none of the items, whose partitions are led by two others, carries transactions through;
// and others do, or undo, when it ends on the way.
func (f *five) transactions(t *testing.T) {
	one, two, at := f.apart(t)
	first, second := keysIn(one, 1)[0], keysIn(two, 1)[0]
	transact := func(value string) error {
		body := fmt.Sprintf(`{"TransactItems": [{"Put": %s}, {"Put": %s}]}`, putBody(first, value), putBody(second, value))
		_, err := f.calls[at][dynamo+"TransactWriteItems"](t.Context(), []byte(body), nil)
		return err
	}
	both := func(value string) {
		t.Helper()
		for i := range f.nodes {
			f.shows(t, i, first, value)
			f.shows(t, i, second, value)
		}
	}
	if err := transact("performed"); err != nil {
		t.Fatal(err)
	}
	both("performed")

	f.dies.Store(&death{at, "commit"})
	if err := transact("never"); err == nil {
		t.Error("a transaction was answered that ended before it was committed")
	}
	f.dies.Store(nil)
	both("performed")
	comes(t, f.calls[(at+1)%len(f.calls)], dynamo+"PutItem", putBody(second, "after it"), `^{}$`)
	comes(t, f.calls[(at+2)%len(f.calls)], dynamo+"PutItem", putBody(first, "after it"), `^{}$`)
	both("after it")

	f.dies.Store(&death{at, "apply"})
	if err := transact("settled"); err == nil {
		t.Error("a transaction was answered that ended before it was applied")
	}
	f.dies.Store(nil)
	await(t, func() string {
		if got := call(t, f.calls[(at+1)%len(f.calls)], "GetItem", getBody(second, true)); got != itemAnswer(second, "settled") {
			return got
		}
		return ""
	})
	both("settled")
}

// apart finds two partitions that different nodes lead, and the place of a node that holds neither.
func (f *five) apart(t *testing.T) (one, two catalog.Partition, at int) {
	t.Helper()
	partitions := f.partitions()
	for i, one := range partitions {
		for _, two := range partitions[:i] {
			if f.leader(t, one.ID) == f.leader(t, two.ID) {
				continue
			}
			for _, at := range f.outside(one) {
				if slices.Contains(f.outside(two), at) {
					return one, two, at
				}
			}
		}
	}
	t.Fatal("every node holds something of any two partitions")
	return one, two, 0
}

const (
	// grownItems of about a kilobyte are at least twice what so many partitions may hold.
	grownItems = 2 * fivePartitions * fiveSplitBytes / 1024
	growers    = 4
)

// growth: a table that outgrows its partitions is split by itself while it is written and read.
func (f *five) growth(t *testing.T) {
	call(t, f.calls[1], "CreateTable", `{"TableName": "growing", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}`)
	comes(t, f.calls[1], dynamo+"DescribeTable", `{"TableName": "growing"}`, `"TableStatus":"ACTIVE"`)
	padding := strings.Repeat("x", 1000)
	ctx, stop := context.WithCancel(t.Context())
	var growing sync.WaitGroup
	for g := range growers {
		growing.Go(func() {
			for n := g; n < grownItems || ctx.Err() == nil; n += growers {
				if err := f.grow(n%grownItems, padding); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	t.Cleanup(growing.Wait)
	t.Cleanup(stop)
	await(t, func() string {
		count := 0
		for _, p := range f.layout(t) {
			if p.Table != "growing" {
				continue
			}
			if count++; p.Bytes > fiveSplitBytes {
				return fmt.Sprintf("partition %d has %d bytes", p.ID, p.Bytes)
			}
		}
		if count < 2*fivePartitions {
			return fmt.Sprintf("it has %d partitions", count)
		}
		return ""
	})
	stop()
	growing.Wait()
	for i := range grownItems {
		if got := call(t, f.calls[i%len(f.calls)], "GetItem", grownKey(i)); !strings.Contains(got, padding) {
			t.Fatalf("item %d is %.40s", i, got)
		}
	}
	call(t, f.calls[0], "DeleteTable", `{"TableName": "growing"}`)
}

// grow writes an item, and reads one that its writer wrote before.
func (f *five) grow(i int, padding string) error {
	body := fmt.Sprintf(`{"TableName": "growing", "Item": {"pk": {"S": "%d"}, "padding": {"S": %q}}}`, i, padding)
	for _, ask := range []struct{ operation, body string }{{"PutItem", body}, {"GetItem", grownKey(max(i%growers, i-growers))}} {
		answer, err := []byte(nil), error(nil)
		for range 3 {
			if answer, err = f.calls[i%len(f.calls)][dynamo+ask.operation](context.Background(), []byte(ask.body), nil); err == nil {
				break
			}
		}
		if err != nil || ask.operation == "GetItem" && !strings.Contains(string(answer), padding) {
			return fmt.Errorf("%s of item %d: %.40s, %w", ask.operation, i, answer, err)
		}
	}
	return nil
}

func grownKey(i int) string {
	return fmt.Sprintf(`{"TableName": "growing", "ConsistentRead": true, "Key": {"pk": {"S": "%d"}}}`, i)
}

// decommission: a node gives all it has to the others, and no client of any of them meets a failure that the SDK does not
// get over by itself. Then it may be stopped.
func (f *five) decommission(t *testing.T) {
	const leaving = 1
	var clients []*attended
	for i := range f.nodes {
		clients = append(clients, f.attend(t, i))
	}
	f.tell(t, rebalance.Question{Verb: rebalance.VerbDecommission, Node: f.nodes[leaving].ID()})
	await(t, func() string {
		for _, n := range f.overview(t).Nodes {
			if n.ID == f.nodes[leaving].ID() && n.State == "gone" && f.nodes[leaving].Copies() == 0 {
				return ""
			}
		}
		return fmt.Sprintf("node %d keeps %d replicas", f.nodes[leaving].ID(), f.nodes[leaving].Copies())
	})
	var everything []span
	for _, space := range []keys.Space{keys.SpaceData, keys.SpaceLocalIndex, keys.SpaceLock, keys.SpaceSize, keys.SpaceTransaction,
		keys.SpaceLog, keys.SpaceExpiry, keys.SpacePart, keys.SpaceRaft} {
		everything = append(everything, span{[]byte{byte(space)}, []byte{byte(space) + 1}})
	}
	if rows, _ := f.rows(t, leaving, everything); rows > 0 {
		t.Errorf("the node that left holds %d rows", rows)
	}
	clients[leaving].stop()
	closed(t, f.nodes[leaving])
	for i, c := range slices.Delete(clients, leaving, leaving+1) {
		more := c.answered.Load() + 50
		await(t, func() string {
			if c.answered.Load() < more && !t.Failed() {
				return fmt.Sprintf("client %d has no more answers", i)
			}
			return ""
		})
		c.stop()
	}
	await(t, func() string {
		for _, p := range f.layout(t) {
			on := func(place int) bool {
				return slices.ContainsFunc(p.Replicas, func(r rebalance.Replica) bool { return r.Node == f.nodes[place].ID() && !r.Learner })
			}
			// The catalog had five, and keeps four: they survive as many losses as three.
			if len(p.Replicas) < fiveReplicas || p.Table == "things" && len(p.Replicas) > fiveReplicas || on(leaving) || p.Leader == 0 {
				return fmt.Sprintf("partition %d has %+v", p.ID, p.Replicas)
			}
		}
		return ""
	})
}

// attended is a client of one node at work.
type attended struct {
	answered atomic.Int64
	cancel   context.CancelFunc
	ended    chan struct{}
}

// attend has a client write and read at a node until it is stopped.
func (f *five) attend(t *testing.T, place int) *attended {
	client := sdk.New(f.door(t, place))
	ctx, cancel := context.WithCancel(t.Context())
	c := &attended{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		for n := 0; ctx.Err() == nil; n++ {
			if err := useOnce(client, fmt.Sprintf("client %d %d", place, n%20), fmt.Sprint(n)); err != nil {
				t.Errorf("at node %d: %v", f.nodes[place].ID(), err)
				return
			}
			c.answered.Add(1)
		}
	}()
	t.Cleanup(c.stop)
	return c
}

func (c *attended) stop() {
	c.cancel()
	<-c.ended
}

// door is where clients find a node.
func (f *five) door(t *testing.T, place int) string {
	t.Helper()
	ids, err := httpapi.NewRequestIDs(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpapi.NewServer(httpapi.New(httpapi.Options{
		Calls: f.calls[place], Auth: sigv4.WellFormed{}, Budget: httpapi.NewBudget(64 << 20), IDs: ids,
		Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Region: "us-east-1",
	}), httpapi.DefaultLimits())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return "http://" + l.Addr().String()
}

// useOnce writes an item and reads it strongly, with the tries that the SDK makes by itself.
func useOnce(client *dynamodb.Client, pk, value string) error {
	patient := func(o *dynamodb.Options) { o.Retryer = retry.NewStandard() }
	key := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}}
	item := map[string]types.AttributeValue{"pk": key["pk"], "value": &types.AttributeValueMemberS{Value: value}}
	ctx := context.Background()
	if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("things"), Item: item}, patient); err != nil {
		return err
	}
	out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("things"), Key: key, ConsistentRead: aws.Bool(true)}, patient)
	if err != nil {
		return err
	}
	if got, ok := out.Item["value"].(*types.AttributeValueMemberS); !ok || got.Value != value {
		return fmt.Errorf("%s is %v, want %s", pk, out.Item["value"], value)
	}
	return nil
}

// A node that is alone splits what has grown too large just as well, and its counts stay right.
func TestGrowthAlone(t *testing.T) {
	n, err := node.Open(t.Context(), node.Options{InMemory: true, Partitions: 1, SplitBytes: fiveSplitBytes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	const parts = 10
	const items = parts * fiveSplitBytes / 1000
	calls, padding := n.Calls(), strings.Repeat("x", 1000)
	made(t, calls)
	for i := range items {
		call(t, calls, "PutItem", fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": "%d"}, "padding": {"S": %q}}}`, i, padding))
	}
	things, _ := n.Table("things")
	await(t, func() string {
		if count := len(n.Partitions(things.ID)); count < parts {
			return fmt.Sprintf("%d partitions", count)
		}
		return ""
	})
	comes(t, calls, dynamo+"DescribeTable", `{"TableName": "things"}`, fmt.Sprintf(`"ItemCount":%d\D`, items))
	for i := range items {
		got := call(t, calls, "GetItem", fmt.Sprintf(`{"TableName": "things", "Key": {"pk": {"S": "%d"}}}`, i))
		if !strings.Contains(got, padding) {
			t.Fatalf("item %d is %.40s", i, got)
		}
	}
}
