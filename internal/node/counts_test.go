package node_test

import (
	"context"
	"testing"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/node"
	"stator/internal/node/nodetest"
)

// What requests come to is counted at their table, item by item, from the door to the partition and back; a table that goes takes its
// numbers along.
func TestCounts(t *testing.T) {
	n, err := node.Open(t.Context(), node.Options{InMemory: true, Capacity: node.CapacityEnforce, Steady: func() time.Duration { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	calls := n.Calls()
	metered(t, calls, 4)
	refused := func(operation, body string) {
		t.Helper()
		if _, err := calls[dynamo+operation](context.Background(), []byte(body), nil); err == nil {
			t.Errorf("%s was not refused", operation)
		}
	}
	put(t, calls, 0)
	const absent = `"TableName": "things", "ConditionExpression": "attribute_not_exists(pk)"`
	refused("PutItem", `{"Item": {"pk": {"S": "0"}}, `+absent+`}`)
	refused("TransactWriteItems", `{"TransactItems": [{"Put": {"Item": {"pk": {"S": "0"}}, `+absent+`}}]}`)
	refused("PutItem", `{"TableName": "things", "Item": {"pk": {"S": "0"}}}`)
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	if conditions := n.Requests()["things"].ConditionsFailed.Load(); conditions != 2 {
		t.Errorf("%d conditions failed, want 2", conditions)
	}
	m := n.Metered()[0]
	if m.Table != "things" || m.Provisioned.Write != 4 || m.Provisioned.Read != 10 {
		t.Errorf("metered %+v", m)
	}
	if use := n.AccountUse(); use.All[capacity.Writes] != 100*4./80_000 || use.Most[capacity.Reads] != 100*10./40_000 {
		t.Errorf("of the account's quotas %+v is in use", use)
	}
	consumed, throttled := m.Total.Consumed[capacity.Writes], m.Total.Refused[capacity.Writes][capacity.ProvisionedThroughput]
	if consumed != 4 || throttled != 1 {
		t.Errorf("%v units consumed and %d requests throttled, want 4 and 1", consumed, throttled)
	}
	call(t, calls, "DeleteTable", `{"TableName": "things"}`)
	comes(t, calls, dynamo+"ListTables", `{}`, `"TableNames":..}`)
	if _, told := n.Requests()["things"]; told || len(n.Metered()) != 1 || n.Metered()[0].Table != node.OtherTables {
		t.Errorf("the deleted table is told: %+v, %v", n.Metered(), n.Requests())
	}
}

// Units that are given back do not make the sum fall: Prometheus would take that for a counter that began anew.
func TestTotalsNeverFall(t *testing.T) {
	n, err := node.Open(t.Context(), node.Options{InMemory: true, Capacity: node.CapacityEnforce})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	metered(t, n.Calls(), 10)
	for _, turn := range []struct{ units, told float64 }{{5, 5}, {-1, 5}, {0.5, 5}, {2, 6.5}} {
		n.Consume("things", turn.units)
		if err := n.Count(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := n.Metered()[0].Total.Consumed[capacity.Writes]; got != turn.told {
			t.Errorf("after %v units more %v are told, want %v", turn.units, got, turn.told)
		}
	}
}

// A new index tells how far it is filled, as long as it is.
func TestIndexFills(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things(), 2)
	n.FillTable("things", 40, "color")
	if _, err := n.Catalog().Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
		next, ix := now.Clone(), nodetest.Index("color")
		ix.Added = true
		next.Global = append(next.Global, ix)
		return next, nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := n.Control(t.Context()); err != nil {
		t.Fatal(err)
	}
	var told []float64
	units := 0.0
	for moved := true; moved; {
		for _, fill := range n.IndexFills() {
			if fill.Table != "things" || fill.Index != "color" {
				t.Fatalf("told %+v", fill)
			}
			told, units = append(told, fill.Percent), fill.Units
		}
		var err error
		if moved, err = n.FillOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// One step fills a partition of a few items, and one more makes the index active.
	if len(told) != 3 || told[0] != 0 || told[1] <= 0 || told[1] >= 100 || told[2] != 100 {
		t.Errorf("told %v", told)
	}
	if units != 30 { // every fourth item has no color
		t.Errorf("30 entries took %v units", units)
	}
}
