package ops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"stator/internal/cluster/router"
	"stator/internal/model/api"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// The scripts in testdata/items speak to the operations as clients do, in JSON, over a naive router. Each begins with empty tables. Besides
// operations they know
//
//	refuse throttled|collection|invalid   every write from here on is refused; "refuse nothing" ends it
//	stale N                               the next N writes meet a partition with a newer description of the table
func TestItemOperations(t *testing.T) {
	datadriven.Walk(t, "testdata/items", func(t *testing.T, path string) {
		ops, naive := newTestOps(t)
		calls := ops.Calls()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "refuse":
				naive.refuse = refusing(d.CmdArgs[0].Key)
				return ""
			case "stale":
				var times int
				if _, err := fmt.Sscan(d.CmdArgs[0].Key, &times); err != nil {
					d.Fatalf(t, "stale: %v", err)
				}
				naive.refuse = staleFor(times)
				return ""
			}
			call, ok := calls[d.Cmd]
			if !ok {
				d.Fatalf(t, "no operation %s", d.Cmd)
			}
			out, err := call(context.Background(), []byte(d.Input), nil)
			if err != nil {
				return shownError(err)
			}
			return string(out) + "\n"
		})
	})
}

// shownError is an error as its type and message, with the members some have besides.
func shownError(err error) string {
	refused, ok := errors.AsType[*api.Error](err)
	if !ok {
		return fmt.Sprintf("fault: %v\n", err)
	}
	text := refused.Error() + "\n"
	if refused.Item != nil {
		text += "item: " + string(refused.Item.AppendJSON(nil)) + "\n"
	}
	for _, reason := range refused.ThrottlingReasons {
		text += "reason: " + *reason.Reason + " " + *reason.Resource + "\n"
	}
	return text
}

func refusing(what string) func(*command.Command) (command.Result, error) {
	refusals := map[string]command.Result{
		"throttled":  {Refusal: command.Throttled},
		"collection": {Refusal: command.CollectionTooLarge},
		"invalid":    {Refusal: command.Invalid, Text: "found when the item was at hand"},
	}
	return func(*command.Command) (command.Result, error) { return refusals[what], nil }
}

func staleFor(times int) func(*command.Command) (command.Result, error) {
	return func(*command.Command) (command.Result, error) {
		if times == 0 {
			return command.Result{}, nil
		}
		times--
		return command.Result{}, &command.StaleTable{Have: 2}
	}
}

// A write that was planned with an older description is planned anew with the one that is there then.
func TestWriteIsPlannedAnewWithNewDescription(t *testing.T) {
	ops, naive := newTestOps(t)
	catalog := ops.catalog.(*tableCatalog)
	var versions []uint64
	naive.refuse = func(c *command.Command) (command.Result, error) {
		versions = append(versions, c.TableVersion)
		if len(versions) > 1 {
			return command.Result{}, nil
		}
		newer := hashTable()
		newer.Version = 2
		catalog.tables = []*table.Table{newer}
		return command.Result{}, &command.StaleTable{Have: 2}
	}
	_, err := ops.PutItem(context.Background(), &api.PutItemInput{TableName: ptr("hash"), Item: decoded(t, `{"pk":{"S":"a"}}`)})
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) != 2 || versions[0] != 1 || versions[1] != 2 {
		t.Errorf("planned with versions %v, want [1 2]", versions)
	}
}

// A table that goes away while a request is under way was not there.
func TestReadOfTableThatGoesAway(t *testing.T) {
	ops, _ := newTestOps(t)
	gone := &goneRouter{catalog: ops.catalog.(*tableCatalog)}
	ops.router = gone
	_, err := ops.GetItem(context.Background(), &api.GetItemInput{TableName: ptr("hash"), Key: decoded(t, `{"pk":{"S":"a"}}`)})
	if refused, ok := errors.AsType[*api.Error](err); !ok || refused.Type != "ResourceNotFoundException" {
		t.Errorf("%v, want a ResourceNotFoundException", err)
	}
}

// goneRouter finds no partitions, and with it the catalog loses its tables.
type goneRouter struct {
	Router
	catalog *tableCatalog
}

