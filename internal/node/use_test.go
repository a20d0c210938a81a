package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"stator/internal/model/advice"
	"stator/internal/model/capacity"
	"stator/internal/model/cost"
	"stator/internal/node"
)

// What a node tells of the use of a table is what advice is drawn from: the key that is hot, the scans, the units that stand idle.
func TestUse(t *testing.T) {
	n, now := enforcing(t, 0)
	calls := n.Calls()
	metered(t, calls, 2000)
	// A quarter of a second in which one key takes nine tenths of more than a partition serves.
	for i := range 2000 {
		now.Add(int64(time.Second / 8000))
		key := "hot"
		if i%10 == 0 {
			key = fmt.Sprint(i)
		}
		_, _ = calls[dynamo+"PutItem"](t.Context(), fmt.Appendf(nil, `{"TableName": "things", "Item": {"pk": {"S": %q}}}`, key), nil)
	}
	call(t, calls, "Scan", `{"TableName": "things", "FilterExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "hot"}}}`)
	call(t, calls, "ExecuteStatement", `{"Statement": "SELECT * FROM things WHERE pk <> 'hot'", "Limit": 10}`)
	call(t, calls, "ExecuteStatement", `{"Statement": "SELECT * FROM things WHERE pk = 'hot'"}`)
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	u, err := n.Use(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	if scan := u.Operations["Scan"]; scan.Requests != 2 || scan.Returned < 9 || scan.Returned > 11 || scan.Examined < 100 {
		t.Errorf("scans: %+v", scan)
	}
	if len(u.Written) == 0 || u.Written[0].Items < 100 || u.Written[1].Items != 0 || len(u.Read) == 0 || u.Read[0].Items < 100 {
		t.Errorf("sizes of what was written %v, and read %v", u.Written, u.Read)
	}
	table := u.Resources[0]
	if table.Provisioned.Write != 2000 || table.Refused[capacity.Writes] == 0 || u.OnDemand {
		t.Errorf("the table: %+v", table)
	}
	hottest := table.Partitions[0].Hottest[capacity.Writes]
	if strings.Join(hottest.Key, " ") != `S:"hot"` || hottest.Share < 0.85 {
		t.Errorf("the hottest key: %+v", hottest)
	}
	prices, _ := cost.List(cost.DefaultList)
	found := advice.Find(u, prices)
	if !slices.ContainsFunc(found, func(f advice.Finding) bool {
		return f.Pitfall == advice.HotPartitions && f.Throttled == table.Refused[capacity.Writes]
	}) {
		t.Errorf("found %+v", found)
	}
	if _, err := n.Use(t.Context(), "nothing"); err == nil {
		t.Error("a table that is not there was used")
	}
}

// Whichever node is asked tells what all of them counted.
func TestUseOfACluster(t *testing.T) {
	first := membership(t)
	one := opened(t, t.TempDir(), first)
	made(t, one.Calls())
	two := opened(t, t.TempDir(), membership(t, first.Address))
	comes(t, two.Calls(), dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
	for _, n := range []*node.Node{one, two, two} {
		call(t, n.Calls(), "Scan", `{"TableName": "things"}`)
	}
	for _, n := range []*node.Node{one, two} {
		u, err := n.Use(t.Context(), "things")
		if err != nil || u.Operations["Scan"].Requests != 3 || !u.OnDemand {
			t.Errorf("node %d: %+v, %v", n.ID(), u.Operations, err)
		}
	}
}
