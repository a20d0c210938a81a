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
		partitions := n.PartitionsOf("things")
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
