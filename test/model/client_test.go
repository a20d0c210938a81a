package model_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stator/internal/model/api"
	"stator/internal/node"
)

// object is a JSON object of a request.
type object map[string]any

// reply is what the model reads of an answer, whatever the operation.
type reply struct {
	Item, Attributes, LastEvaluatedKey item
	Items                              []item
	Count, ScannedCount                int
	Responses                          map[string][]item
	Table                              struct {
		TableStatus            string
		ItemCount              int
		LocalSecondaryIndexes  []indexReply
		GlobalSecondaryIndexes []indexReply
	}
}

type indexReply struct {
	IndexName, IndexStatus string
	ItemCount              int
}

// database is a node in memory with its operations, called without HTTP.
type database struct {
	node  *node.Node
	calls map[string]api.Call
	made  int // tables
}

func open(t *testing.T, partitions int) *database {
	t.Helper()
	n, err := node.Open(t.Context(), node.Options{InMemory: true, Partitions: partitions,
		Fatal:  func(err error) { t.Errorf("the store is broken: %v", err) },
		Broken: func(partition uint64, err error) { t.Errorf("partition %d is broken: %v", partition, err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return &database{node: n, calls: n.Calls()}
}

// ask calls an operation. A refusal is returned by its type, "" for none.
func (db *database) ask(t *rapid.T, operation string, request object) (reply, string) {
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	out, err := db.calls["DynamoDB_20120810."+operation](context.Background(), body, nil)
	var refused *api.Error
	switch {
	case errors.As(err, &refused):
		return reply{}, refused.Type + ": " + refused.Message
	case err != nil:
		t.Fatalf("%s %s: %v", operation, body, err)
	}
	var r reply
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%s answers %s: %v", operation, out, err)
	}
	return r, ""
}

// must calls an operation that is not to be refused.
func (db *database) must(t *rapid.T, operation string, request object) reply {
	r, refused := db.ask(t, operation, request)
	if refused != "" {
		body, _ := json.Marshal(request)
		t.Fatalf("%s %s is refused: %s", operation, body, refused)
	}
	return r
}

// settleMax is how long the model waits for what happens behind requests.
const settleMax = 2 * time.Minute

// eventually waits until check has nothing to complain of any more.
func eventually(t *rapid.T, check func() error) {
	deadline := time.Now().Add(settleMax)
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v still: %v", settleMax, err)
		}
		time.Sleep(pause)
	}
}

// active waits until a table and all its indexes are.
func (db *database) active(t *rapid.T, name string) {
	eventually(t, func() error {
		r := db.must(t, "DescribeTable", object{"TableName": name})
		if r.Table.TableStatus != "ACTIVE" {
			return fmt.Errorf("table %s is %s", name, r.Table.TableStatus)
		}
		for _, ix := range r.Table.GlobalSecondaryIndexes {
			if ix.IndexStatus != "ACTIVE" {
				return fmt.Errorf("index %s is %s", ix.IndexName, ix.IndexStatus)
			}
		}
		return nil
	})
}

// drop deletes a table and waits until it is gone.
func (db *database) drop(t *rapid.T, name string) {
	db.must(t, "DeleteTable", object{"TableName": name})
	eventually(t, func() error {
		if _, refused := db.ask(t, "DescribeTable", object{"TableName": name}); refused == "" {
			return fmt.Errorf("table %s is still there", name)
		}
		return nil
	})
}
