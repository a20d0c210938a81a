package engine

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
)

const (
	// rowChunkBytes is the unit in which a shard takes memory and gives it back.
	rowChunkBytes = 64 << 10
	// rowIndexBytes is what the index has for a row. A chunk counts as full with it, and what it so never fills the
	// operating system never provides.
	rowIndexBytes = 32
)

// rowLog holds rows in chunks of memory outside of the collected heap, whose garbage is in proportion to what lives in it:
// there, rows would cost half as much again. Rows are added to the newest chunk. Where there may be no further one, the
// oldest becomes the newest with the rows that were read since it last did, and others than those are gone: a clock whose
// hand goes from chunk to chunk.
type rowLog struct {
	chunksMax *atomic.Int64
	at        map[uint64]rowAt // by the hash of the key
	chunks    []rowChunk
	order     []uint32 // the chunks in use, the newest last
	free      []uint32 // the others
}

// rowAt is where a row begins.
type rowAt struct{ chunk, offset uint32 }

type rowChunk struct {
	mapped *mapping
	// end is where the next row begins; rows are so many, those included that the index no longer finds.
	end, rows int
}

func (c *rowChunk) fits(size int) bool { return c.end+size+(c.rows+1)*rowIndexBytes <= rowChunkBytes }

// row is the bytes of one: rowHeaderBytes of hash, room for the value and its length, the key's length, whether it was read
// since the hand last passed; then the key, then the value and what room it leaves.
type row []byte

const (
	rowRoomAt      = 8
	rowValueAt     = 12
	rowKeyAt       = 16
	rowUsedAt      = 20
	rowHeaderBytes = 24
)

func (r row) hash() uint64  { return binary.NativeEndian.Uint64(r) }
func (r row) room() int     { return int(binary.NativeEndian.Uint32(r[rowRoomAt:])) }
func (r row) keyBytes() int { return int(binary.NativeEndian.Uint32(r[rowKeyAt:])) }
func (r row) key() []byte   { return r[rowHeaderBytes:][:r.keyBytes()] }
func (r row) used() bool    { return r[rowUsedAt] != 0 }
func (r row) use()          { r[rowUsedAt] = 1 }
func (r row) size() int     { return rowHeaderBytes + r.keyBytes() + r.room() }
func (r row) value() []byte {
	return r[rowHeaderBytes+r.keyBytes():][:binary.NativeEndian.Uint32(r[rowValueAt:])]
}

// replace gives the row another value, if there is room for it.
func (r row) replace(value []byte) bool {
	if len(value) > r.room() {
		return false
	}
	binary.NativeEndian.PutUint32(r[rowValueAt:], uint32(len(value)))
	copy(r[rowHeaderBytes+r.keyBytes():], value)
	return true
}

func newRowLog(chunksMax *atomic.Int64) rowLog {
	return rowLog{chunksMax: chunksMax, at: map[uint64]rowAt{}}
}

func (l *rowLog) row(at rowAt) row {
	r := row(l.chunks[at.chunk].mapped.bytes[at.offset:])
	return r[:r.size()]
}

func (l *rowLog) has(hash uint64) bool {
	_, ok := l.at[hash]
	return ok
}

// find returns a key's row, which is good until the log is changed.
func (l *rowLog) find(hash uint64, key []byte) (row, bool) {
	at, ok := l.at[hash]
	if !ok {
		return nil, false
	}
	r := l.row(at)
	return r, bytes.Equal(r.key(), key)
}

// drop has a row be found no more. Its room is used again when its chunk's turn comes.
func (l *rowLog) drop(hash uint64) { delete(l.at, hash) }

// add keeps a row of which there is none, unless it is too large.
func (l *rowLog) add(hash uint64, key, value []byte) {
	size := rowHeaderBytes + len(key) + len(value)
	if size > rowBytesMax || !l.makeRoom(size) {
		return
	}
	newest := l.order[len(l.order)-1]
	c := &l.chunks[newest]
	r := row(c.mapped.bytes[c.end:][:size])
	binary.NativeEndian.PutUint64(r, hash)
	binary.NativeEndian.PutUint32(r[rowRoomAt:], uint32(len(value)))
	binary.NativeEndian.PutUint32(r[rowKeyAt:], uint32(len(key)))
	r[rowUsedAt] = 0
	copy(r[rowHeaderBytes:], key)
	r.replace(value)
	l.at[hash] = rowAt{chunk: newest, offset: uint32(c.end)}
	c.end += size
	c.rows++
}

// makeRoom turns chunks until the newest has room. It ends: rows that a turn keeps, the next turn of their chunk does not.
func (l *rowLog) makeRoom(size int) bool {
	l.shrink()
	for len(l.order) == 0 || !l.chunks[l.order[len(l.order)-1]].fits(size) {
		if !l.turn() {
			return false
		}
	}
	return true
}

// turn makes another chunk the newest. There is none if there may be none.
func (l *rowLog) turn() bool {
	if int64(len(l.order)) < l.chunksMax.Load() {
		if m := newMapping(rowChunkBytes); m != nil {
			l.extend(m)
			return true
		}
	}
	if len(l.order) == 0 {
		return false
	}
	oldest := l.order[0]
	l.sweep(oldest, row.used)
	l.order = append(l.order[1:], oldest)
	return true
}

func (l *rowLog) extend(m *mapping) {
	if len(l.free) == 0 {
		l.free = append(l.free, uint32(len(l.chunks)))
		l.chunks = append(l.chunks, rowChunk{})
	}
	last := len(l.free) - 1
	l.chunks[l.free[last]] = rowChunk{mapped: m}
	l.order = append(l.order, l.free[last])
	l.free = l.free[:last]
}

// sweep moves the rows of a chunk that are kept to its beginning, as not read since, and drops the others.
func (l *rowLog) sweep(chunk uint32, kept func(row) bool) {
	c := &l.chunks[chunk]
	end := c.end
	c.end, c.rows = 0, 0
	for from := 0; from < end; {
		at := rowAt{chunk: chunk, offset: uint32(from)}
		r := l.row(at)
		hash, size := r.hash(), len(r)
		from += size
		if found, ok := l.at[hash]; !ok || found != at {
			continue
		}
		if !kept(r) {
			l.drop(hash)
			continue
		}
		r[rowUsedAt] = 0
		l.at[hash] = rowAt{chunk: chunk, offset: uint32(c.end)}
		c.end += copy(c.mapped.bytes[c.end:], r)
		c.rows++
	}
}

// shrink gives the oldest chunk back if there are more than there may be, and tells whether there were.
func (l *rowLog) shrink() bool {
	more := int64(len(l.order)) > l.chunksMax.Load()
	if more {
		l.release()
	}
	return more
}

// release gives the oldest chunk back.
func (l *rowLog) release() {
	oldest := l.order[0]
	l.sweep(oldest, func(row) bool { return false })
	l.chunks[oldest].mapped.release()
	l.chunks[oldest] = rowChunk{}
	l.order = l.order[1:]
	l.free = append(l.free, oldest)
}

// forget drops the rows of a span.
func (l *rowLog) forget(gone span) {
	for hash, at := range l.at {
		if key := l.row(at).key(); bytes.Compare(gone.lower, key) <= 0 && bytes.Compare(key, gone.upper) < 0 {
			l.drop(hash)
		}
	}
}

// close gives all memory back.
func (l *rowLog) close() {
	for len(l.order) > 0 {
		l.release()
	}
}
