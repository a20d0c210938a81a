package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/storage/engine"
)

// small are options under which a test's few writes still fill memtables.
func small(fs vfs.FS) engine.Options {
	return engine.Options{Dir: "data", FS: fs, CacheBytes: 1 << 20, MemtableBytes: 64 << 10, ReserveBytes: -1}
}

func open(t testing.TB, o engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func closed(t testing.TB, e *engine.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// put commits one key.
func put(t testing.TB, e *engine.Engine, key, value string) {
	t.Helper()
	b := e.NewBatch()
	defer b.Close()
	b.Set([]byte(key), []byte(value))
	if err := e.Commit(b, true); err != nil {
		t.Fatal(err)
	}
}

// has wants key to hold value, or to be absent when value is empty.
func has(t testing.TB, e *engine.Engine, key, value string) {
	t.Helper()
	got, found, err := e.Get([]byte(key))
	if err != nil || found != (value != "") || string(got) != value {
		t.Errorf("%q is %q, %v, %v; want %q", key, got, found, err, value)
	}
}

func TestBatchIsOneStep(t *testing.T) {
	e := open(t, small(vfs.NewMem()))
	defer closed(t, e)
	for _, key := range []string{"a", "b", "c", "d"} {
		put(t, e, key, key+"1")
	}
	first := e.NewBatch()
	defer first.Close()
	first.Set([]byte("e"), []byte("e1"))
	first.Delete([]byte("a"))
	first.DeleteRange([]byte("b"), []byte("d"))
	first.Set([]byte("b"), []byte("b2"))
	if first.Count() != 4 || first.Empty() {
		t.Errorf("the batch has %d writes, want 4", first.Count())
	}
	has(t, e, "a", "a1")
	if err := e.Commit(first, true); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"a": "", "b": "b2", "c": "", "d": "d1", "e": "e1"} {
		has(t, e, key, value)
	}
	first.Reset()
	first.Set([]byte("a"), []byte("a3"))
	if err := e.Commit(first, false); err != nil {
		t.Fatal(err)
	}
	has(t, e, "a", "a3")
	has(t, e, "e", "e1")
}

func TestIteratorWalksItsBoundsBothWays(t *testing.T) {
	e := open(t, small(vfs.NewMem()))
	defer closed(t, e)
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		put(t, e, key, key+key)
	}
	snapshot := e.Snapshot()
	put(t, e, "c", "later")
	put(t, e, "bb", "later")
	it, err := snapshot.Iter([]byte("b"), []byte("e"))
	if err != nil {
		t.Fatal(err)
	}
	if err := snapshot.Close(); err != nil {
		t.Fatal(err)
	}
	var seen []string
	note := func() {
		value, err := it.Value()
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, string(it.Key())+"="+string(value))
	}
	for ok := it.First(); ok; ok = it.Next() {
		note()
	}
	for ok := it.Last(); ok; ok = it.Prev() {
		note()
	}
	if it.SeekGE([]byte("bb")) {
		note()
	}
	if it.SeekLT([]byte("c")) {
		note()
	}
	if it.SeekLT([]byte("b")) || it.Valid() {
		t.Error("the iterator left its bounds")
	}
	want := []string{"b=bb", "c=cc", "d=dd", "d=dd", "c=cc", "b=bb", "c=cc", "b=bb"}
	if !slices.Equal(seen, want) {
		t.Errorf("walked %v, want %v", seen, want)
	}
	if err := errors.Join(it.Err(), it.Close()); err != nil {
		t.Error(err)
	}
}

func TestSnapshotGetIsOfThePast(t *testing.T) {
	e := open(t, small(vfs.NewMem()))
	defer closed(t, e)
	put(t, e, "k", "old")
	snapshot := e.Snapshot()
	put(t, e, "k", "new")
	put(t, e, "new", "new")
	if err := e.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	if value, found, err := snapshot.Get([]byte("k")); err != nil || !found || string(value) != "old" {
		t.Errorf("the snapshot shows %q, %v, %v", value, found, err)
	}
	if _, found, err := snapshot.Get([]byte("new")); err != nil || found {
		t.Errorf("the snapshot shows a later key: %v, %v", found, err)
	}
	if err := snapshot.Close(); err != nil {
		t.Error(err)
	}
}

// A leaked iterator pins files for ever: Close must say so rather than let it pass.
func TestCloseReportsALeak(t *testing.T) {
	e := open(t, small(vfs.NewMem()))
	put(t, e, "k", "v")
	it, err := e.Iter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	it.First()
	if err := e.Close(); err == nil {
		t.Error("a leaked iterator went unnoticed")
	}
	_ = it.Close()
}

func TestReadOnlyChangesNothing(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, small(fs))
	put(t, e, "k", "v")
	closed(t, e)
	before, err := fs.List("data/db")
	if err != nil {
		t.Fatal(err)
	}
	o := small(fs)
	o.ReadOnly = true
	e = open(t, o)
	has(t, e, "k", "v")
	b := e.NewBatch()
	b.Set([]byte("k"), []byte("w"))
	if err := e.Commit(b, true); err == nil {
		t.Error("a store opened to read was written")
	}
	b.Close()
	_ = e.Close()
	after, err := fs.List("data/db")
	slices.Sort(before)
	slices.Sort(after)
	if err != nil || !slices.Equal(before, after) {
		t.Errorf("reading changed the files from %v to %v (%v)", before, after, err)
	}
}

func TestMetricsAndDiskUsage(t *testing.T) {
	e := open(t, small(vfs.NewMem()))
	defer closed(t, e)
	for n := range 64 {
		put(t, e, fmt.Sprintf("k%02d", n), string(letters(seeded(1), 4000)))
	}
	if err := e.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	m := e.Metrics()
	if m.Tables == 0 || m.TableBytes < 4000 || m.DiskBytes < m.TableBytes || m.Flushes == 0 || m.LogSyncs.Count == 0 {
		t.Errorf("the metrics of a compacted store are %+v", m)
	}
	if m.FlushedBytes == 0 || m.FlushedBytes > m.LogWrittenBytes*11/10 {
		t.Errorf("%d bytes were flushed of %d in the log", m.FlushedBytes, m.LogWrittenBytes)
	}
	all, err := e.DiskUsage([]byte("k"), nil)
	if err != nil || all == 0 {
		t.Errorf("the keys take %d bytes, %v", all, err)
	}
	if none, err := e.DiskUsage([]byte("x"), []byte("y")); err != nil || none >= all {
		t.Errorf("no keys take %d bytes of %d, %v", none, all, err)
	}
	if err := e.VerifyChecksums(context.Background()); err != nil {
		t.Error(err)
	}
}
