package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	fillTable  = "filled"
	clients    = 16
	batchItems = 25
	// fillBytes makes the table large enough that filling an index from it takes a while.
	fillBytes = 1000
	// killTries is how often an index is added until a kill finds it half filled.
	killTries = 5
	// runOn is how long the clients go on before and after the kill.
	runOn = 500 * time.Millisecond
)

// An index added to a table under load, and killed while it is filled, goes on where it was and ends as the function of the table: also for
// items whose index key appears, changes, goes, or has the wrong type.
func TestBackfill(t *testing.T) {
	s := serve(t, t.TempDir()+"/data")
	c := connect(s)
	c.table(&dynamodb.CreateTableInput{
		TableName: aws.String(fillTable), KeySchema: keyed("pk"), AttributeDefinitions: []types.AttributeDefinition{attribute("pk", "S")},
	})
	c.fill(*items)
	name := ""
	for try := 0; ; try++ {
		name = fmt.Sprintf("by-g-%d", try)
		stop := connect(s).disturb(s)
		time.Sleep(runOn)
		c.addIndex(name)
		c.until("the index is being filled", func() bool {
			ix := index(c.describe(fillTable), name)
			return ix == nil || ix.IndexStatus == types.IndexStatusActive || aws.ToBool(ix.Backfilling)
		})
		stop.killing()
		s.kill()
		stop.wait()
		s.inspect()
		s.restart()
		c = connect(s)
		if index(c.describe(fillTable), name).IndexStatus == types.IndexStatusCreating {
			break
		}
		if try == killTries {
			t.Fatalf("no kill found the index half filled in %d tries: give more -items", killTries)
		}
		c.removeIndex(name)
	}
	stop := c.disturb(s)
	c.until("the index is ACTIVE", func() bool { return index(c.describe(fillTable), name).IndexStatus == types.IndexStatusActive })
	time.Sleep(runOn)
	stop.wait()
	c.equalsFunction(fillTable, name, grouped, "pk")
	if t.Failed() {
		return
	}
	if n := len(c.all(fillTable, name)); n == 0 || n == *items {
		t.Errorf("%d of %d items are in the index: the test shows nothing", n, *items)
	}
	s.inspectStopped()
}

// inspectStopped stops the server and verifies its directory.
func (s *server) inspectStopped() {
	s.t.Helper()
	s.terminate()
	if code := s.exit(stopMax); code != 0 {
		s.t.Errorf("exit %d after SIGTERM", code)
	}
	s.inspect()
}

