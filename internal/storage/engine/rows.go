package engine

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

const (
	rowShards = 64
	// rowOverheadBytes is what an entry costs besides its key and value: slot, map cell, and what the allocator rounds up.
	rowOverheadBytes = 160
	// rowBytesMax is the largest row that is kept: larger ones would push out hundreds of others.
	rowBytesMax = 64 << 10
	// shrinkRowsMax bounds what one write evicts for the memtable that it made grow: twice what it brought.
	shrinkRowsMax = 2
)

// rows caches single values in front of Pebble, whose every get looks through memtables and table indexes even if all
// blocks are in memory: a hit costs a tenth of that. Values in it are never changed, so a reader may keep one.
//
// Invariant: once a commit's apply has returned, no value older than it is in the cache. A reader that misses fills in
// what it read only if its shard saw no write since it began, as it may have read before the write and come after it.
type rows struct {
	prefix, end []byte // only keys in [prefix, end) are kept
	bytesMax    int64  // of all rows together
	// shardBytesMax is what each shard may hold now.
	shardBytesMax atomic.Int64
	seed, check   maphash.Seed
	shards        [rowShards]rowShard
}

// place is where a key is kept. shard is nil for a key that is never kept.
type place struct {
	shard       *rowShard
	hash, check uint64
}

// rowShard is a part of the cache with a clock: a slot that was read since the hand last passed gets another round.
type rowShard struct {
	mu       sync.Mutex
	bytesMax *atomic.Int64
	bytes    int64
	writes   uint64 // counts the writes to any key of the shard
	at       map[uint64]int
	slots    []row
	hand     int
	heads    heads
}

type row struct {
	hash       uint64
	key, value []byte
	used       bool
}

// newRows returns the cache that the options ask for; nil is none.
func newRows(o Options) *rows {
	prefix, bytesMax := o.RowPrefix, o.rowBytesMax()-o.headBytesMax()
	if len(prefix) == 0 || bytesMax <= 0 {
		return nil
	}
	end := bytes.Clone(prefix)
	end[len(end)-1]++
	r := &rows{prefix: prefix, end: end, bytesMax: bytesMax, seed: maphash.MakeSeed(), check: maphash.MakeSeed()}
	r.leave(0, 0)
	for i := range r.shards {
		r.shards[i].bytesMax = &r.shardBytesMax
		r.shards[i].at = map[uint64]int{}
		r.shards[i].heads = newHeads(o.headBytesMax() / rowShards)
	}
	return r
}

// leave gives up n pieces of so many bytes each, or takes them back when n is less than before. Shards shrink as they are
// used, by shrinkRowsMax at a time.
func (r *rows) leave(n, pieceBytes int64) {
	if r != nil {
		r.shardBytesMax.Store(max(0, r.bytesMax-max(0, n)*pieceBytes) / rowShards)
	}
}

// place finds where a key is kept.
func (r *rows) place(key []byte) place {
	if r == nil || !bytes.HasPrefix(key, r.prefix) {
		return place{}
	}
	hash := maphash.Bytes(r.seed, key)
	return place{shard: &r.shards[hash%rowShards], hash: hash}
}

// headPlace is place for whoever needs the head too, which a second hash tells from others.
func (r *rows) headPlace(key []byte) place {
	p := r.place(key)
	if p.shard != nil {
		p.check = maphash.Bytes(r.check, key)
	}
	return p
}

// get finds a value, or tells the count of writes to give to fill.
func (s *rowShard) get(hash uint64, key []byte) (value []byte, found bool, writes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.at[hash]; ok && bytes.Equal(s.slots[i].key, key) {
		s.slots[i].used = true
		return s.slots[i].value, true, s.writes
	}
	return nil, false, s.writes
}

