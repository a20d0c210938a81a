package engine

import (
	"encoding/binary"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Memory goes to where it is missed: to rows while keys are read that are not there, to blocks while ranges are that are not
// in memory.
func TestBalanceFollowsDemand(t *testing.T) {
	const memtable = 4 << 20
	options := Options{
		Dir: "data", FS: vfs.NewMem(), RowPrefix: []byte("d"), ReserveBytes: -1, CacheBytes: 32 << 20, MemtableBytes: memtable,
	}
	e := opened(t, options)
	const items, itemBytes = 3072, 16 << 10 // more than blocks may ever have
	key := func(n int) []byte { return binary.BigEndian.AppendUint64([]byte("d"), uint64(n)) }
	batch := e.NewBatch()
	defer batch.Close()
	for i := range items {
		batch.Set(key(i), make([]byte, itemBytes))
		if batch.Len() > 1<<20 || i == items-1 {
			if err := e.Commit(batch, false); err != nil {
				t.Fatal(err)
			}
			batch.Reset()
		}
	}
	if err := e.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := &e.balance
	own, enough := e.rows.share, int((b.blocks+b.rows)/balanceStepBytes+1)*balanceEvery
	gets := func() {
		for i := range enough {
			if _, _, err := e.Get(key(items + i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	ranges := func(different int) {
		for i := range enough {
			it, err := e.Iter(key(i%different), key(items))
			if err != nil {
				t.Fatal(err)
			}
			it.First()
			if err := it.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	tables := e.db.Metrics().Total().TablesSize
	most := b.blocks - blockBytesLeast - tables/blockShareOfTables
	for _, step := range []struct {
		after string
		do    func()
		lent  int64
	}{
		{"gets", gets, most},
		{"ranges of blocks that are there", func() { ranges(1) }, most},
		{"ranges of blocks that are not", func() { ranges(items) }, -b.rows},
		{"gets again", gets, most},
	} {
		step.do()
		if rows := own + collected(step.lent); b.lent != step.lent || e.rows.share != rows {
			t.Errorf("after %s %d is lent and rows have %d, want %d and %d", step.after, b.lent, e.rows.share, step.lent, rows)
		}
		inHeap := b.blocks - b.lent + memtablesUsual*memtable + options.headBytesMax()
		if all := collected(inHeap) + e.rows.share; all > options.MemoryBytesMax() {
			t.Errorf("after %s all may take %d, want at most %d", step.after, all, options.MemoryBytesMax())
		}
		if size, most := e.db.Metrics().BlockCache.Size, b.blocks-step.lent+memtablesUsual*memtable; size > most {
			t.Errorf("after %s the cache has %d bytes of blocks, want at most %d", step.after, size, most)
		}
	}
}

// What the indexes of large tables need comes to blocks, whoever asks.
func TestBalanceHasRoomForIndexes(t *testing.T) {
	b := balance{blocks: 48 << 20, rows: 64 << 20}
	for _, c := range []struct{ tables, want int64 }{
		{0, balanceStepBytes},
		{48 * 50 << 20, -10 << 20},
		{1 << 40, -64 << 20},
	} {
		if got := b.next(1, 0, 0, c.tables); got != c.want {
			t.Errorf("%d bytes of tables: %d is lent, want %d", c.tables, got, c.want)
		}
	}
}
