package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stator/internal/base/clock"
	"stator/internal/cluster/catalog"
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/node"
	"stator/internal/storage/keys"
)

// metered makes a table of so many writes a second.
func metered(t *testing.T, calls map[string]api.Call, write int) {
	t.Helper()
	call(t, calls, "CreateTable", fmt.Sprintf(`{"TableName": "things", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
		"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
		"ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": %d}}`, write))
	comes(t, calls, dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
}

// enforcing is a node of tables of so many partitions, 0 as always, that keeps tables to what they are set to, by a clock that only the test moves.
func enforcing(t *testing.T, partitions int) (n *node.Node, now *atomic.Int64) {
	t.Helper()
	return enforcingAfter(t, partitions, nil)
}

// enforcingAfter is enforcing with a way of its own to call something later.
func enforcingAfter(t *testing.T, partitions int, after func(d time.Duration, call func())) (n *node.Node, now *atomic.Int64) {
	t.Helper()
	now = &atomic.Int64{}
	n, err := node.Open(t.Context(), node.Options{
		InMemory: true, Partitions: partitions, Capacity: node.CapacityEnforce, After: after,
		Steady: func() time.Duration { return time.Duration(now.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	return n, now
}

// put writes an item, and tells whether it was throttled.
func put(t *testing.T, calls map[string]api.Call, key int) (throttled bool) {
	t.Helper()
	_, err := calls[dynamo+"PutItem"](context.Background(), fmt.Appendf(nil, `{"TableName": "things", "Item": {"pk": {"S": "%d"}}}`, key), nil)
	if err != nil && !strings.Contains(err.Error(), "ProvisionedThroughputExceededException") {
		t.Errorf("item %d: %v", key, err)
	}
	return err != nil
}

// One node admits, over a minute, what the table is set to: through all floors, to the disk.
func TestThroughputOfANode(t *testing.T) {
	n, now := enforcing(t, 0)
	calls := n.Calls()
	metered(t, calls, 20)
	put(t, calls, 0)
	now.Add(int64(10 * time.Minute))
	burst := 0
	for !put(t, calls, burst) {
		burst++
	}
	if burst < 5700 || burst > 6300 {
		t.Errorf("a burst of %d, want 6,000 within 5 %%", burst)
	}
	admitted := 0
	for i := range 60 * 100 {
		now.Add(int64(10 * time.Millisecond))
		if !put(t, calls, i) {
			admitted++
		}
	}
	if admitted < 1176 || admitted > 1224 {
		t.Errorf("%d admitted in a minute, want 1,200 within 2 %%", admitted)
	}
}

// Nodes of a cluster share what a table is set to: whichever of them is asked, no more is admitted than comes in, and each is served.
func TestThroughputIsShared(t *testing.T) {
	first := membership(t)
	var (
		nodes []*node.Node
		calls []map[string]api.Call
	)
	for i := range 3 {
		m := first
		if i > 0 {
			m = membership(t, first.Address)
		}
		n, err := node.Open(t.Context(), node.Options{Data: t.TempDir(), DiskReserve: -1, Membership: m, Capacity: node.CapacityEnforce})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closed(t, n) })
		nodes, calls = append(nodes, n), append(calls, n.Calls())
	}
	const perSecond = 25 // fewer than a slow machine serves
	began := time.Now()
	metered(t, calls[0], perSecond)
	for i := range calls {
		comes(t, calls[i], dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
	}
	call(t, calls[0], "UpdateContributorInsights", `{"TableName": "things", "ContributorInsightsAction": "ENABLE"}`)
	for i := range calls {
		comes(t, calls[i], dynamo+"DescribeContributorInsights", `{"TableName": "things"}`, `"ContributorInsightsStatus":"ENABLED"`)
	}
	admitted, throttled, served := 0, 0, [3]int{}
	for i := 0; admitted < 5*perSecond; i++ {
		if put(t, calls[i%3], i) {
			throttled++
			continue
		}
		admitted++
		served[i%3]++
	}
	// Each node begins with a tenth of a second's units on credit, and the keeper with a second's. What is left over lets one more through at each.
	if most := perSecond*(time.Since(began).Seconds()+1.2) + 3; float64(admitted) > most {
		t.Errorf("%d units were admitted, where %.0f came in", admitted, most)
	}
	for i, n := range served {
		if n == 0 {
			t.Errorf("node %d admitted nothing of %v", i, served)
		}
	}
	for _, n := range nodes {
		if err := n.Count(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// Any of them knows what all of them refused, and why, what was served, and the keys that were asked for.
	for i, n := range nodes {
		ring, err := n.Heat(t.Context(), "things")
		if err != nil {
			t.Fatal(err)
		}
		share := 0.0
		for _, p := range ring.Spaces[0].Partitions {
			for _, minute := range p.Writes {
				share += minute
			}
		}
		if share == 0 {
			t.Errorf("node %d knows of no heat: %+v", i, ring)
		}
		told, err := n.Contributors(t.Context(), "things")
		if err != nil {
			t.Fatal(err)
		}
		if len(told.Resources) != 1 || len(told.Resources[0].Rules) != 2 || len(told.Resources[0].Rules[0].Keys) != 25 || len(told.Resources[0].Rules[1].Keys) == 0 {
			t.Errorf("node %d knows of %+v", i, told)
		}
		e, err := n.Throttles(t.Context(), "things")
		if err != nil {
			t.Fatal(err)
		}
		if int(e.Requests) != throttled || len(e.Throttles) != 1 || e.Throttles[0].Limit != "what is provisioned" || e.Throttles[0].PerSecond != perSecond {
			t.Errorf("node %d explains %d throttles by %+v", i, throttled, e)
		}
	}
}

// What a partition alone would have refused is told where nothing is refused, with what it served.
func TestReportOfAPartition(t *testing.T) {
	n, err := node.Open(t.Context(), node.Options{
		InMemory: true, Partitions: 1, Capacity: node.CapacityReport, Steady: func() time.Duration { return 0 },
		Clock: clock.NewManual(time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	made(t, n.Calls())
	const bound, beyond = 1000, 7
	for i := range bound + beyond {
		if put(t, n.Calls(), i) {
			t.Fatal("a write was refused")
		}
	}
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	e, err := n.Throttles(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Throttles) != 1 || e.Requests != beyond || e.Throttles[0].Partition == 0 || e.Throttles[0].Minutes[0].Consumed != bound+beyond {
		t.Errorf("it is explained by %+v", e)
	}
	for _, m := range n.Metered() {
		if m.Table == "things" && m.Total.Refused[capacity.Writes][capacity.KeyRangeThroughput] != beyond {
			t.Errorf("the metrics tell %+v", m.Total)
		}
	}
	if _, err := n.Throttles(t.Context(), "nothing"); !errors.Is(err, catalog.ErrMissing) {
		t.Errorf("of a table that is not there: %v", err)
	}
}

// A scan that comes to a partition which cannot serve more now ends its page before it, and goes on from there later.
func TestScanEndsBeforeABusyPartition(t *testing.T) {
	n, now := enforcing(t, 4)
	calls := n.Calls()
	made(t, calls)
	for i := range 40 {
		call(t, calls, "PutItem", fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": "%d"}}}`, i))
	}
	type page struct {
		Count            int
		Items            []map[string]map[string]string
		LastEvaluatedKey map[string]map[string]string
	}
	scan := func(after string) (p page) {
		t.Helper()
		if err := json.Unmarshal([]byte(call(t, calls, "Scan", `{"TableName": "things"`+after+`}`)), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	whole := scan("")
	last := whole.Items[whole.Count-1]["pk"]["S"]
	get := fmt.Appendf(nil, `{"TableName": "things", "ConsistentRead": true, "Key": {"pk": {"S": "%s"}}}`, last)
	var err error
	for reads := 0; err == nil; reads++ {
		if _, err = calls[dynamo+"GetItem"](context.Background(), get, nil); reads > 3000 {
			t.Fatal("the partition's bound refuses nothing")
		}
	}
	if !strings.Contains(err.Error(), "ThrottlingException") {
		t.Fatal(err)
	}
	first := scan("")
	if first.Count == 0 || first.Count == 40 || first.LastEvaluatedKey == nil {
		t.Fatalf("%d of 40 items, and then %v", first.Count, first.LastEvaluatedKey)
	}
	now.Add(int64(time.Second))
	rest := scan(fmt.Sprintf(`, "ExclusiveStartKey": {"pk": {"S": %q}}`, first.LastEvaluatedKey["pk"]["S"]))
	if first.Count+rest.Count != 40 {
		t.Errorf("%d items and %d more, want 40", first.Count, rest.Count)
	}
}

// What an index is asked for is known by the index's own keys, whether its table is written or it is read itself.
func TestInsightsOfAnIndex(t *testing.T) {
	n, err := node.Open(t.Context(), node.Options{InMemory: true, Capacity: node.CapacityReport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	calls := n.Calls()
	call(t, calls, "CreateTable", `{"TableName": "things", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "year", "AttributeType": "N"}],
		"GlobalSecondaryIndexes": [{"IndexName": "by-year", "KeySchema": [{"AttributeName": "year", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}]}`)
	comes(t, calls, dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
	call(t, calls, "UpdateContributorInsights", `{"TableName": "things", "IndexName": "by-year", "ContributorInsightsAction": "ENABLE"}`)
	call(t, calls, "PutItem", `{"TableName": "things", "Item": {"pk": {"S": "a"}, "year": {"N": "1999"}}}`)
	call(t, calls, "DeleteItem", `{"TableName": "things", "Key": {"pk": {"S": "a"}}}`)
	call(t, calls, "Query", `{"TableName": "things", "IndexName": "by-year", "KeyConditionExpression": "#y = :y",
		"ExpressionAttributeNames": {"#y": "year"}, "ExpressionAttributeValues": {":y": {"N": "2000"}}}`)
	told, err := n.Contributors(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	if len(told.Resources) != 1 || told.Resources[0].Index != "by-year" {
		t.Fatalf("insights of %+v", told.Resources)
	}
	var keys []string
	for _, key := range told.Resources[0].Rules[0].Keys {
		keys = append(keys, key.Key)
	}
	if want := []string{"year = N:1999", "year = N:2000"}; !slices.Equal(keys, want) {
		t.Errorf("keys %q, want %q", keys, want)
	}
}

// A node that does not answer is named, and what the others know is told.
func TestAnswersOfThoseThatAreThere(t *testing.T) {
	first := membership(t)
	open := func(m *node.Membership) *node.Node {
		n, err := node.Open(t.Context(), node.Options{Data: t.TempDir(), DiskReserve: -1, Membership: m, Capacity: node.CapacityReport})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	one := open(first)
	t.Cleanup(func() { closed(t, one) })
	made(t, one.Calls())
	two := open(membership(t, first.Address))
	comes(t, two.Calls(), dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
	silent := two.ID()
	closed(t, two)
	ring, err := one.Heat(t.Context(), "things")
	if err != nil || len(ring.Spaces) != 1 || len(ring.Missing) != 1 || ring.Missing[0].Node != silent {
		t.Errorf("heat: %+v, %v", ring, err)
	}
	keys, err := one.Contributors(t.Context(), "things")
	if err != nil || len(keys.Missing) != 1 || keys.Missing[0].Node != silent {
		t.Errorf("keys: %+v, %v", keys, err)
	}
	why, err := one.Throttles(t.Context(), "things")
	if err != nil || len(why.Missing) != 1 || why.Missing[0].Node != silent {
		t.Errorf("throttles: %+v, %v", why, err)
	}
}

// colored makes an on-demand table of things, with an index by their color.
func colored(t *testing.T, calls map[string]api.Call) {
	t.Helper()
	call(t, calls, "CreateTable", `{"TableName": "things", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
		"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "color", "AttributeType": "S"}],
		"GlobalSecondaryIndexes": [{"IndexName": "colors", "KeySchema": [{"AttributeName": "color", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}]}`)
	comes(t, calls, dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
}

// A partition of a global index that has no room left throttles the writes of its table that would bring it more, names the index, and lets all
// others through. As soon as there is room again, they go through too.
func TestHotIndexThrottlesItsTable(t *testing.T) {
	var resting atomic.Int64
	n, now := enforcingAfter(t, 4, func(d time.Duration, call func()) {
		resting.Add(1)
		time.AfterFunc(d, func() { resting.Add(-1); call() })
	})
	calls := n.Calls()
	colored(t, calls)
	write := func(pk, color string) error {
		_, err := calls[dynamo+"PutItem"](context.Background(), fmt.Appendf(nil, `{"TableName": "things", "Item": {"pk": {"S": %q}, "color": {"S": %q}, "v": {"S": %q}}}`,
			pk, color, strings.Repeat("x", 10_000)), nil)
		return err
	}
	fed := func(or func() bool) {
		t.Helper()
		for tries := 0; n.IndexLags()[0].Changes > 0 && !or(); tries++ {
			if tries == 10_000 {
				t.Fatal("the index does not follow its table")
			}
			time.Sleep(time.Millisecond)
		}
	}
	var err error
	for i := 0; err == nil; i++ {
		if err = write(fmt.Sprint(i), "red"); i > 150 {
			t.Fatal("1,500 units of one key within one second, and nothing is throttled")
		}
		fed(func() bool { return resting.Load() > 0 })
	}
	throttled, ok := errors.AsType[*api.Error](err)
	if !ok || len(throttled.ThrottlingReasons) != 1 || *throttled.ThrottlingReasons[0].Reason != "IndexWriteKeyRangeThroughputExceeded" ||
		!strings.HasSuffix(*throttled.ThrottlingReasons[0].Resource, "table/things/index/colors") {
		t.Fatalf("throttled by %v, %+v", err, throttled)
	}
	other := "blue"
	for _, p := range n.PartitionsOf("things", "colors") {
		for red := keys.Suffix([]attr.Value{attr.String("red")}, nil); p.Bounds.Holds(red) && p.Bounds.Holds(keys.Suffix([]attr.Value{attr.String(other)}, nil)); {
			other += "r"
		}
	}
	if err := write("other", other); err != nil {
		t.Errorf("another part of the index: %v", err)
	}
	e, err := n.Throttles(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Throttles) != 1 || e.Throttles[0].Index != "colors" || e.Throttles[0].Limit != "what one copy of a partition serves" ||
		len(e.Throttles[0].Ranges) != 1 || e.Throttles[0].Ranges[0].Key != "color = S:\"red\"" {
		t.Errorf("it is explained by %+v", e)
	}
	now.Add(int64(time.Second))
	fed(func() bool { return false })
	if err := write("last", "red"); err != nil {
		t.Errorf("a second later: %v", err)
	}
}
