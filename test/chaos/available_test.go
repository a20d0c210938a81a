package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var availableTime = flag.Duration("available", 0, "how long TestAvailable goes on; 0 passes it over")

const (
	patientClients = 24
	// patientMax is how long a client waits for an operation, with all the SDK's tries. Programs rarely wait longer.
	patientMax  = 30 * time.Second
	patientRest = 50 * time.Millisecond
	patientKeys = 2000
	// availablePartsPerMillion is what the issue asks of the operations that succeed.
	availablePartsPerMillion = 999_900
)

// While a node dies, each is restarted, one joins and a partition splits, the operations of clients that know all nodes and
// try again as the SDK does by itself succeed.
func TestAvailable(t *testing.T) {
	if *availableTime == 0 {
		t.Skip("it takes long: -available 30m")
	}
	f := newFleet(t, 3)
	client{Client: f.all()[0].client, t: t}.table(&dynamodb.CreateTableInput{
		TableName: aws.String("things"), KeySchema: keyed("pk", "sk"),
		AttributeDefinitions: []types.AttributeDefinition{attribute("pk", types.ScalarAttributeTypeS), attribute("sk", types.ScalarAttributeTypeN)},
	})
	if err := f.whole(settleMax); err != nil {
		t.Fatal(err)
	}
	l := &patience{fleet: f}
	ctx, cancel := context.WithTimeout(context.Background(), *availableTime)
	defer cancel()
	var clients sync.WaitGroup
	for range patientClients {
		clients.Go(func() { l.work(ctx) })
	}
	for i, event := range []struct {
		name string
		make func(*fleet) error
	}{{"a node dies", killAndRevive}, {"each node is restarted", restartEach}, {"a node joins", join}, {"a partition splits", cleave}} {
		time.Sleep(*availableTime / 5)
		begun := time.Now()
		if err := event.make(f); err != nil {
			t.Errorf("%s: %v", event.name, err)
		}
		if err := f.whole(settleMax); err != nil {
			t.Errorf("%s: %v", event.name, err)
		}
		t.Logf("event %d: %s, all is whole after %v; %d operations until now, %d failed", i+1, event.name, time.Since(begun).Round(time.Millisecond),
			l.done.Load(), l.failed.Load())
	}
	clients.Wait()
	done, failed := l.done.Load(), l.failed.Load()
	t.Logf("%d operations in %v, %d tries; %d failed; the slowest took %v", done, *availableTime, l.tries.Load(), failed, time.Duration(l.slowest.Load()))
	if done == 0 || (done-failed)*1_000_000 < done*availablePartsPerMillion {
		t.Errorf("of %d operations %d failed", done, failed)
	}
}

const deathLasts = 10 * time.Second

func killAndRevive(f *fleet) error {
	dead := f.all()[rand.IntN(len(f.all()))]
	dead.kill()
	time.Sleep(deathLasts)
	return f.revive(dead)
}

func restartEach(f *fleet) error {
	for _, m := range f.all() {
		m.terminate()
		if code := m.exit(stopMax + 5*time.Second); code != 0 {
			return fmt.Errorf("%s ended with code %d", m.name, code)
		}
		if err := f.revive(m); err != nil {
			return err
		}
		if err := f.whole(settleMax); err != nil {
			return err
		}
	}
	return nil
}

func join(f *fleet) error {
	_, err := f.add(false)
	return err
}

func cleave(f *fleet) error {
	r, err := http.Post("http://"+f.all()[0].operator+"/split?table=things", "application/json", http.NoBody)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("splitting: %s", r.Status)
	}
	return nil
}

// patience is a load of clients with the SDK's own retries.
type patience struct {
	fleet                        *fleet
	turn                         atomic.Uint64
	done, failed, tries, slowest atomic.Int64
}

// RoundTrip sends each try to the next node that takes connections, as what balances between clients and nodes does.
func (l *patience) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	l.tries.Add(1)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	all := l.fleet.all()
	first := l.turn.Add(1)
	for i := range uint64(len(all)) {
		aimed := r.Clone(r.Context())
		aimed.Body = io.NopCloser(bytes.NewReader(body))
		aimed.URL.Host = all[(first+i)%uint64(len(all))].api
		answer, err = http.DefaultTransport.RoundTrip(aimed)
		if failed, ok := errors.AsType[*net.OpError](err); !ok || failed.Op != "dial" {
			break
		}
	}
	return answer, err
}

func (l *patience) work(ctx context.Context) {
	c := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://any"), HTTPClient: &http.Client{Transport: l},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
	})
	for n := 0; ctx.Err() == nil; n++ {
		one, cancel := context.WithTimeout(context.Background(), patientMax)
		begun := time.Now()
		err := deeds[n%len(deeds)](one, c, strconv.Itoa(rand.IntN(patientKeys)))
		took := int64(time.Since(begun))
		cancel()
		l.done.Add(1)
		if err != nil && !conflicted(err) {
			l.failed.Add(1)
			l.fleet.t.Logf("after %v: %v", time.Duration(took), err)
		}
		for slowest := l.slowest.Load(); took > slowest && !l.slowest.CompareAndSwap(slowest, took); {
			slowest = l.slowest.Load()
		}
		time.Sleep(patientRest)
	}
}

// conflicted tells whether clients met on an item: then the service refuses one of them, as DynamoDB does.
func conflicted(err error) bool {
	return refused(err, "TransactionConflictException") || refused(err, "TransactionCanceledException") && strings.Contains(err.Error(), "TransactionConflict")
}

var deeds = []func(ctx context.Context, c *dynamodb.Client, pk string) error{
	func(ctx context.Context, c *dynamodb.Client, pk string) error {
		_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("things"), Item: thing(pk)})
		return err
	},
	func(ctx context.Context, c *dynamodb.Client, pk string) error {
		_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("things"), Key: item{"pk": str(pk), "sk": num("1")}, ConsistentRead: aws.Bool(true)})
		return err
	},
	func(ctx context.Context, c *dynamodb.Client, pk string) error {
		_, err := c.Query(ctx, &dynamodb.QueryInput{
			TableName: aws.String("things"), KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: item{":pk": str(pk)},
		})
		return err
	},
	func(ctx context.Context, c *dynamodb.Client, pk string) error {
		_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String("things"), Key: item{"pk": str(pk), "sk": num("2")},
			UpdateExpression: aws.String("ADD seen :one"), ExpressionAttributeValues: item{":one": num("1")},
		})
		return err
	},
	func(ctx context.Context, c *dynamodb.Client, pk string) error {
		other := strconv.Itoa(rand.IntN(patientKeys)) + "-other"
		_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: aws.String("things"), Item: thing(pk)}}, {Put: &types.Put{TableName: aws.String("things"), Item: thing(other)}},
		}})
		return err
	},
}

func thing(pk string) item {
	return item{"pk": str(pk), "sk": num("1"), "text": str(strings.Repeat("x", 500))}
}
