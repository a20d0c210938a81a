package engine

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Overlapping tables are compacted when reads have paid for it, when there are too many, when nothing was read for long, and not
// before; a level that comes first is not held up.
func TestCompactionsFallDue(t *testing.T) {
	const size = 1 << 20
	price := int64(size * compactionNanos)
	for _, c := range []struct {
		name         string
		levels       levels
		gets, ranges int64
		looks        int
		due          bool
		goesOn       int64 // until so few overlap
	}{
		{name: "nobody reads", levels: levels{overlapping: 11, bytes: size}},
		{name: "a level below comes first", levels: levels{overlapping: 2, bytes: size, lower: true}, due: true},
		{name: "too many overlap", levels: levels{overlapping: 12, bytes: size}, due: true, goesOn: 3},
		{name: "a minute", levels: levels{overlapping: 5, bytes: size}, looks: compactionLooksMax - 1, due: true},
		{name: "a minute with few", levels: levels{overlapping: 1, bytes: size}, looks: compactionLooksMax - 1, due: true},
		{name: "the disk has little room", levels: levels{overlapping: 1, bytes: size, tight: true}, due: true},
		{name: "not quite a minute", levels: levels{overlapping: 5, bytes: size}, looks: compactionLooksMax - 2},
		{name: "ranges pay", levels: levels{overlapping: 2, bytes: size}, ranges: price/2/rangeNanos + 1, due: true},
		{name: "ranges pay nearly", levels: levels{overlapping: 2, bytes: size}, ranges: price/2/rangeNanos - 1},
		{name: "gets pay", levels: levels{overlapping: 2, bytes: size}, gets: price/2/getNanos + 1, due: true},
		{name: "gets pay nearly", levels: levels{overlapping: 2, bytes: size}, gets: price/2/getNanos - 1},
		{name: "both pay", levels: levels{overlapping: 2, bytes: size}, gets: price/4/getNanos + 1, ranges: price/4/rangeNanos + 1, due: true},
	} {
		const before = 1000 // reads of the time before
		var r rent
		r.end(before, before)
		r.looks = c.looks
		if due := r.due(c.levels, before+c.gets, before+c.ranges); due != c.due {
			t.Errorf("%s: due is %t", c.name, due)
		}
		if c.levels.lower || !c.due {
			continue
		}
		for overlapping := c.levels.overlapping; overlapping > c.goesOn; overlapping-- {
			if !r.due(levels{overlapping: overlapping, bytes: size}, before+c.gets, before+c.ranges) {
				t.Errorf("%s: ends where %d overlap", c.name, overlapping)
			}
		}
		if c.goesOn > 0 && r.due(levels{overlapping: c.goesOn, bytes: size}, before+c.gets, before+c.ranges) {
			t.Errorf("%s: goes on where %d overlap", c.name, c.goesOn)
		}
	}
}

// A store's tables overlap while it is only written to, and no longer once its ranges are read, or somebody asks.
func TestTablesOverlapUntilTheyAreRead(t *testing.T) {
	open := func(t *testing.T) *Engine {
		return opened(t, Options{Dir: "data", FS: vfs.NewMem(), RowPrefix: []byte("d"), ReserveBytes: -1})
	}
	const keys = 1000
	key := func(n int) []byte { return binary.BigEndian.AppendUint64([]byte("d"), uint64(n)) }
	overlap := func(t *testing.T, e *Engine, tables int) {
		for round := range tables {
			batch := e.NewBatch()
			for i := range keys {
				batch.Set(key(i), binary.BigEndian.AppendUint64(make([]byte, 1000), uint64(round)))
			}
			if err := e.Commit(batch, false); err != nil {
				t.Fatal(err)
			}
			batch.Close()
			if err := e.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	compacted := func(e *Engine) bool { return e.Metrics().TablesL0 == 0 }
	becomesCompacted := func(t *testing.T, e *Engine, meanwhile func()) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !compacted(e); meanwhile() {
			if time.Now().After(end) {
				t.Fatalf("%d tables lie in level 0", e.Metrics().TablesL0)
			}
		}
	}
	read := func(t *testing.T, e *Engine) {
		it, err := e.Iter(key(keys/2), key(keys))
		if err != nil {
			t.Fatal(err)
		}
		it.First()
		if err := it.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("ranges", func(t *testing.T) {
		e := open(t)
		overlap(t, e, sublevelsEnough)
		for range 5 {
			time.Sleep(compactionLookEvery)
			if n := e.Metrics().Compactions; n != 0 {
				t.Fatalf("%d compactions before anything is read", n)
			}
		}
		becomesCompacted(t, e, func() { read(t, e) })
	})
	t.Run("gets", func(t *testing.T) {
		e := open(t)
		overlap(t, e, sublevelsEnough)
		becomesCompacted(t, e, func() {
			if _, _, err := e.Get(key(keys + 1)); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Run("little room", func(t *testing.T) {
		e := open(t)
		overlap(t, e, sublevelsEnough)
		becomesCompacted(t, e, func() {
			e.space.free.Store(1)
			time.Sleep(time.Millisecond)
		})
	})
	t.Run("asked for", func(t *testing.T) {
		e := open(t)
		overlap(t, e, sublevelsEnough)
		if err := e.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !compacted(e) {
			t.Errorf("%d tables lie in level 0", e.Metrics().TablesL0)
		}
	})
	t.Run("too many", func(t *testing.T) {
		e := open(t)
		overlap(t, e, sublevelsMost)
		for end := time.Now().Add(time.Minute); e.Metrics().TablesL0 >= sublevelsEnough; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d tables lie in level 0", e.Metrics().TablesL0)
			}
		}
	})
}
