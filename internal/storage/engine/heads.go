package engine

// heads remembers the first bytes of values, and which keys have none, for many more keys than there is room for rows:
// what is overwritten unseen needs to be known by its head only. An entry is a key's two hashes and the head, so it
// costs a thirtieth of a row of 1 KB.
//
// The hashes stand for the key: seeded 128 bits, of which nobody outside the process knows anything, do not meet by
// chance.
type heads struct {
	buckets [][headsPerBucket]head
	// victim is the place in its bucket that the next entry takes if all are taken.
	victim uint8
}

const (
	// headBytes is how much of a value a head has at most.
	headBytes      = 15
	headsPerBucket = 8
	// headEntryBytes is what an entry costs.
	headEntryBytes = 32
)

// head is an entry. Its length is 0 while it is free, and headAbsent for a key without a value.
type head struct {
	hash, check uint64
	length      uint8
	bytes       [headBytes]byte
}

const headAbsent = 0xff

func newHeads(bytesMax int64) heads {
	return heads{buckets: make([][headsPerBucket]head, max(1, bytesMax/(headEntryBytes*headsPerBucket)))}
}

func (h *heads) bucket(p place) *[headsPerBucket]head {
	return &h.buckets[p.check%uint64(len(h.buckets))]
}

// get appends a key's head to dst. known is false where the cache knows nothing of the key.
func (h *heads) get(dst []byte, p place) (value []byte, found, known bool) {
	bucket := h.bucket(p)
	for i := range bucket {
		e := &bucket[i]
		if e.hash != p.hash || e.check != p.check {
			continue
		}
		if e.length == headAbsent {
			return dst, false, true
		}
		return append(dst, e.bytes[:e.length]...), true, true
	}
	return dst, false, false
}

// put makes the cache know a key's value, nil for none.
func (h *heads) put(p place, value []byte) {
	bucket := h.bucket(p)
	at := -1
	for i := range bucket {
		e := &bucket[i]
		if e.hash == p.hash && e.check == p.check {
			at = i
			break
		}
		if at < 0 && e.length == 0 {
			at = i
		}
	}
	if at < 0 {
		at = int(h.victim % headsPerBucket)
		h.victim++
	}
	e := &bucket[at]
	*e = head{hash: p.hash, check: p.check, length: headAbsent}
	if value != nil {
		e.length = uint8(copy(e.bytes[:], value))
	}
}

func (h *heads) clear() { clear(h.buckets) }
