package engine_test

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"stator/internal/storage/engine"
)

// The store the numbers in tuning.go are taken on: 100k items of 1 KB of random letters under keys of about 60 bytes, on
// disk, with the default options.
const (
	benchItems     = 100_000
	benchItemBytes = 1000
)

func benchKey(dst []byte, n int) []byte {
	name := fmt.Appendf(nil, "Suser#%012d\x00\x01", n)
	token := md5.Sum(name)
	dst = binary.BigEndian.AppendUint64(append(dst[:0], 'd'), 7)
	dst = append(append(dst, token[:]...), name...)
	return append(dst, "Sprofile\x00\x01"...)
}

func letters(random *rand.Rand, n int) []byte {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[random.IntN(len(alphabet))]
	}
	return b
}

// filled opens a store with the benchmark's items in it.
func filled(b *testing.B) *engine.Engine {
	b.Helper()
	e, err := engine.Open(engine.Options{Dir: b.TempDir(), ReserveBytes: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close() })
	random := rand.New(rand.NewPCG(1, 1))
	batch := e.NewBatch()
	defer batch.Close()
	for n := range benchItems {
		batch.Set(benchKey(nil, n), letters(random, benchItemBytes))
		if batch.Len() > 1<<20 || n == benchItems-1 {
			if err := e.Commit(batch, false); err != nil {
				b.Fatal(err)
			}
			batch.Reset()
		}
	}
	if err := e.Compact(context.Background()); err != nil {
		b.Fatal(err)
	}
	return e
}

func BenchmarkGet(b *testing.B) {
	e := filled(b)
	random := rand.New(rand.NewPCG(2, 2))
	var key []byte
	for range benchItems {
		key = benchKey(key, random.IntN(benchItems))
		_, _, _ = e.Get(key)
	}
	b.Run("hit", func(b *testing.B) {
		before := e.Metrics()
		b.ReportAllocs()
		for b.Loop() {
			key = benchKey(key, random.IntN(benchItems))
			if _, found, err := e.Get(key); err != nil || !found {
				b.Fatal(found, err)
			}
		}
		after := e.Metrics()
		misses := float64(after.CacheMisses - before.CacheMisses)
		b.ReportMetric(misses/float64(b.N), "misses/op")
		b.ReportMetric(float64(after.TableBytes)/benchItems/benchItemBytes, "disk/item")
	})
	b.Run("miss", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			key = benchKey(key, benchItems+random.IntN(benchItems))
			if _, found, err := e.Get(key); err != nil || found {
				b.Fatal(found, err)
			}
		}
	})
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			key = benchKey(key, random.IntN(benchItems))
		}
	})
}

// BenchmarkCommit is a batch of one item and of 32, with and without a sync.
func BenchmarkCommit(b *testing.B) {
	for _, c := range []struct {
		items int
		sync  bool
	}{{1, true}, {32, true}, {1, false}, {32, false}} {
		b.Run(fmt.Sprintf("items=%d/sync=%v", c.items, c.sync), func(b *testing.B) {
			e := open(b, engine.Options{Dir: b.TempDir(), ReserveBytes: -1})
			defer closed(b, e)
			random := seeded(3)
			value := letters(random, benchItemBytes)
			batch := e.NewBatch()
			defer batch.Close()
			var key []byte
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				for range c.items {
					key = benchKey(key, random.IntN(1<<20))
					batch.Set(key, value)
				}
				if err := e.Commit(batch, c.sync); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkIterate opens an iterator, reads ten items and closes it: what a Query of ten items asks of the store.
func BenchmarkIterate(b *testing.B) {
	e := filled(b)
	random := seeded(4)
	var key []byte
	b.ReportAllocs()
	for b.Loop() {
		key = benchKey(key, random.IntN(benchItems))
		snapshot := e.Snapshot()
		it, err := snapshot.Iter(key, []byte("e"))
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for ok := it.First(); ok && n < 10; ok = it.Next() {
			if _, err := it.Value(); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if err := it.Close(); err != nil {
			b.Fatal(err)
		}
		_ = snapshot.Close()
	}
}
