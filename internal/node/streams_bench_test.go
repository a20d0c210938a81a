package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"stator/internal/node"
)

// BenchmarkGetRecords reads records of 1 KB through the operation, from the iterator to the JSON of the answer.
func BenchmarkGetRecords(b *testing.B) {
	n, err := node.Open(b.Context(), node.Options{InMemory: true, Partitions: 1, Durability: node.Relaxed})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = n.Close() })
	calls := n.Calls()
	call := func(target, body string, into any) {
		b.Helper()
		out, err := calls[target](context.Background(), []byte(body), nil)
		if err == nil && into != nil {
			err = json.Unmarshal(out, into)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	var table struct {
		Table struct{ TableStatus, LatestStreamArn string }
	}
	call("DynamoDB_20120810.CreateTable", `{"TableName":"records","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST",
		"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}`, nil)
	for table.Table.TableStatus != "ACTIVE" {
		call("DynamoDB_20120810.DescribeTable", `{"TableName":"records"}`, &table)
	}
	filler := strings.Repeat("x", 90)
	for i := range 2000 {
		var item []string
		for j := range 10 {
			item = append(item, fmt.Sprintf(`"attribute%d":{"S":%q}`, j, filler))
		}
		call("DynamoDB_20120810.PutItem", fmt.Sprintf(`{"TableName":"records","Item":{"pk":{"S":"%d"},%s}}`, i, strings.Join(item, ",")), nil)
	}
	var stream struct {
		StreamDescription struct{ Shards []struct{ ShardId string } }
	}
	call("DynamoDBStreams_20120810.DescribeStream", `{"StreamArn":"`+table.Table.LatestStreamArn+`"}`, &stream)
	var start struct{ ShardIterator string }
	call("DynamoDBStreams_20120810.GetShardIterator", fmt.Sprintf(`{"StreamArn":%q,"ShardId":%q,"ShardIteratorType":"TRIM_HORIZON"}`,
		table.Table.LatestStreamArn, stream.StreamDescription.Shards[0].ShardId), &start)
	body, read := []byte(fmt.Sprintf(`{"ShardIterator":%q,"Limit":1000}`, start.ShardIterator)), 0
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		if out, err = calls["DynamoDBStreams_20120810.GetRecords"](context.Background(), body, out[:0]); err != nil {
			b.Fatal(err)
		}
		read += strings.Count(string(out[:min(len(out), 4<<20)]), `"eventID"`)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(read, 1)), "ns/record")
}
