package engine

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"
)

const (
	// rowShardsMax is enough for a shard to be rarely held by another. A small cache has fewer, as a shard's clock needs some
	// chunks to go around.
	rowShardsMax     = 64
	shardChunksLeast = 8
	// rowBytesMax is the largest row that is kept: larger ones would push out dozens of others, and gain little.
	rowBytesMax = rowChunkBytes / 2
)

// rows caches single values in front of Pebble, whose every get looks through memtables and table indexes even if all
// blocks are in memory: a hit costs a tenth of that.
//
// Invariant: once a commit's apply has returned, no value older than it is in the cache. A reader that misses fills in
// what it read only if its shard saw no write since it began, as it may have read before the write and come after it.
type rows struct {
	prefix, end []byte // only keys in [prefix, end) are kept

	sizeMu sync.Mutex // guards how large all rows together may be:
	// share is their own and what blocks lend; memtables beyond the usual ones took given of it.
	share, given int64
	// shardChunksMax is how many chunks each shard may have now.
	shardChunksMax atomic.Int64
	seed, check    maphash.Seed
	shards         []rowShard
}

// place is where a key is kept. shard is nil for a key that is never kept.
type place struct {
	shard       *rowShard
	hash, check uint64
}

// rowShard is a part of the cache.
type rowShard struct {
	mu     sync.Mutex
	writes uint64 // counts the writes to any key of the shard
	kept   rowLog
	heads  heads
	// hits and misses count the gets of values.
	hits, misses int64
}

// newRows returns the cache that the options ask for; nil is none.
func newRows(o Options) *rows {
	prefix, bytesMax := o.RowPrefix, o.rowBytesMax()
	if len(prefix) == 0 || bytesMax <= 0 {
		return nil
	}
	end := bytes.Clone(prefix)
	end[len(end)-1]++
	r := &rows{prefix: prefix, end: end, share: bytesMax, seed: maphash.MakeSeed(), check: maphash.MakeSeed()}
	r.shards = make([]rowShard, min(max(1, bytesMax/(shardChunksLeast*rowChunkBytes)), rowShardsMax))
	for i := range r.shards {
		r.shards[i].kept = newRowLog(&r.shardChunksMax)
		r.shards[i].heads = newHeads(o.headBytesMax() / int64(len(r.shards)))
	}
	r.grow(0)
	return r
}

// leave gives up n pieces of so many bytes each, or takes them back when n is less than before. Shards shrink as they are
// used, a chunk at a time.
func (r *rows) leave(n, pieceBytes int64) {
	if r != nil {
		r.resize(func() { r.given = max(0, n) * pieceBytes })
	}
}

// grow lets rows have so many bytes more, or less.
func (r *rows) grow(n int64) { r.resize(func() { r.share += n }) }

// resize works out anew what each shard may have.
func (r *rows) resize(change func()) {
	r.sizeMu.Lock()
	defer r.sizeMu.Unlock()
	change()
	r.shardChunksMax.Store(max(0, r.share-r.given) / (int64(len(r.shards)) * rowChunkBytes))
}

// shrink gives back at once what is more than there may be.
func (r *rows) shrink() {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for s.kept.shrink() {
			continue
		}
		s.mu.Unlock()
	}
}

// keeps tells whether the cache is for a key.
func (r *rows) keeps(key []byte) bool { return r != nil && bytes.HasPrefix(key, r.prefix) }

// place finds where a key is kept.
func (r *rows) place(key []byte) place {
	if !r.keeps(key) {
		return place{}
	}
	hash := maphash.Bytes(r.seed, key)
	return place{shard: &r.shards[hash%uint64(len(r.shards))], hash: hash}
}

// headPlace is place for whoever needs the head too, which a second hash tells from others.
func (r *rows) headPlace(key []byte) place {
	p := r.place(key)
	if p.shard != nil {
		p.check = maphash.Bytes(r.check, key)
	}
	return p
}

// get copies a value into dst, or tells the count of writes to give to fill.
func (s *rowShard) get(dst []byte, hash uint64, key []byte) (value []byte, found bool, writes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if row, ok := s.kept.find(hash, key); ok {
		row.use()
		s.hits++
		return append(dst[:0], row.value()...), true, s.writes
	}
	s.misses++
	return nil, false, s.writes
}

// head finds the head of a value, or that there is none; known is false where neither is known, and then it tells the
// count of writes to give to fillHead.
func (s *rowShard) head(dst []byte, p place, key []byte) (value []byte, found, known bool, writes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if row, ok := s.kept.find(p.hash, key); ok {
		value := row.value()
		return append(dst, value[:min(len(value), headBytes)]...), true, true, s.writes
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes == writes && !s.kept.has(hash) {
		s.kept.add(hash, key, value)
	}
}

// wrote makes the cache show a value that was written, nil for a deletion: a row that is kept is replaced, others are not
// brought in, as most of what is written is not read soon; the head is.
func (s *rowShard) wrote(p place, key, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.heads.put(p, value)
	s.kept.shrink()
	row, ok := s.kept.find(p.hash, key)
	switch {
	case !ok: // another key of the same hash stays right
	case value != nil && row.replace(value):
	default:
		s.kept.drop(p.hash)
		if value != nil {
			s.kept.add(p.hash, key, value)
		}
	}
}

// applied brings the cache up to what a batch that readers of the store see has written.
func (r *rows) applied(written []byte) {
	if r == nil {
		return
	}
	for reader := batchrepr.Read(written); ; {
		kind, key, value, ok, err := reader.Next()
		if !ok || err != nil {
			return // the batch was just written from the same bytes
		}
		switch kind {
		case pebble.InternalKeyKindRangeDelete:
			r.forget(span{lower: key, upper: value})
		case pebble.InternalKeyKindDelete:
			if p := r.headPlace(key); p.shard != nil {
				p.shard.wrote(p, key, nil)
			}
		default:
			if p := r.headPlace(key); p.shard != nil {
				p.shard.wrote(p, key, value)
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
		s.kept.forget(gone)
		s.heads.clear()
		s.mu.Unlock()
	}
}

// use is how much memory rows take, and how many gets of values they answered and did not.
func (r *rows) use() (size, hits, misses int64) {
	if r == nil {
		return 0, 0, 0
	}
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		size += int64(len(s.kept.order)) * rowChunkBytes
		hits, misses = hits+s.hits, misses+s.misses
		s.mu.Unlock()
	}
	return size, hits, misses
}

// close gives the rows' memory back.
func (r *rows) close() {
	if r == nil {
		return
	}
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		s.kept.close()
		s.mu.Unlock()
	}
}
