package disk

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// synced creates a file and syncs it.
func synced(t *testing.T, d *Disk, name string, c vfs.DiskWriteCategory) {
	t.Helper()
	f, err := d.Create(name, c)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// While a store opens, what the engine does beside that is not counted: when it comes in between is nobody's choice.
func TestCompactionsAreNotCounted(t *testing.T) {
	mem := vfs.NewCrashableMem()
	for _, c := range []struct {
		what string
		want int
	}{{"an empty disk", 3}, {"a disk with a store", 2}} {
		d := New(mem, Plan{}, func() {})
		synced(t, d, "/1.sst", vfs.WriteCategoryUnspecified)
		synced(t, d, "/2.sst", compaction)
		synced(t, d, "/3.log", vfs.WriteCategoryUnspecified)
		synced(t, d, "/MANIFEST", vfs.WriteCategoryUnspecified)
		if got := d.Syncs(); got != c.want {
			t.Errorf("on %s %d syncs are counted, want %d", c.what, got, c.want)
		}
	}
}
