package node_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"stator/internal/model/api"
	"stator/internal/node"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// A partition that cannot be read is out of service on a node that is alone: the others are served, and its table can be deleted.
func TestPartitionThatCannotBeRead(t *testing.T) {
	dir := filled(t)
	damaged := tableNamed(t, inspected(t, dir), "table things").Partitions[0]
	edit(t, dir, func(b *engine.Batch) { b.Set(keys.Part(damaged.ID, "applied"), []byte("damaged")) })
	if r := inspected(t, dir); r.Err() == nil || !strings.Contains(r.Err().Error(), fmt.Sprintf("partition %d cannot be read", damaged.ID)) {
		t.Errorf("the inspection finds %v", r.Err())
	}
	n, err := node.Open(t.Context(), node.Options{Data: dir, DiskReserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, n)
	began := time.Now()
	if broken := n.BrokenCopies(); broken != 1 {
		t.Errorf("%d copies are damaged", broken)
	}
	served, failed := 0, int64(0)
	for i := range 200 {
		body := fmt.Sprintf(`{"TableName":"things","Key":{"p":{"S":"p%d"},"s":{"N":"%d"}}}`, i%20, i)
		answer, err := n.Calls()[tables+"GetItem"](t.Context(), []byte(body), nil)
		_, refused := errors.AsType[*api.Error](err)
		switch {
		case err == nil && strings.Contains(string(answer), "Item"):
			served++
		case err != nil && !refused: // which the door tells as an InternalServerError
			failed++
		default:
			t.Errorf("%s: %s, %v", body, answer, err)
		}
	}
	if served == 0 || failed != damaged.Items {
		t.Errorf("%d items are served and %d are not, of %d in the damaged partition", served, failed, damaged.Items)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("requests wait for what nobody will answer: all took %v", took)
	}
	call(t, n.Calls(), "DeleteTable", `{"TableName":"things"}`)
	await(t, func() string {
		if names := call(t, n.Calls(), "ListTables", `{}`); names != `{"TableNames":[]}` || n.BrokenCopies() > 0 {
			return fmt.Sprintf("there are %s, %d copies are damaged", names, n.BrokenCopies())
		}
		return ""
	})
}

// What a partition that cannot be read keeps of a stream is not taken for gone: a reader would pass over it.
func TestStreamOfAPartitionThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	options := node.Options{Data: dir, DiskReserve: -1, Partitions: 1}
	n, err := node.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(operation, body string) (string, error) {
		answer, err := n.Calls()[streams+operation](t.Context(), []byte(body), nil)
		return string(answer), err
	}
	arn := regexp.MustCompile(`arn:[^"]*/stream/[^"]*`).FindString(call(t, n.Calls(), "CreateTable", `{"TableName": "things",
		"BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
		"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}}`))
	comes(t, n.Calls(), dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
	call(t, n.Calls(), "PutItem", `{"TableName": "things", "Item": {"pk": {"S": "a"}}}`)
	stream := fmt.Sprintf(`{"StreamArn": %q`, arn)
	found := func(operation, body, pattern string) string {
		answer, err := ask(operation, body)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(pattern).FindString(answer)
	}
	shard := found("DescribeStream", stream+"}", `shardId-[0-9a-z-]*`)
	first := fmt.Sprintf(`%s, "ShardId": %q, "ShardIteratorType": "TRIM_HORIZON"}`, stream, shard)
	records := "{" + found("GetShardIterator", first, `"ShardIterator":"[^"]*"`) + "}"
	if one := found("GetRecords", records, `INSERT`); one == "" {
		t.Fatal("the stream has no record")
	}
	closed(t, n)
	damaged := tableNamed(t, inspected(t, dir), "table things").Partitions[0]
	edit(t, dir, func(b *engine.Batch) { b.Set(keys.Part(damaged.ID, "applied"), []byte("damaged")) })
	if n, err = node.Open(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	defer closed(t, n)
	for _, asked := range [][2]string{{"DescribeStream", stream + "}"}, {"GetShardIterator", first}, {"GetRecords", records}} {
		answer, err := ask(asked[0], asked[1])
		if _, refused := errors.AsType[*api.Error](err); err == nil || refused {
			t.Errorf("%s: %s, %v", asked[0], answer, err)
		}
	}
}
