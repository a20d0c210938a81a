package engine

import (
	"bytes"
	"hash/maphash"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

const (
	rowShards = 64
	// rowOverheadBytes is what an entry costs besides its key and value: slot, map cell, and what the allocator rounds up.
	rowOverheadBytes = 160
	// rowBytesMax is the largest row that is kept: larger ones would push out hundreds of others.
	rowBytesMax = 64 << 10
)

// rows caches single values in front of Pebble, whose every get looks through memtables and table indexes even if all
// blocks are in memory: a hit costs a tenth of that. Values in it are never changed, so a reader may keep one.
//
// Invariant: once a commit's apply has returned, no value older than it is in the cache. A reader that misses fills in
// what it read only if its shard saw no write since it began, as it may have read before the write and come after it.
type rows struct {
	prefix, end []byte // only keys in [prefix, end) are kept
	seed        maphash.Seed
	shards      [rowShards]rowShard
}

// rowShard is a part of the cache with a clock: a slot that was read since the hand last passed gets another round.
type rowShard struct {
	mu       sync.Mutex
	bytesMax int
	bytes    int
	writes   uint64 // counts the writes to any key of the shard
	at       map[uint64]int
	slots    []row
	hand     int
}

type row struct {
	hash       uint64
	key, value []byte
	used       bool
}

// newRows returns a cache of so many bytes for keys with the prefix, nil if either is missing.
func newRows(prefix []byte, bytesMax int64) *rows {
	if len(prefix) == 0 || bytesMax <= 0 {
		return nil
	}
	end := bytes.Clone(prefix)
	end[len(end)-1]++
	r := &rows{prefix: prefix, end: end, seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].bytesMax = int(bytesMax / rowShards)
		r.shards[i].at = map[uint64]int{}
	}
	return r
}

// place finds a key's shard; nil for a key that is never kept.
func (r *rows) place(key []byte) (*rowShard, uint64) {
	if r == nil || !bytes.HasPrefix(key, r.prefix) {
		return nil, 0
	}
	hash := maphash.Bytes(r.seed, key)
	return &r.shards[hash%rowShards], hash
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
	for s.bytes+size > s.bytesMax && len(s.slots) > 0 {
		s.evict()
	}
	s.at[hash] = len(s.slots)
	s.slots = append(s.slots, row{hash: hash, key: bytes.Clone(key), value: value})
	s.bytes += size
}

func rowBytes(key, value []byte) int { return len(key) + len(value) + rowOverheadBytes }

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

// wrote makes the cache show a value that was written, nil for a deletion: one that is kept is replaced, others are not
// brought in, as most of what is written is not read soon.
func (s *rowShard) wrote(hash uint64, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	i, ok := s.at[hash]
	if !ok {
		return
	}
	if value == nil || len(value) > len(s.slots[i].value) {
		s.remove(i)
		return
	}
	s.bytes += len(value) - len(s.slots[i].value)
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
			if bytes.Compare(key, r.end) < 0 && bytes.Compare(r.prefix, value) < 0 {
				r.clear()
			}
		case pebble.InternalKeyKindDelete:
			if shard, hash := r.place(key); shard != nil {
				shard.wrote(hash, nil)
			}
		default:
			if shard, hash := r.place(key); shard != nil {
				shard.wrote(hash, value)
			}
		}
	}
}

// clear empties the cache: a range of its keys is gone.
func (r *rows) clear() {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		s.writes++
		s.bytes, s.hand, s.slots = 0, 0, nil
		s.at = map[uint64]int{}
		s.mu.Unlock()
	}
}
