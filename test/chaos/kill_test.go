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
	killTable   = "chaos"
	writers     = 16
	keysEach    = 24
	payloadMax  = 2000
	splitPause  = 60 * time.Millisecond
	killsAtFull = 4 // the global index is compared after so many kills
)

// Whatever was acknowledged before kill -9 is there after it, and nothing by half. The global index catches up; the local one never lags.
// Partitions split meanwhile.
func TestKill(t *testing.T) {
	s := serve(t, t.TempDir()+"/data")
	connect(s).killTable()
	ledgers := make([]*ledger, writers)
	for i := range ledgers {
		ledgers[i] = newLedger()
	}
	acknowledged := 0
	for loop := range *loops {
		acknowledged += s.loadAndKill(ledgers)
		s.inspect()
		s.restart()
		c := connect(s)
		c.verify(ledgers)
		if loop%killsAtFull == killsAtFull-1 || loop == *loops-1 {
			c.equalsFunction(killTable, "by-color", colored, "pk", "sk")
		}
		if t.Failed() {
			t.Fatalf("after kill %d of %d", loop+1, *loops)
		}
	}
	t.Logf("%d writes were acknowledged before %d kills", acknowledged, *loops)
	if acknowledged < *loops*writers {
		t.Errorf("only %d writes were acknowledged: the kills met no load", acknowledged)
	}
}

// killTable makes a table with an index of each kind, whose changes can be read.
func (c client) killTable() {
	c.t.Helper()
	all := &types.Projection{ProjectionType: types.ProjectionTypeAll}
	c.table(&dynamodb.CreateTableInput{
		TableName: aws.String(killTable), KeySchema: keyed("pk", "sk"),
		AttributeDefinitions: []types.AttributeDefinition{
			attribute("pk", "S"), attribute("sk", "S"), attribute("color", "S"), attribute("n", "N"),
		},
		LocalSecondaryIndexes:  []types.LocalSecondaryIndex{{IndexName: aws.String("by-n"), KeySchema: keyed("pk", "n"), Projection: all}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("by-color"), KeySchema: keyed("color", "n"), Projection: all}},
		StreamSpecification:    &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
}

// colored is an item's entry in by-color.
func colored(i item) (item, bool) {
	_, ok := i["color"]
	return i, ok
}

// loadAndKill has all writers write until the server is killed at some moment. It returns how many writes were acknowledged.
func (s *server) loadAndKill(ledgers []*ledger) int {
	s.t.Helper()
	var killed atomic.Bool
	var acknowledged atomic.Int64
	var running sync.WaitGroup
	c := connect(s)
	for number, l := range ledgers {
		running.Go(func() {
			w := writer{client: c, ledger: l, name: fmt.Sprintf("w%02d", number)}
			for {
				err := w.step(context.Background(), strconv.Itoa(rand.IntN(keysEach)))
				if err == nil {
					acknowledged.Add(1)
					continue
				}
				if !killed.Load() {
					s.t.Errorf("%s was refused before the kill: %v", w.name, err)
				}
				return
			}
		})
	}
	running.Go(func() { s.splitUntil(&killed, killTable) })
	// Everybody has something to lose first, however slow the machine is.
	c.until("the writers are answered", func() bool { return int(acknowledged.Load()) >= writers || s.t.Failed() })
	time.Sleep(*load/4 + rand.N(*load*3/4))
	killed.Store(true)
	s.kill()
	running.Wait()
	return int(acknowledged.Load())
}

// splitUntil splits partitions of a table until it is told to stop.
func (s *server) splitUntil(stopped *atomic.Bool, table string) {
	for !stopped.Load() {
		time.Sleep(splitPause)
		// A split that comes too late, or finds nothing to split, changes nothing.
		_, _, _ = run("split", table, "--admin", s.admin)
	}
}

// writer writes its own keys one after the other, so that it knows what each must be.
type writer struct {
	client
	ledger *ledger
	name   string
}

// step makes one write of any kind to one of its keys. Its error leaves open whether it happened.
func (w *writer) step(ctx context.Context, sk string) error {
	key := item{"pk": str(w.name), "sk": str(sk)}
	text := keyOf(key, "pk", "sk")
	after := item{
		"pk": key["pk"], "sk": key["sk"], "n": num(strconv.FormatInt(time.Now().UnixNano(), 10)),
		"payload": str(strings.Repeat("x", rand.IntN(payloadMax))),
	}
	if rand.IntN(4) > 0 {
		after["color"] = str([]string{"red", "green", "blue"}[rand.IntN(3)])
	}
	sealed(after)
	var err error
	switch kind := rand.IntN(10); {
	case kind < 5:
		w.ledger.try(text, textOf(after))
		_, err = w.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(killTable), Item: after})
	case kind < 8:
		w.ledger.try(text, textOf(after))
		_, err = w.UpdateItem(ctx, updateTo(after, key))
	default:
		w.ledger.try(text, absent)
		_, err = w.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(killTable), Key: key})
	}
	if err == nil {
		w.ledger.acknowledge(text)
	}
	return err
}

// updateTo makes an item, there or not, into after by an update expression.
func updateTo(after, key item) *dynamodb.UpdateItemInput {
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(killTable), Key: key,
		ExpressionAttributeNames: map[string]string{"#c": "color"},
		ExpressionAttributeValues: item{
			":n": after["n"], ":p": after["payload"], ":s": after["sum"],
		},
	}
	expression := "SET n = :n, payload = :p, #s = :s"
	in.ExpressionAttributeNames["#s"] = "sum"
	if color, ok := after["color"]; ok {
		expression += ", #c = :c"
		in.ExpressionAttributeValues[":c"] = color
	} else {
		expression += " REMOVE #c"
	}
	in.UpdateExpression = &expression
	return in
}

// verify compares the table with what every writer knows of it, and the local index with the table.
func (c client) verify(ledgers []*ledger) {
	c.t.Helper()
	rows := c.all(killTable, "")
	found := map[string]string{}
	for _, i := range rows {
		if !whole(i) {
			c.t.Errorf("half an item: %s", textOf(i))
		}
		found[keyOf(i, "pk", "sk")] = textOf(i)
	}
	for _, l := range ledgers {
		for _, complaint := range l.settle(found) {
			c.t.Error(complaint)
		}
		for key := range l.cells {
			delete(found, key)
		}
	}
	for key := range found {
		c.t.Errorf("%s was never written", key)
	}
	same := func(i item) (item, bool) { return i, true }
	for _, complaint := range differences(rows, c.all(killTable, "by-n"), same, "pk", "sk") {
		c.t.Errorf("local index: %s", complaint)
	}
}
