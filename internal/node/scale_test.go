package node_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"stator/internal/base/clock"
	"stator/internal/model/api"
	"stator/internal/model/capacity"
	"stator/internal/node"
)

const scaling = "AnyScaleFrontendService."

// reporting opens a node that counts what is consumed, by a clock that stands still.
func reporting(t *testing.T) (*node.Node, *clock.Manual) {
	t.Helper()
	at := clock.NewManual(time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC))
	n, err := node.Open(t.Context(), node.Options{InMemory: true, Clock: at, Capacity: node.CapacityReport, Steady: func() time.Duration { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	return n, at
}

// A table follows what is asked of it, out after two busy minutes and in after fifteen idle ones: through all floors, by the node's own books.
func TestTableIsScaled(t *testing.T) {
	n, at := reporting(t)
	calls := n.Calls()
	metered(t, calls, 10)
	scaled(t, calls, "RegisterScalableTarget", `"MinCapacity": 2, "MaxCapacity": 100`)
	scaled(t, calls, "PutScalingPolicy", `"PolicyName": "track", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration":
		{"TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"}}`)
	for range 2 {
		busyMinute(t, n, calls, at)
	}
	comes(t, calls, dynamo+"DescribeTable", `{"TableName": "things"}`, `"WriteCapacityUnits":16\b`)
	comes(t, calls, dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
	at.Advance(16 * time.Minute)
	comes(t, calls, dynamo+"DescribeTable", `{"TableName": "things"}`, `"WriteCapacityUnits":2\b`)
	w, err := n.Workload(t.Context(), "things")
	if err != nil || w.Minutes() != 18 || w.Resources[0].Write[0] != 480 || w.Resources[0].Write[17] != 0 {
		t.Errorf("%d minutes were metered, %v: %+v", w.Minutes(), err, w)
	}
}

// busyMinute asks for eight writes a second, and moves on to the next minute once they are in the books.
func busyMinute(t *testing.T, n *node.Node, calls map[string]api.Call, at *clock.Manual) {
	t.Helper()
	for i := range 480 {
		put(t, calls, i)
	}
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	minute := at.Now().Unix() / 60
	counted, err := n.Consumed(minute, minute+1)
	if err != nil {
		t.Fatal(err)
	}
	for _, tally := range counted[minute] {
		if tally.Consumed[capacity.Writes] != 480 {
			t.Fatalf("%v writes were counted, want 480", tally.Consumed[capacity.Writes])
		}
	}
	at.Advance(time.Minute)
	// The node's own count may have looked at the clock before: what comes now must not be counted by it.
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// scaled asks for something to do with the scaling of the table's writes.
func scaled(t *testing.T, calls map[string]api.Call, operation, members string) {
	t.Helper()
	body := fmt.Appendf(nil, `{"ServiceNamespace": "dynamodb", "ResourceId": "table/things", "ScalableDimension": "dynamodb:table:WriteCapacityUnits", %s}`, members)
	if _, err := calls[scaling+operation](context.Background(), body, nil); err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
}
