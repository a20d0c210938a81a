package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logSizes are the sizes of a store's logs.
func logSizes(t *testing.T, fs vfs.FS) map[string]int64 {
	t.Helper()
	names, err := fs.List("data/db")
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int64{}
	for _, name := range names {
		if strings.HasSuffix(name, ".log") {
			info, err := fs.Stat("data/db/" + name)
			if err != nil {
				t.Fatal(err)
			}
			sizes[name] = info.Size()
		}
	}
	return sizes
}

// A commit finds the bytes of the log that it is written to: its sync has no new size to write.
func TestALogIsWrittenWithinItsSize(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.MemtableBytes = 1 << 20
	e := open(t, o)
	defer closed(t, e)
	put(t, e, "first", "v")
	before := logSizes(t, fs)
	for n := range 100 {
		put(t, e, fmt.Sprint(n), strings.Repeat("v", 1000))
	}
	after := logSizes(t, fs)
	if len(after) == 0 {
		t.Error("there is no log")
	}
	for name, size := range after {
		if size != before[name] || size < 100_000 {
			t.Errorf("%s had %d bytes and has %d", name, before[name], size)
		}
	}
}

// A store that ends with the process writes nothing into its log.
func TestAVolatileStoreHasAnEmptyLog(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.Volatile = true
	e := open(t, o)
	defer closed(t, e)
	for n := range 100 {
		put(t, e, fmt.Sprint(n), strings.Repeat("v", 1000))
	}
	if err := e.Sync(); err != nil {
		t.Fatal(err)
	}
	if value, found, err := e.Get([]byte("99")); err != nil || !found || len(value) != 1000 {
		t.Errorf("%d bytes, %v, %v", len(value), found, err)
	}
	for name, size := range logSizes(t, fs) {
		if size != 0 {
			t.Errorf("%s has %d bytes", name, size)
		}
	}
}
