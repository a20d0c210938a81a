package node_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
)

// streamed is a table with a stream.
func streamed(indexed ...string) *table.Table {
	t := nodetest.Things(indexed...)
	t.Streams = []table.Stream{{CreatedMillis: 1, View: table.ViewBoth}}
	return t
}

// replay reads all shards of stream 1, parents before children, into the items they leave. It holds every change against
// what the ones before it left, so that a gap, a double and a change out of order are seen.
func replay(t *testing.T, n *nodetest.Node, pageMax int) map[string]attr.Map {
	t.Helper()
	id := n.Entry("things").Table.ID
	list, err := n.Router().Shards(t.Context(), id, 1)
	if err != nil || !list.Complete {
		t.Fatalf("shards: complete %v, %v", list.Complete, err)
	}
	items, done := map[string]attr.Map{}, map[command.ShardName]bool{}
	newest := map[string]uint64{}
	for _, shard := range list.Shards {
		if shard.Parent != (command.ShardName{}) && !done[shard.Parent] {
			t.Errorf("shard %v comes before its parent %v", shard.Name, shard.Parent)
		}
		done[shard.Name] = true
		for first := shard.First; ; {
			page, err := n.Router().Changes(t.Context(), command.LogPlan{
				ShardPlace: command.ShardPlace{Table: id, Stream: 1, Name: shard.Name}, First: first, Limit: pageMax, Bytes: 1 << 20,
			})
			if err != nil || page.Trimmed {
				t.Fatalf("shard %v from %d: trimmed %v, %v", shard.Name, first, page.Trimmed, err)
			}
			if len(page.Changes) == 0 {
				break
			}
			for _, c := range page.Changes {
				key := string(c.Suffix)
				if c.Sequence != first || c.Sequence <= newest[key] || !bytes.Equal(c.Before, items[key]) {
					t.Fatalf("shard %v: change %d, awaited %d, does not follow on change %d of its item", shard.Name, c.Sequence, first, newest[key])
				}
				newest[key], items[key] = c.Sequence, c.After
				first++
				if len(c.After) == 0 {
					delete(items, key)
				}
			}
		}
	}
	return items
}

// A stream that is replayed gives the table, through splits anywhere and crashes at any moment.
func TestStreamReplaysToTheTable(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 7))
		files := vfs.NewCrashableMem()
		n := nodetest.Open(t, files)
		made := n.Create(streamed([]string{"color"}[:seed%2]...), 1+int(seed%3))
		for range 300 {
			key, sort := fmt.Sprint("collection ", random.IntN(5)), fmt.Sprint("item ", random.IntN(8))
			switch what := random.IntN(40); {
			case what == 0:
				_, _ = n.Split(t.Context(), "things", made.ID, nil) // there may be nothing to split
			case what == 1:
				_, _ = n.Split(t.Context(), "things", made.ID, nodetest.Suffix(key, sort))
			case what == 2:
				files = files.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: random})
				n = n.Crash(files)
			case what < 15:
				n.Write(n.Delete("things", key, sort))
			default:
				n.Write(n.Put("things", key, sort, "color", fmt.Sprint(random.IntN(3))))
			}
		}
		n.Rest()
		have, want := replay(t, n, 1+random.IntN(20)), n.Check("things")
		if len(have) != len(want) {
			t.Errorf("seed %d: the stream leaves %d items, the table has %d", seed, len(have), len(want))
		}
		for key, item := range want {
			if !bytes.Equal(have[key], item) {
				t.Errorf("seed %d: the stream leaves %s, the table has %s", seed, have[key].AppendJSON(nil), item.AppendJSON(nil))
			}
		}
	}
}
