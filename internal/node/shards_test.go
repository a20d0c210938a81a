package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"testing"

	"stator/internal/model/api"
	"stator/internal/node"
)

// Whoever lists the shards of a stream while its partitions split finds, with each that has ended, both that go on.
func TestShardsWhilePartitionsSplit(t *testing.T) {
	n, err := node.Open(t.Context(), node.Options{InMemory: true, Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	calls := n.Calls()
	arn := regexp.MustCompile(`arn:[^"]*/stream/[^"]*`).FindString(call(t, calls, "CreateTable", `{"TableName": "things",
		"BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
		"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}}`))
	comes(t, calls, dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
	for i := range 200 {
		call(t, calls, "PutItem", fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": "%d"}}}`, i))
	}
	look := func() error {
		out, err := calls[streams+"DescribeStream"](context.Background(), fmt.Appendf(nil, `{"StreamArn": %q}`, arn), nil)
		if err != nil {
			return err
		}
		var described api.DescribeStreamOutput
		if err := json.Unmarshal(out, &described); err != nil {
			return err
		}
		children := map[string]int{}
		for _, shard := range described.StreamDescription.Shards {
			if shard.ParentShardId != nil {
				children[*shard.ParentShardId]++
			}
		}
		for _, shard := range described.StreamDescription.Shards {
			if ended := shard.SequenceNumberRange.EndingSequenceNumber != nil; ended && children[*shard.ShardId] != 2 {
				return fmt.Errorf("%s has ended, and %d go on: %s", *shard.ShardId, children[*shard.ShardId], out)
			}
		}
		return nil
	}
	over := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				if err := look(); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	var failed error
	for range 20 {
		_, err := n.Split(context.Background(), "things", nil)
		failed = errors.Join(failed, err)
	}
	close(over)
	readers.Wait()
	if failed != nil {
		t.Error(failed)
	}
}