// head finds the head of a value, or that there is none; known is false where neither is known, and then it tells the
// count of writes to give to fillHead.
func (s *rowShard) head(dst []byte, p place, key []byte) (value []byte, found, known bool, writes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.at[p.hash]; ok && bytes.Equal(s.slots[i].key, key) {
		row := s.slots[i].value
		return append(dst, row[:min(len(row), headBytes)]...), true, true, s.writes
	}
	value, found, known = s.heads.get(dst, p)
	return value, found, known, s.writes
}

// fillHead keeps the head of a value, nil for none, that was read while the shard had seen so many writes.
func (s *rowShard) fillHead(p place, value []byte, writes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes == writes {
		s.heads.put(p, value)
	}
}

// fill keeps a value that was read while the shard had seen so many writes.
func (s *rowShard) fill(hash uint64, key, value []byte, writes uint64) {
	size := rowBytes(key, value)
	if size > rowBytesMax {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.at[hash]; taken || s.writes != writes {
		return
	}
	for s.bytes+size > s.bytesMax.Load() && len(s.slots) > 0 {
		s.evict()
	}
	s.at[hash] = len(s.slots)
	s.slots = append(s.slots, row{hash: hash, key: bytes.Clone(key), value: value})
	s.bytes += size
}

func rowBytes(key, value []byte) int64 { return int64(len(key) + len(value) + rowOverheadBytes) }

// evict moves the hand to the next slot that nobody read since it last passed, and empties it.
func (s *rowShard) evict() {
	for {
		s.hand %= len(s.slots)
		if !s.slots[s.hand].used {
			s.remove(s.hand)
			return
		}
		s.slots[s.hand].used = false
		s.hand++
	}
}

// remove empties a slot by moving the last one into it.
func (s *rowShard) remove(i int) {
	gone := s.slots[i]
	s.bytes -= rowBytes(gone.key, gone.value)
	delete(s.at, gone.hash)
	last := len(s.slots) - 1
	if i != last {
		s.slots[i] = s.slots[last]
		s.at[s.slots[i].hash] = i
	}
	s.slots[last] = row{}
	s.slots = s.slots[:last]
}

// wrote makes the cache show a value that was written, nil for a deletion: a row that is kept is replaced, others are not
// brought in, as most of what is written is not read soon; the head is.
func (s *rowShard) wrote(p place, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.heads.put(p, value)
	for n := 0; n < shrinkRowsMax && s.bytes > s.bytesMax.Load() && len(s.slots) > 0; n++ {
		s.evict()
	}
	i, ok := s.at[p.hash]
	if !ok {
		return
	}
	if value == nil || len(value) > len(s.slots[i].value) {
		s.remove(i)
		return
	}
	s.bytes += int64(len(value) - len(s.slots[i].value))
	s.slots[i].value = bytes.Clone(value)
}

// applied brings the cache up to a batch that readers of the store see.
func (r *rows) applied(b *pebble.Batch) {
	if r == nil {
		return
	}
	for reader := b.Reader(); ; {
		kind, key, value, ok, err := reader.Next()
		if !ok || err != nil {
			return // the batch was just written from the same bytes
		}
		switch kind {
		case pebble.InternalKeyKindRangeDelete:
			r.forget(span{lower: key, upper: value})
		case pebble.InternalKeyKindDelete:
			if p := r.headPlace(key); p.shard != nil {
				p.shard.wrote(p, nil)
			}
		default:
			if p := r.headPlace(key); p.shard != nil {
				p.shard.wrote(p, value)
			}
		}
	}
}

// forget drops the rows of a span that was deleted or replaced, and all heads, which do not tell their keys. A reader may
// have begun before and fill in later, so every shard has seen a write.
func (r *rows) forget(gone span) {
	if r == nil || !gone.overlaps(span{lower: r.prefix, upper: r.end}) {
		return
	}
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		s.writes++
		for at := len(s.slots) - 1; at >= 0; at-- {
			if key := s.slots[at].key; bytes.Compare(gone.lower, key) <= 0 && bytes.Compare(key, gone.upper) < 0 {
				s.remove(at)
			}
		}
		s.heads.clear()
		s.mu.Unlock()
	}
}
