package node_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"stator/internal/node"
)

// diskFull is a reserve that no disk has.
const diskFull = 1 << 60

// caller performs operations on a node.
func caller(n *node.Node) func(operation, body string) (string, error) {
	calls := n.Calls()
	return func(operation, body string) (string, error) {
		out, err := calls[tables+operation](context.Background(), []byte(body), nil)
		return string(out), err
	}
}

// What has expired goes while the disk is nearly full and clients' writes are refused: it makes room.
func TestExpiryGoesOnWhileTheDiskIsLow(t *testing.T) {
	dir := t.TempDir()
	open := func(reserve int64) (*node.Node, func(operation, body string) (string, error)) {
		n, err := node.Open(t.Context(), node.Options{Data: dir, DiskReserve: reserve, Partitions: 2})
		if err != nil {
			t.Fatal(err)
		}
		return n, caller(n)
	}
	eventually := func(what string, holds func() bool) {
		t.Helper()
		await(t, func() string {
			if !holds() {
				return "not yet: " + what
			}
			return ""
		})
	}
	shows := func(call func(operation, body string) (string, error), operation, body, want string) func() bool {
		return func() bool {
			out, err := call(operation, body)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains(out, want)
		}
	}
	n, call := open(-1)
	for _, wish := range [][2]string{
		{"CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}`},
		{"UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ends"}}`},
		{"PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"p":{"S":"a"},"ends":{"N":"%d"}}}`, time.Now().Unix()+2)},
		{"PutItem", `{"TableName":"things","Item":{"p":{"S":"b"},"ends":{"N":"4000000000"}}}`},
	} {
		if _, err := call(wish[0], wish[1]); err != nil {
			t.Fatalf("%s: %v", wish[0], err)
		}
		eventually("the table is active", shows(call, "DescribeTable", `{"TableName":"things"}`, `"TableStatus":"ACTIVE"`))
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n, call = open(diskFull)
	defer n.Close()
	if _, err := call("PutItem", `{"TableName":"things","Item":{"p":{"S":"c"}}}`); !errors.Is(err, node.ErrDiskLow) {
		t.Fatalf("on a full disk a put is answered %v", err)
	}
	eventually("one of two items is gone", shows(call, "Scan", `{"TableName":"things","Select":"COUNT"}`, `"Count":1`))
	eventually("it is counted", func() bool {
		gone := n.Expired()
		return len(gone) == 1 && gone[0].Table == "things" && gone[0].Items == 1
	})
}
