package node_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"stator/internal/node"
)

// On a node that is alone a read of a global index shows what was written before: what came, what moved and what went.
func TestIndexesShowWhatWasWritten(t *testing.T) {
	patient := func(_ context.Context, d time.Duration) error { // a busy machine takes longer to feed an index than a read waits
		time.Sleep(40 * d)
		return nil
	}
	n, err := node.Open(t.Context(), node.Options{InMemory: true, Partitions: 4, Pause: patient})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	calls := n.Calls()
	colored(t, calls)
	shows := func(color string, want int) {
		t.Helper()
		got := call(t, calls, "Query", fmt.Sprintf(`{"TableName": "things", "IndexName": "colors", "KeyConditionExpression": "color = :c", "ExpressionAttributeValues": {":c": {"S": %q}}}`, color))
		if !strings.Contains(got, fmt.Sprintf(`"Count":%d,`, want)) {
			t.Errorf("the index shows %s of %s, want %d", got, color, want)
		}
	}
	write := func(operation, attribute string, i int, color string) {
		t.Helper()
		call(t, calls, operation, fmt.Sprintf(`{"TableName": "things", %q: {"pk": {"S": "%d"}%s}}`, attribute, i, color))
	}
	for i := range 10 {
		write("PutItem", "Item", i, fmt.Sprintf(`, "color": {"S": "c%d"}`, i))
		shows(fmt.Sprintf("c%d", i), 1)
		write("PutItem", "Item", i, `, "color": {"S": "grey"}`)
		shows("grey", i+1)
		shows(fmt.Sprintf("c%d", i), 0)
	}
	for i := range 10 {
		write("DeleteItem", "Key", i, "")
		shows("grey", 9-i)
	}
}