func (r *goneRouter) Read(context.Context, command.Get) (command.GetResult, error) {
	r.catalog.tables = nil
	return command.GetResult{}, fmt.Errorf("reading: %w", router.ErrNoTable)
}

// An answer of 16 MB is full: what is left comes back with the parameters of its table, to be asked for again.
func TestBatchGetLeavesWhatHasNoRoom(t *testing.T) {
	ops, _ := newTestOps(t)
	ctx := context.Background()
	big := make([]byte, 400_000)
	for i := range big {
		big[i] = 'x'
	}
	request := api.KeysAndAttributes{ProjectionExpression: ptr("pk")}
	for i := range batchKeysMax {
		key := decoded(t, fmt.Sprintf(`{"pk":{"S":"%d"}}`, i))
		item := decoded(t, fmt.Sprintf(`{"pk":{"S":"%d"},"x":{"S":%q}}`, i, big))
		if _, err := ops.PutItem(ctx, &api.PutItemInput{TableName: ptr("hash"), Item: item}); err != nil {
			t.Fatal(err)
		}
		request.Keys = append(request.Keys, key)
	}
	out, err := ops.BatchGetItem(ctx, &api.BatchGetItemInput{RequestItems: map[string]api.KeysAndAttributes{"hash": request}})
	if err != nil {
		t.Fatal(err)
	}
	got, left := len(out.Responses["hash"]), out.UnprocessedKeys["hash"]
	if got+len(left.Keys) != batchKeysMax || got < batchBytesMax/400_100 || got > batchBytesMax/400_100+fanOutWidthMax {
		t.Errorf("%d items and %d unprocessed keys", got, len(left.Keys))
	}
	if value(left.ProjectionExpression) != "pk" {
		t.Errorf("unprocessed keys lost their projection: %v", left.ProjectionExpression)
	}
}

// A batch of which a part is throttled gives that part back.
func TestBatchWriteGivesBackWhatIsThrottled(t *testing.T) {
	ops, naive := newTestOps(t)
	throttledKey := decoded(t, `{"pk":{"S":"b"}}`)
	suffix, err := keySuffix(hashTable(), throttledKey)
	if err != nil {
		t.Fatal(err)
	}
	naive.refuse = func(c *command.Command) (command.Result, error) {
		if string(c.Key) == string(suffix) {
			return command.Result{Refusal: command.Throttled}, nil
		}
		return command.Result{}, nil
	}
	var requests []api.WriteRequest
	for _, key := range []string{"a", "b", "c"} {
		item := decoded(t, `{"pk":{"S":"`+key+`"}}`)
		requests = append(requests, api.WriteRequest{PutRequest: &api.PutRequest{Item: item}})
	}
	out, err := ops.BatchWriteItem(context.Background(), &api.BatchWriteItemInput{RequestItems: map[string][]api.WriteRequest{"hash": requests}})
	if err != nil {
		t.Fatal(err)
	}
	left := out.UnprocessedItems["hash"]
	if len(left) != 1 || !bytes.Equal(left[0].PutRequest.Item, throttledKey) {
		t.Errorf("unprocessed: %v", left)
	}
	if n := len(naive.items[10]); n != 2 {
		t.Errorf("%d items were written, want 2", n)
	}
}

// The limit of an item is exact to the byte, names included.
func TestPutItemSizeIsExact(t *testing.T) {
	ops, _ := newTestOps(t)
	const overhead = len("pk") + len("k") + len("x")
	for _, c := range []struct {
		bytes int
		want  string
	}{
		{table.ItemBytesMax - overhead, ""},
		{table.ItemBytesMax - overhead + 1, itemTooLarge},
	} {
		item := decoded(t, `{"pk":{"S":"k"},"x":{"S":"`+strings.Repeat("x", c.bytes)+`"}}`)
		_, err := ops.PutItem(context.Background(), &api.PutItemInput{TableName: ptr("hash"), Item: item})
		got := ""
		if refused, ok := errors.AsType[*api.Error](err); ok {
			got = refused.Message
		}
		if got != c.want {
			t.Errorf("%d bytes: %q, want %q", item.Size(), got, c.want)
		}
	}
}
