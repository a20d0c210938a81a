package node_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"stator/internal/model/api"
	"stator/internal/node"
)

// fleet is four nodes of one cluster, so that no partition has a copy on each.
func fleet(t *testing.T) (nodes []*node.Node, calls []map[string]api.Call) {
	t.Helper()
	first := membership(t)
	for i := range 4 {
		m := first
		if i > 0 {
			m = membership(t, first.Address)
		}
		n, err := node.Open(t.Context(), node.Options{
			Data: t.TempDir(), DiskReserve: -1, Membership: m, Partitions: 4, Address: fmt.Sprint("127.0.0.1:", 9000+i),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closed(t, n) })
		nodes, calls = append(nodes, n), append(calls, n.Calls())
	}
	return nodes, calls
}

// comes asks until an answer matches.
func comes(t *testing.T, calls map[string]api.Call, operation, body, want string) (answer string) {
	t.Helper()
	expected := regexp.MustCompile(want)
	await(t, func() string {
		got, err := calls[operation](context.Background(), []byte(body), nil)
		if answer = string(got); err != nil {
			answer = err.Error()
		}
		if expected.MatchString(answer) {
			return ""
		}
		return fmt.Sprintf("%s answers %s, not %s", operation, answer, want)
	})
	return answer
}

const (
	dynamo  = "DynamoDB_20120810."
	streams = "DynamoDBStreams_20120810."
)

// What one node is asked the others know at once: a table, its items, counts, index, stream, its end.
func TestAnyNodeWillDo(t *testing.T) {
	nodes, calls := fleet(t)
	call(t, calls[1], "CreateTable", `{"TableName": "things", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [
		{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "color", "AttributeType": "S"}],
		"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
		"GlobalSecondaryIndexes": [{"IndexName": "colors", "KeySchema": [{"AttributeName": "color", "KeyType": "HASH"}],
		"Projection": {"ProjectionType": "ALL"}}]}`)
	for i, n := range nodes {
		await(t, func() string {
			if _, there := n.Table("things"); there {
				return ""
			}
			return fmt.Sprintf("node %d does not come to know of the table by itself", i+1)
		})
	}
	for i := range calls {
		call(t, calls[i], "DescribeTable", `{"TableName": "things"}`)
		if names := call(t, calls[i], "ListTables", `{}`); !strings.Contains(names, "things") {
			t.Errorf("node %d lists %s", i+1, names)
		}
	}
	comes(t, calls[2], dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
	for i := range 40 {
		call(t, calls[i%4], "PutItem", fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": "%d"}, "color": {"S": "c%d"}}}`, i, i%3))
	}
	for i := range 40 {
		call(t, calls[(i+1)%4], "GetItem", fmt.Sprintf(`{"TableName": "things", "ConsistentRead": true, "Key": {"pk": {"S": "%d"}}}`, i))
	}
	call(t, calls[3], "TransactWriteItems", `{"TransactItems": [
		{"Put": {"TableName": "things", "Item": {"pk": {"S": "x"}, "color": {"S": "c9"}}}},
		{"Put": {"TableName": "things", "Item": {"pk": {"S": "y"}, "color": {"S": "c9"}}}},
		{"Put": {"TableName": "things", "Item": {"pk": {"S": "z"}, "color": {"S": "c9"}}}}]}`)
	if _, err := nodes[3].Split(t.Context(), "things", nil); err != nil {
		t.Errorf("splitting: %v", err)
	}
	for i := range calls {
		if scan := call(t, calls[i], "Scan", `{"TableName": "things", "ConsistentRead": true, "Select": "COUNT"}`); !strings.Contains(scan, `"Count":43,`) {
			t.Errorf("node %d scans %s", i+1, scan)
		}
		comes(t, calls[i], dynamo+"DescribeTable", `{"TableName": "things"}`, `"ItemCount":43\D.*"ItemCount":43\D`)
		comes(t, calls[i], dynamo+"Query", `{"TableName": "things", "IndexName": "colors", "Select": "COUNT",
			"KeyConditionExpression": "color = :c", "ExpressionAttributeValues": {":c": {"S": "c9"}}}`, `"Count":3,`)
		list := comes(t, calls[i], streams+"ListStreams", `{}`, `StreamArn`)
		arn := regexp.MustCompile(`arn:[^"]*`).FindString(list)
		comes(t, calls[i], streams+"DescribeStream", fmt.Sprintf(`{"StreamArn": %q}`, arn), `(ShardId.*){6}`)
		if all := call(t, calls[i], "DescribeEndpoints", `{}`); strings.Count(all, "127.0.0.1:900") != 4 {
			t.Errorf("node %d knows of %s", i+1, all)
		}
	}
	call(t, calls[0], "DeleteTable", `{"TableName": "things"}`)
	comes(t, calls[2], dynamo+"DescribeTable", `{"TableName": "things"}`, `not found`)
	for i, n := range nodes {
		await(t, func() string {
			if copies := n.Copies(); copies > 1 {
				return fmt.Sprintf("node %d keeps %d copies", i+1, copies)
			}
			return ""
		})
	}
}
