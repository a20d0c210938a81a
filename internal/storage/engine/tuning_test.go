package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Every kind of record has tables of its own, after flushes and after compactions.
func TestTablesHoldOneKindOfKeys(t *testing.T) {
	e := opened(t, Options{Dir: "data", FS: vfs.NewMem(), ReserveBytes: -1})
	kinds := []byte{'d', 'l', 'p', 0xff}
	apart := func(when string) {
		t.Helper()
		levels, err := e.db.SSTables()
		if err != nil {
			t.Fatal(err)
		}
		of := map[byte]int{}
		for _, level := range levels {
			for _, table := range level {
				first, last := table.Smallest.UserKey, table.Largest.UserKey
				if first[0] != last[0] {
					t.Errorf("%s a table goes from %q to %q", when, first, last)
				}
				of[first[0]]++
			}
		}
		for _, kind := range kinds {
			if of[kind] == 0 {
				t.Errorf("%s there is no table of %q", when, kind)
			}
		}
	}
	for round := range byte(4) {
		b := e.NewBatch()
		for _, kind := range kinds {
			b.Set([]byte{kind, round}, []byte("value"))
		}
		if err := errors.Join(e.Commit(b, true), e.db.Flush()); err != nil {
			t.Fatal(err)
		}
		b.Close()
	}
	apart("after flushes")
	if err := e.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	apart("after a compaction")
}
