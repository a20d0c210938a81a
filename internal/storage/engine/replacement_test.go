package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"stator/internal/storage/engine"
)

// The store of these tests has an excised span d5 to d8, a tiled one i5 to i8, and neighbours of both.
var (
	replacedBefore = map[string]string{
		"d4": "left", "d5": "old", "d6": "old", "d7x": "old", "d8": "right",
		"i4": "left", "i5": "old", "i6": "old", "i7x": "old", "i8": "right", "n": "node",
	}
	replacedAfter = map[string]string{
		"d4": "left", "d6": "new", "d7": "new", "d8": "right", "i4": "left", "i5a": "new", "i6": "new", "i8": "right", "n": "new",
	}
)

func commit(t testing.TB, e *engine.Engine, sync bool, pairs map[string]string) {
	t.Helper()
	b := e.NewBatch()
	defer b.Close()
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		b.Set([]byte(key), []byte(pairs[key]))
	}
	if err := e.Commit(b, sync); err != nil {
		t.Fatal(err)
	}
}

// stored is all that the store holds, but for its ident.
func stored(t testing.TB, e *engine.Engine) map[string]string {
	t.Helper()
	it, err := e.Iter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := walked(t, it)
	delete(found, "nident")
	return found
}

func walked(t testing.TB, it *engine.Iterator) map[string]string {
	t.Helper()
	found := map[string]string{}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.Value()
		if err != nil {
			t.Fatal(err)
		}
		found[string(it.Key())] = string(value)
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return found
}

// replacement prepares the one that leads from before to after, each key in a file of its own where small is set.
func replacement(t testing.TB, e *engine.Engine, fileBytesMax uint64) *engine.Replacement {
	t.Helper()
	r, err := e.NewReplacement(fileBytesMax)
	if err != nil {
		t.Fatal(err)
	}
	set := func(keys ...string) {
		for _, key := range keys {
			err = errors.Join(err, r.Set([]byte(key), []byte("new")))
		}
	}
	err = r.Span([]byte("n"), []byte("n\x00"))
	set("n")
	err = errors.Join(err, r.Excise([]byte("d5"), []byte("d8")))
	set("d6", "d7")
	err = errors.Join(err, r.Span([]byte("i5"), []byte("i8")))
	set("i5a", "i6")
	if err = errors.Join(err, r.Seal()); err != nil {
		t.Fatal(err)
	}
	return r
}