func (c client) addIndex(name string) {
	c.t.Helper()
	_, err := c.UpdateTable(context.Background(), &dynamodb.UpdateTableInput{
		TableName: aws.String(fillTable), AttributeDefinitions: []types.AttributeDefinition{attribute("g", "S"), attribute("h", "N")},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: &name, KeySchema: keyed("g", "h"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"v"}},
		}}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c client) removeIndex(name string) {
	c.t.Helper()
	c.until("the index is ACTIVE", func() bool { return index(c.describe(fillTable), name).IndexStatus == types.IndexStatusActive })
	_, err := c.UpdateTable(context.Background(), &dynamodb.UpdateTableInput{
		TableName: aws.String(fillTable), GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
			{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: &name}},
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.until("the index is gone", func() bool {
		d := c.describe(fillTable)
		return index(d, name) == nil && d.TableStatus == types.TableStatusActive
	})
}

// grouped is an item's entry in the index: with both key attributes, each of its type, and nothing but the projected.
func grouped(i item) (item, bool) {
	g, ok := i["g"].(*types.AttributeValueMemberS)
	_, number := i["h"].(*types.AttributeValueMemberN)
	if !ok || !number || g.Value == "" {
		return nil, false
	}
	e := item{}
	for _, name := range []string{"pk", "g", "h", "v"} {
		if v, ok := i[name]; ok {
			e[name] = v
		}
	}
	return e, true
}

// made is a new state of an item: usually in the index, else with a key attribute that is missing, empty or of the wrong type.
func made(pk string) item {
	i := item{
		"pk": str(pk), "g": str("g" + strconv.Itoa(rand.IntN(50))), "h": num(strconv.Itoa(rand.IntN(1000))),
		"v": str(strconv.Itoa(rand.IntN(1 << 30))), "payload": str(strings.Repeat("p", fillBytes)),
	}
	switch rand.IntN(10) {
	case 0:
		delete(i, "g")
	case 1:
		delete(i, "h")
	case 2:
		i["g"] = num("7")
	case 3:
		i["h"] = str("seven")
	case 4:
		i["g"] = str("")
	}
	return i
}

func pkOf(n int) string { return fmt.Sprintf("item-%06d", n) }

// fill loads n items.
func (c client) fill(n int) {
	c.t.Helper()
	var next atomic.Int64
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for {
				from := int(next.Add(batchItems)) - batchItems
				if from >= n {
					return
				}
				var puts []types.WriteRequest
				for i := from; i < min(from+batchItems, n); i++ {
					puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: made(pkOf(i))}})
				}
				for len(puts) > 0 {
					out, err := c.BatchWriteItem(context.Background(), &dynamodb.BatchWriteItemInput{
						RequestItems: map[string][]types.WriteRequest{fillTable: puts},
					})
					if err != nil {
						c.t.Errorf("loading: %v", err)
						return
					}
					puts = out.UnprocessedItems[fillTable]
				}
			}
		})
	}
	running.Wait()
	if c.t.Failed() {
		c.t.FailNow()
	}
}

// disturbance is 16 clients that write until they are told to stop.
type disturbance struct {
	stopped, killed atomic.Bool
	running         sync.WaitGroup
}

// killing allows the clients to fail from now on.
func (d *disturbance) killing() { d.killed.Store(true) }

func (d *disturbance) wait() {
	d.stopped.Store(true)
	d.running.Wait()
}

// disturb has clients put, update and delete anywhere in the table, whose partitions split meanwhile.
func (c client) disturb(s *server) *disturbance {
	d := &disturbance{}
	d.running.Go(func() { s.splitUntil(&d.stopped, fillTable) })
	for range clients {
		d.running.Go(func() {
			for !d.stopped.Load() {
				err := c.disturbOnce(pkOf(rand.IntN(*items)))
				switch {
				case err == nil:
				case d.killed.Load():
					return
				// Once the index is there, no write may give its key the wrong type.
				case !refused(err, "ValidationException"):
					c.t.Errorf("a write was refused while the index was filled: %v", err)
					return
				}
			}
		})
	}
	return d
}

func (c client) disturbOnce(pk string) error {
	key, next := item{"pk": str(pk)}, made(pk)
	update := func(expression string, names map[string]string, values item) error {
		in := &dynamodb.UpdateItemInput{TableName: aws.String(fillTable), Key: key, UpdateExpression: &expression, ExpressionAttributeNames: names}
		if len(values) > 0 {
			in.ExpressionAttributeValues = values
		}
		_, err := c.UpdateItem(context.Background(), in)
		return err
	}
	var err error
	switch kind := rand.IntN(10); {
	case kind < 3:
		_, err = c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String(fillTable), Item: next})
	case kind < 5 && next["g"] != nil:
		err = update("SET #g = :g", map[string]string{"#g": "g"}, item{":g": next["g"]})
	case kind < 6:
		err = update("SET #h = :h", map[string]string{"#h": "h"}, item{":h": num(strconv.Itoa(rand.IntN(1000)))})
	case kind < 7:
		err = update("REMOVE #g", map[string]string{"#g": "g"}, nil)
	case kind < 8:
		err = update("SET #v = :v", map[string]string{"#v": "v"}, item{":v": next["v"]})
	default:
		_, err = c.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{TableName: aws.String(fillTable), Key: key})
	}
	return err
}
