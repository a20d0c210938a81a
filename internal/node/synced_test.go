package node_test

import (
	"context"
	"fmt"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"stator/internal/model/api"
	"stator/internal/node"
)

var activeTable = regexp.MustCompile(`"TableStatus":"ACTIVE"`)

// Under one client that waits for each answer, there are at least as many syncs as answered puts. The same count shows that
// a node which answers before it has synced would be seen.
func TestEveryAnsweredPutWasSynced(t *testing.T) {
	const puts = 100
	for _, test := range []struct {
		durability node.Durability
		fewer      bool
	}{{node.Synced, false}, {node.Relaxed, true}} {
		t.Run(string(test.durability), func(t *testing.T) {
			var syncs atomic.Int64
			counted := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
					syncs.Add(1)
				}
				return nil
			}))
			n, err := node.Open(t.Context(), node.Options{Data: "data", FS: counted, Durability: test.durability, DiskReserve: -1})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := n.Close(); err != nil {
					t.Error(err)
				}
			}()
			calls := n.Calls()
			made(t, calls)
			before := syncs.Load()
			for i := range puts {
				call(t, calls, "PutItem", fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": "%d"}}}`, i))
			}
			if got := syncs.Load() - before; (got < puts) != test.fewer {
				t.Errorf("%d puts were answered after %d syncs", puts, got)
			}
		})
	}
}

// made creates a table and waits until nothing is written for its sake any more.
func made(t *testing.T, calls map[string]api.Call) {
	t.Helper()
	call(t, calls, "CreateTable", `{"TableName": "things", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}`)
	await(t, func() string {
		if text := call(t, calls, "DescribeTable", `{"TableName": "things"}`); !activeTable.MatchString(text) {
			return "the table is not ACTIVE"
		}
		return ""
	})
}

func call(t *testing.T, calls map[string]api.Call, operation, body string) string {
	t.Helper()
	answer, err := calls["DynamoDB_20120810."+operation](context.Background(), []byte(body), nil)
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return string(answer)
}
