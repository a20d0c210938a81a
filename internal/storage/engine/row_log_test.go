package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// Whatever comes and goes, a row that is found is what was last written, and there are no more chunks than there may be.
func TestRowLogKeepsWhatWasLast(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var chunksMax atomic.Int64
	chunksMax.Store(6)
	l := newRowLog(&chunksMax)
	defer l.close()
	const keys = 2000
	last := map[uint64][]byte{} // by the hash
	key := func(n uint64) []byte { return fmt.Appendf(nil, "key %d", n) }
	found := 0
	for step := range 200_000 {
		n := random.Uint64N(keys)
		value := bytes.Repeat([]byte{byte(step)}, random.IntN(600))
		row, ok := l.find(n, key(n))
		if want, there := last[n]; ok && (!there || !bytes.Equal(row.value(), want)) {
			t.Fatalf("step %d: key %d reads %d bytes, want %d (%t)", step, n, len(row.value()), len(want), there)
		}
		if other, ok := l.find(n, []byte("another key of the hash")); ok {
			t.Fatalf("step %d: another key reads %q", step, other.value())
		}
		switch random.IntN(8) {
		case 0:
			l.drop(n)
			delete(last, n)
		case 1, 2, 3:
			if ok {
				found++
				row.use()
			}
		default:
			if !ok || !row.replace(value) {
				l.drop(n)
				l.add(n, key(n), value)
			}
			last[n] = value
		}
		if random.IntN(5000) == 0 {
			chunksMax.Store(random.Int64N(8))
			for l.shrink() {
				continue
			}
		}
		if random.IntN(20_000) == 0 {
			gone := span{lower: []byte("key 1"), upper: []byte("key 2")}
			l.forget(gone)
			for n := range last {
				if bytes.HasPrefix(key(n), gone.lower) {
					delete(last, n)
				}
			}
		}
		if int64(len(l.order)) > chunksMax.Load() {
			t.Fatalf("step %d: %d chunks where %d may be", step, len(l.order), chunksMax.Load())
		}
	}
	if found < 1000 {
		t.Errorf("only %d rows were found", found)
	}
}

// The chunk whose turn it is keeps the rows that were read, once, and no others.
func TestRowLogKeepsWhatIsRead(t *testing.T) {
	var chunksMax atomic.Int64
	chunksMax.Store(2)
	l := newRowLog(&chunksMax)
	defer l.close()
	value := make([]byte, 1000)
	next := uint64(0)
	add := func() uint64 {
		next++
		l.add(next, []byte("k"), value)
		return next
	}
	turn := func() {
		for newest := l.order[len(l.order)-1]; l.order[len(l.order)-1] == newest; {
			add()
		}
	}
	read, unread := add(), add()
	if row, ok := l.find(read, []byte("k")); ok {
		row.use()
	}
	turn()
	turn()
	if !l.has(read) || l.has(unread) {
		t.Fatalf("after a turn: read %t, unread %t", l.has(read), l.has(unread))
	}
	turn()
	turn()
	if l.has(read) {
		t.Error("a row that nobody read since is still there after the next turn of its chunk")
	}
}

// A row that is too large for its share of a chunk is not kept, and neither is any where there may be no chunk.
func TestRowLogHasBounds(t *testing.T) {
	var chunksMax atomic.Int64
	l := newRowLog(&chunksMax)
	defer l.close()
	l.add(1, []byte("k"), nil)
	chunksMax.Store(1)
	l.add(2, []byte("k"), make([]byte, rowBytesMax))
	if l.has(1) || l.has(2) {
		t.Error("a row is kept that there is no room for")
	}
	l.add(3, []byte("k"), make([]byte, rowBytesMax/2))
	if !l.has(3) {
		t.Error("a row is not kept")
	}
}
