package node_test

import (
	"context"
	"errors"
	"fmt"
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
	n, err := node.Open(t.Context(), node.Options{
		Data: dir, DiskReserve: -1, Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, n)
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
	call(t, n.Calls(), "DeleteTable", `{"TableName":"things"}`)
	await(t, func() string {
		if names := call(t, n.Calls(), "ListTables", `{}`); names != `{"TableNames":[]}` || n.BrokenCopies() > 0 {
			return fmt.Sprintf("there are %s, %d copies are damaged", names, n.BrokenCopies())
		}
		return ""
	})
}
