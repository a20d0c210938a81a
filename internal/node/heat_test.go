package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/model/attr"
	"stator/internal/storage/keys"
)

// A key with half the load of a table ends alone in its partition, once that has gone on for long enough: through all floors.
func TestHotKeyEndsAlone(t *testing.T) {
	n, now := enforcing(t, 0)
	calls := n.Calls()
	made(t, calls)
	const itemUnits, perSecond = 10, 180
	value := strings.Repeat("x", itemUnits*1024-100)
	random := rand.New(rand.NewPCG(1, 2))
	key := keys.Suffix([]attr.Value{attr.String("hot")}, nil)
	alone := func(p catalog.Partition) bool {
		return string(p.Bounds.Lower) == string(key) && string(p.Bounds.Upper) == string(keys.SuccessorPrefix(key))
	}
	throttled := 0
	for second := 0; ; second++ {
		now.Add(int64(time.Second))
		if err := n.Cool(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range perSecond {
			pk := "hot"
			if i%2 == 0 {
				pk = fmt.Sprint(random.IntN(1000))
			}
			body, err := json.Marshal(map[string]any{"TableName": "things", "Item": map[string]any{"pk": map[string]string{"S": pk}, "v": map[string]string{"S": value}}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := calls[dynamo+"PutItem"](context.Background(), body, nil); err != nil {
				throttled++
			}
		}
		partitions := n.PartitionsOf("things", "")
		for _, p := range partitions {
			if alone(p) {
				t.Logf("after %d seconds, %d requests being throttled", second, throttled)
				return
			}
		}
		if second == 120 {
			t.Fatalf("after two minutes the partitions are %v", partitions)
		}
	}
}

// An index whose warm throughput is raised gets the partitions that it takes, and no other does.
func TestWarmThroughputBringsPartitions(t *testing.T) {
	n, _ := enforcing(t, 0)
	calls := n.Calls()
	colored(t, calls)
	call(t, calls, "UpdateTable", `{"TableName": "things", "GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": "colors", "WarmThroughput": {"WriteUnitsPerSecond": 15000}}}]}`)
	await(t, func() string {
		if many := len(n.PartitionsOf("things", "colors")); many != 16 {
			return fmt.Sprintf("the index has %d partitions", many)
		}
		return ""
	})
	if many := len(n.PartitionsOf("things", "")); many != 4 {
		t.Errorf("the table has %d partitions", many)
	}
}

// A partition of a global index that clients' writes heat is split, while those of its table stay as they are.
func TestHotIndexIsSplit(t *testing.T) {
	n, now := enforcing(t, 4)
	calls := n.Calls()
	colored(t, calls)
	const itemUnits, perSecond = 10, 100
	value := strings.Repeat("x", itemUnits*1024-100)
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		now.Add(int64(time.Second))
		if err := n.Cool(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range perSecond {
			call(t, calls, "PutItem", fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": "%08x"}, "color": {"S": "red"}, "v": {"S": %q}}}`, random.Uint32(), value))
		}
		await(t, func() string {
			if behind := n.IndexLags()[0].Changes; behind > 0 {
				return fmt.Sprintf("the index lacks %d changes", behind)
			}
			return ""
		})
		if len(n.PartitionsOf("things", "colors")) > 4 {
			if table := len(n.PartitionsOf("things", "")); table != 4 {
				t.Errorf("the table has %d partitions", table)
			}
			return
		}
	}
	t.Fatal("after 40 seconds the index is as it was")
}

// A partition serves no more to transactions than to others: what they read beyond its bound is cancelled, and no other item of theirs named.
func TestTransactionsKeepToBounds(t *testing.T) {
	n, _ := enforcing(t, 2)
	calls := n.Calls()
	made(t, calls)
	bounds := n.PartitionsOf("things", "")[1].Bounds
	hot, cold := "", ""
	for i := 0; hot == "" || cold == ""; i++ {
		if pk := fmt.Sprint(i); bounds.Holds(keys.Suffix([]attr.Value{attr.String(pk)}, nil)) {
			hot = pk
		} else {
			cold = pk
		}
	}
	get := func(pk string) string {
		return fmt.Sprintf(`{"Get": {"TableName": "things", "Key": {"pk": {"S": %q}}}}`, pk)
	}
	call(t, calls, "GetItem", fmt.Sprintf(`{"TableName": "things", "ConsistentRead": true, "Key": {"pk": {"S": %q}}}`, hot))
	both := fmt.Appendf(nil, `{"TransactItems": [%s, %s]}`, get(cold), get(hot))
	for range 3000 {
		_, err := calls[dynamo+"TransactGetItems"](context.Background(), both, nil)
		if err == nil {
			continue
		}
		if !strings.Contains(err.Error(), "[None, ThrottlingError]") {
			t.Errorf("beyond its bound: %v", err)
		}
		return
	}
	t.Error("a partition serves what it is asked for")
}
