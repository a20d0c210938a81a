package engine_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/storage/engine"
)

func openRows(t *testing.T, cacheBytes int64) *engine.Engine {
	t.Helper()
	o := small(vfs.NewMem())
	o.RowPrefix, o.CacheBytes = []byte("d"), cacheBytes
	e, err := engine.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// A row that is cached follows every write of it: replaced, deleted alone, deleted with a range.
func TestRowsFollowWrites(t *testing.T) {
	e := openRows(t, 1<<20)
	write := func(change func(b *engine.Batch)) {
		b := e.NewBatch()
		defer b.Close()
		change(b)
		if err := e.Commit(b, true); err != nil {
			t.Fatal(err)
		}
	}
	reads := func(key, want string) {
		t.Helper()
		for range 2 { // the second one comes from the cache
			value, found, err := e.Get([]byte(key))
			if err != nil || found != (want != "") || string(value) != want {
				t.Fatalf("%s reads %q, %t, %v, want %q", key, value, found, err, want)
			}
			memory := make([]byte, 4)
			value, found, err = e.GetInto(memory, []byte(key))
			if err != nil || found != (want != "") || string(value) != want || len(want) <= len(memory) && string(memory[:len(want)]) != want {
				t.Fatalf("%s reads %q, %t, %v into %q, want %q", key, value, found, err, memory, want)
			}
			value, found, err = e.Head([]byte(key))
			if err != nil || found != (want != "") || !strings.HasPrefix(want, string(value)) || len(value) < min(len(want), engine.HeadBytes) {
				t.Fatalf("the head of %s reads %q, %t, %v, want %q", key, value, found, err, want)
			}
		}
	}
	write(func(b *engine.Batch) { b.Set([]byte("da"), []byte("one")) })
	reads("da", "one")
	write(func(b *engine.Batch) { b.Set([]byte("da"), []byte("two")) })
	reads("da", "two")
	write(func(b *engine.Batch) { b.Set([]byte("da"), []byte("longer than two")) })
	reads("da", "longer than two")
	write(func(b *engine.Batch) { b.Delete([]byte("da")) })
	reads("da", "")
	write(func(b *engine.Batch) { b.Set([]byte("da"), []byte("three")) })
	reads("da", "three")
	write(func(b *engine.Batch) { b.DeleteRange([]byte("a"), []byte("c")) })
	reads("da", "three")
	write(func(b *engine.Batch) { b.DeleteRange([]byte("c"), []byte("e")) })
	reads("da", "")
}

// Once a commit has returned, no reader beside the writer sees an older value than it wrote.
// The cache is so small that rows come and go all the time.
func TestRowsShowEveryCommit(t *testing.T) {
	e := openRows(t, 64<<10)
	const keys, rounds = 200, 4000
	key := func(i int) []byte { return fmt.Appendf(nil, "d%03d", i%keys) }
	var committed [keys]uint64
	var mu sync.Mutex // guards committed
	var readers sync.WaitGroup
	done := make(chan struct{})
	for r := range 3 {
		readers.Go(func() {
			for i := r; ; i += 7 {
				select {
				case <-done:
					return
				default:
				}
				mu.Lock()
				least := committed[i%keys]
				mu.Unlock()
				read := e.Get
				if i%2 == 0 {
					read = e.Head
				}
				value, found, err := read(key(i))
				if err != nil {
					t.Error(err)
					return
				}
				got := uint64(0)
				if found {
					got = binary.BigEndian.Uint64(value)
				}
				if got < least {
					t.Errorf("key %d reads %d after %d was there", i%keys, got, least)
					return
				}
			}
		})
	}
	for n := range rounds {
		b := e.NewBatch()
		at := n * 13 % keys
		b.Set(key(at), binary.BigEndian.AppendUint64(nil, uint64(n+1)))
		if err := e.Commit(b, false); err != nil {
			t.Fatal(err)
		}
		b.Close()
		mu.Lock()
		committed[at] = uint64(n + 1)
		mu.Unlock()
	}
	close(done)
	readers.Wait()
}

// What is known by its head only was read or written before: rows of a shard come and go, and nobody reads an old head.
func TestHeadsOfManyKeys(t *testing.T) {
	e := openRows(t, 64<<10)
	const keys = 3000
	key := func(i int) []byte { return fmt.Appendf(nil, "d%04d", i) }
	value := func(i, round int) string { return fmt.Sprintf("%04d %d and so on, past the head", i, round) }
	for round := range 3 {
		b := e.NewBatch()
		for i := round; i < keys; i += round + 1 {
			if i%7 == round {
				b.Delete(key(i))
			} else {
				b.Set(key(i), []byte(value(i, round)))
			}
		}
		if err := e.Commit(b, false); err != nil {
			t.Fatal(err)
		}
		b.Close()
		for i := range keys {
			whole, found, err := e.Get(key(i))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				head, there, err := e.Head(key(i))
				if err != nil || there != found || string(head) != string(whole[:min(len(whole), len(head))]) || found && len(head) < engine.HeadBytes {
					t.Fatalf("round %d: the head of %d reads %q, %t, %v, its value %q, %t", round, i, head, there, err, whole, found)
				}
			}
		}
	}
}

// The metrics tell what rows answered, and what they take.
func TestRowsAreCounted(t *testing.T) {
	e := openRows(t, 1<<20)
	put(t, e, "da", "one")
	for range 3 {
		has(t, e, "da", "one")
	}
	if m := e.Metrics(); m.RowMisses != 1 || m.RowHits != 2 || m.RowBytes == 0 {
		t.Errorf("three gets were %d misses and %d hits of %d bytes of rows", m.RowMisses, m.RowHits, m.RowBytes)
	}
}

// A batch that is too large for a memtable is kept as it is, and rows follow it all the same.
func TestRowsFollowALargeBatch(t *testing.T) {
	for _, sync := range []bool{true, false} {
		e := openRows(t, 1<<20)
		put(t, e, "da", "one")
		put(t, e, "db", "one")
		has(t, e, "da", "one")
		has(t, e, "db", "one")
		b := e.NewBatch()
		b.Set([]byte("da"), []byte("two"))
		b.DeleteRange([]byte("db"), []byte("dc"))
		b.Set([]byte("x"), make([]byte, small(nil).MemtableBytes))
		if err := e.Commit(b, sync); err != nil {
			t.Fatal(err)
		}
		b.Close()
		has(t, e, "da", "two")
		if value, found, err := e.Get([]byte("db")); found || err != nil {
			t.Errorf("after it was deleted it reads %q, %v", value, err)
		}
		if head, found, err := e.Head([]byte("da")); string(head) != "two" || !found || err != nil {
			t.Errorf("its head reads %q, %v", head, err)
		}
	}
}
