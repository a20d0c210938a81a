package engine

import (
	"encoding/binary"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// BenchmarkLevels is the look at how tables lie that a compaction is granted by, and that memory is balanced by, with thousands of
// tables: alone, and after each of them changed a little.
func BenchmarkLevels(b *testing.B) {
	e := manyTables(b, 8000)
	b.Run("still", func(b *testing.B) {
		for b.Loop() {
			e.levels()
		}
	})
	b.Run("flushed", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			if err := e.db.Set(binary.BigEndian.AppendUint64([]byte("d"), uint64(i)), []byte("v"), pebble.NoSync); err != nil {
				b.Fatal(err)
			}
			if err := e.db.Flush(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			e.levels()
		}
	})
}

// manyTables is a store with so many tables.
func manyTables(b *testing.B, tables int) *Engine {
	b.Helper()
	e := opened(b, Options{Dir: "store", FS: vfs.NewMem(), ReserveBytes: -1})
	r, err := e.NewReplacement(1)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	lower, upper := []byte("d"), []byte("e")
	if err := r.Excise(lower, upper); err != nil {
		b.Fatal(err)
	}
	for i := range tables {
		if err := r.Set(binary.BigEndian.AppendUint64([]byte("d"), uint64(i)<<32), make([]byte, 64)); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.Perform(); err != nil {
		b.Fatal(err)
	}
	if n := e.Metrics().Tables; n < int64(tables) {
		b.Fatalf("%d tables of %d", n, tables)
	}
	return e
}