func performed(t testing.TB, r *engine.Replacement) {
	t.Helper()
	if err := errors.Join(r.Perform(), r.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAReplacementTakesThePlaceOfItsSpans(t *testing.T) {
	for name, prepare := range map[string]func(*engine.Engine) error{
		"in memory": func(*engine.Engine) error { return nil },
		"on disk":   func(e *engine.Engine) error { return e.Compact(t.Context()) },
	} {
		for _, fileBytesMax := range []uint64{1, 32 << 20} {
			t.Run(fmt.Sprintf("%s, files of %d", name, fileBytesMax), func(t *testing.T) {
				e := open(t, small(vfs.NewMem()))
				defer closed(t, e)
				commit(t, e, true, replacedBefore)
				if err := prepare(e); err != nil {
					t.Fatal(err)
				}
				r := replacement(t, e, fileBytesMax)
				if got := stored(t, e); !maps.Equal(got, replacedBefore) {
					t.Errorf("before it is performed the store holds %v", got)
				}
				performed(t, r)
				if got := stored(t, e); !maps.Equal(got, replacedAfter) {
					t.Errorf("the store holds %v, want %v", got, replacedAfter)
				}
				if err := e.Compact(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := stored(t, e); !maps.Equal(got, replacedAfter) {
					t.Errorf("compacted, the store holds %v, want %v", got, replacedAfter)
				}
				put(t, e, "d6", "later")
				has(t, e, "d6", "later")
			})
		}
	}
}

// Files end where they are large enough, and their tiles leave no gap.
func TestAReplacementOfManyFiles(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, small(fs))
	defer closed(t, e)
	for n := range 400 {
		put(t, e, fmt.Sprintf("i%03d-old", n), "old")
		put(t, e, fmt.Sprintf("d%03d-old", n), "old")
	}
	r, err := e.NewReplacement(16 << 10)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, space := range []string{"i", "d"} {
		begin := r.Span
		if space == "d" {
			begin = r.Excise
		}
		if err := begin([]byte(space), []byte(space+"\xff")); err != nil {
			t.Fatal(err)
		}
		for n := range 200 {
			key, value := fmt.Sprintf("%s%03d", space, 2*n), string(letters(seeded(uint64(n)), 1000))
			want[key] = value
			if err := r.Set([]byte(key), []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.Seal(); err != nil {
		t.Fatal(err)
	}
	files, err := fs.List("data/incoming")
	if err != nil || len(files) < 20 || len(files) > 40 {
		t.Errorf("400 KB are in %d files, %v", len(files), err)
	}
	performed(t, r)
	if got := stored(t, e); !maps.Equal(got, want) {
		t.Errorf("the store holds %d keys, want %d", len(got), len(want))
	}
	if files, err := fs.List("data/incoming"); err != nil || len(files) != 0 {
		t.Errorf("what is left of it: %v, %v", files, err)
	}
	if err := e.VerifyChecksums(t.Context()); err != nil {
		t.Error(err)
	}
}

// What was in the spans goes also where nothing comes.
func TestAReplacementByNothing(t *testing.T) {
	e := open(t, small(vfs.NewMem()))
	defer closed(t, e)
	commit(t, e, true, replacedBefore)
	r, err := e.NewReplacement(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Excise([]byte("d5"), []byte("d8")), r.Span([]byte("i5"), nil)); err != nil {
		t.Fatal(err)
	}
	performed(t, r)
	if got, want := stored(t, e), map[string]string{"d4": "left", "d8": "right", "i4": "left"}; !maps.Equal(got, want) {
		t.Errorf("the store holds %v, want %v", got, want)
	}
}

// A reader that is older than an excise would find nothing where there was something: it is told. One beside the excise
// and an iterator that is already open see what they saw.
func TestASnapshotKnowsWhatWasReplaced(t *testing.T) {
	for name, prepare := range map[string]func(*engine.Engine) error{
		"in memory": func(*engine.Engine) error { return nil },
		"on disk":   func(e *engine.Engine) error { return e.Compact(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, small(vfs.NewMem()))
			defer closed(t, e)
			commit(t, e, true, replacedBefore)
			if err := prepare(e); err != nil {
				t.Fatal(err)
			}
			s := e.Snapshot()
			begun, err := s.Iter(nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			performed(t, replacement(t, e, 1))
			if err := e.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			if value, found, err := s.Get([]byte("d6")); !errors.Is(err, engine.ErrReplaced) {
				t.Errorf("an older snapshot reads %q, %v, %v", value, found, err)
			}
			if it, err := s.Iter([]byte("d7"), []byte("e")); !errors.Is(err, engine.ErrReplaced) {
				t.Errorf("an older snapshot walks: %v, %v", it, err)
			}
			for key, want := range map[string]string{"d4": "left", "d8": "right", "i5": "old", "i6": "old", "n": "node"} {
				if value, _, err := s.Get([]byte(key)); err != nil || string(value) != want {
					t.Errorf("an older snapshot reads %s as %q, %v; want %q", key, value, err, want)
				}
			}
			got := walked(t, begun)
			delete(got, "nident")
			if !maps.Equal(got, replacedBefore) {
				t.Errorf("a walk that was begun sees %v", got)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = e.Snapshot()
			defer s.Close()
			if value, _, err := s.Get([]byte("d6")); err != nil || string(value) != "new" {
				t.Errorf("a newer snapshot reads %q, %v", value, err)
			}
		})
	}
}

// More excises than are remembered make an old snapshot say that everything was replaced.
func TestAVeryOldSnapshot(t *testing.T) {
	e := open(t, small(vfs.NewMem()))
	defer closed(t, e)
	put(t, e, "x", "v")
	s := e.Snapshot()
	defer s.Close()
	for n := range engine.ExcisesMax + 10 {
		r, err := e.NewReplacement(1)
		if err != nil {
			t.Fatal(err)
		}
		lower := fmt.Appendf(nil, "d%04d", n)
		if err := errors.Join(r.Excise(lower, append(lower, 0)), r.Set(lower, lower)); err != nil {
			t.Fatal(err)
		}
		performed(t, r)
		_, found, err := s.Get([]byte("x"))
		if (n < engine.ExcisesMax) != (found && err == nil) || (n >= engine.ExcisesMax) != errors.Is(err, engine.ErrReplaced) {
			t.Fatalf("after %d excises the snapshot says %v, %v", n+1, found, err)
		}
	}
}

func TestRowsFollowReplacements(t *testing.T) {
	e := openRows(t, 1<<20)
	commit(t, e, true, replacedBefore)
	read := func(want map[string]string) {
		t.Helper()
		for _, key := range []string{"d4", "d5", "d6", "d7", "d7x", "d8"} {
			for range 2 {
				has(t, e, key, want[key])
				if head, found, err := e.Head([]byte(key)); err != nil || found != (want[key] != "") || string(head) != want[key] {
					t.Errorf("the head of %s is %q, %v, %v", key, head, found, err)
				}
			}
		}
	}
	read(replacedBefore)
	performed(t, replacement(t, e, 1))
	read(replacedAfter)
}

// A replacement's log rotations must not look like memtables that are never written out: rows would give up their room.
func TestReplacementsLeaveRowsTheirRoom(t *testing.T) {
	e := openRows(t, 4<<20)
	commit(t, e, true, replacedBefore)
	for range 20 {
		performed(t, replacement(t, e, 1))
		commit(t, e, true, replacedBefore)
	}
	if err := e.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := engine.MemtablesWaiting(e); n != 0 {
		t.Errorf("%d memtables are said to wait", n)
	}
}

// A disk that has no room for the files fails the replacement and nothing else.
func TestAReplacementThatFindsNoRoom(t *testing.T) {
	fs := newFailing(vfs.NewMem())
	e := open(t, small(fs))
	defer closed(t, e)
	commit(t, e, true, replacedBefore)
	r, err := e.NewReplacement(1)
	if err != nil {
		t.Fatal(err)
	}
	fs.set(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite && strings.Contains(op.Path, "incoming") {
			return syscall.ENOSPC
		}
		return nil
	})
	err = errors.Join(r.Excise([]byte("d5"), []byte("d8")), r.Set([]byte("d5"), []byte("new")), r.Seal())
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("it says %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	fs.clear()
	if got := stored(t, e); !maps.Equal(got, replacedBefore) || e.Broken() != nil {
		t.Errorf("the store holds %v, %v", got, e.Broken())
	}
	if files, err := fs.List("data/incoming"); err != nil || len(files) != 0 {
		t.Errorf("left over: %v, %v", files, err)
	}
}

// Files count against the room before they are taken over.
func TestAReplacementTakesRoom(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.ReserveBytes = 1000
	e := open(t, o)
	defer closed(t, e)
	disk(fs, 20_000)
	if err := e.Space().Check(); err != nil || e.Space().Low() {
		t.Fatal(err)
	}
	r, err := e.NewReplacement(math.MaxUint64)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Excise([]byte("d"), []byte("e")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Set([]byte("d"), letters(seeded(1), 30_000)), r.Seal()); err != nil {
		t.Fatal(err)
	}
	if !e.Space().Low() {
		t.Error("the room is gone and nobody says so")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// A store of any format that this release opens takes replacements.
func TestAReplacementInAnOlderStore(t *testing.T) {
	for version := range engine.FormatVersion {
		fs := vfs.NewMem()
		dir := fmt.Sprintf("testdata/format-%d", version+1)
		if ok, err := vfs.Clone(vfs.Default, fs, dir, "data", vfs.CloneSync); err != nil || !ok {
			t.Fatal(ok, err)
		}
		e := open(t, small(fs))
		r, err := e.NewReplacement(1)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Excise([]byte("in a"), []byte("in b")), r.Set([]byte("in a table"), []byte("new"))); err != nil {
			t.Fatal(err)
		}
		performed(t, r)
		has(t, e, "in a table", "new")
		has(t, e, "in the log", "only synced")
		closed(t, e)
	}
}

func TestAReplacementIsNotMisused(t *testing.T) {
	e := open(t, small(vfs.NewMem()))
	defer closed(t, e)
	for name, misuse := range map[string]func(*engine.Replacement) error{
		"overlapping spans":  func(r *engine.Replacement) error { return r.Span([]byte("b"), []byte("c")) },
		"a second excise":    func(r *engine.Replacement) error { return r.Excise([]byte("x"), []byte("y")) },
		"an empty span":      func(r *engine.Replacement) error { return r.Span([]byte("y"), []byte("x")) },
		"a key twice":        func(r *engine.Replacement) error { return r.Set([]byte("b"), nil) },
		"a key past its end": func(r *engine.Replacement) error { return r.Set([]byte("c"), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			r, err := e.NewReplacement(1)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(r.Excise([]byte("a"), []byte("c")), r.Set([]byte("b"), nil)); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if recover() == nil {
					t.Error("it was taken")
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}()
			_ = misuse(r)
		})
	}
}
