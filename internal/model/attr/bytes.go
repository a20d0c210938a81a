package attr

import (
	"math"

	"stator/internal/base/must"
)

// appendLength appends n, at least 0, as a uvarint.
func appendLength(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// readLength reads the uvarint at b[at] and gives the place after it.
func readLength(b []byte, at int) (n, next int) {
	if at < len(b) && b[at] < 0x80 {
		return int(b[at]), at + 1
	}
	return readLong(b, at)
}

func readLong(b []byte, at int) (n, next int) {
	n, next = scanLength(b, at)
	if next == 0 {
		must.That(false, "attribute length at %d of %d bytes", at, len(b))
	}
	return n, next
}

// scanLength is readLength that gives next = 0 where the bytes are no length below 2 GiB, in its only spelling.
func scanLength(b []byte, at int) (n, next int) {
	for shift := 0; at < len(b) && shift < 35; shift += 7 {
		c := b[at]
		at++
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			if n > math.MaxInt32 || (c == 0 && shift > 0) {
				return 0, 0
			}
			return n, at
		}
	}
	return 0, 0
}

// bare tells the tags that are a whole value.
func bare(tag byte) bool { return tag >= tagFalse && tag <= tagTrue }

// payload gives the bounds of the payload of the value at b[at]; both are at+1 for a value that is only a tag.
func payload(b []byte, at int) (from, to int) {
	if at >= len(b) {
		must.That(false, "attribute value at %d of %d bytes", at, len(b))
	}
	if bare(b[at]) {
		return at + 1, at + 1
	}
	n, from := readLength(b, at+1)
	if n > len(b)-from {
		must.That(false, "attribute value of %d bytes at %d of %d", n, at, len(b))
	}
	return from, from + n
}

// readName gives the bounds of the name of the map entry at b[at].
func readName(b []byte, at int) (from, to int) {
	n, from := readLength(b, at)
	if n > len(b)-from {
		must.That(false, "attribute name of %d bytes at %d of %d", n, at, len(b))
	}
	return from, from + n
}

// readEntry gives, for the map entry at b[at], where its name begins, where its value does, and where it ends. Finding an
// attribute is little else than this, so the usual case of two short lengths calls nothing.
func readEntry(b []byte, at int) (name, value, end int) {
	if at < len(b) && b[at] < 0x80 {
		value = at + 1 + int(b[at])
		if value+1 < len(b) && b[value+1] < 0x80 && !bare(b[value]) {
			if end = value + 2 + int(b[value+1]); end <= len(b) {
				return at + 1, value, end
			}
		}
	}
	name, value = readName(b, at)
	_, end = payload(b, value)
	return name, value, end
}

// lawful is the blamed position of a head that blames no child.
const lawful = -1

// readHead reads the head of a container's payload: the count of children, the position of the child to blame (or
// lawful) and where the children begin. An absent container has no head and no children.
func readHead(b []byte) (count, blamed, next int) {
	if len(b) == 0 {
		return 0, lawful, 0
	}
	head, next := readLength(b, 0)
	if head&1 == 0 {
		return head >> 1, lawful, next
	}
	blamed, next = readLength(b, next)
	return head >> 1, blamed, next
}

func appendHead(dst []byte, count, blamed int) []byte {
	if blamed == lawful {
		return appendLength(dst, count<<1)
	}
	return appendLength(appendLength(dst, count<<1|1), blamed)
}

// sealMap writes the head of the map that begins at dst[at], where one byte was left for it before the entries.
func sealMap(dst []byte, at, count, blamed int) []byte {
	var buf [12]byte
	return replace(dst, at, 1, appendHead(buf[:0], count, blamed))
}

// sealValue writes length and head of the container value whose tag is dst[at], where one byte was left for each before
// the children. Nearly always they fit; else the children move up, which beats four-byte lengths in every small value.
func sealValue(dst []byte, at, count, blamed int) []byte {
	var head, buf [20]byte
	h := appendHead(head[:0], count, blamed)
	prefix := append(appendLength(buf[:0], len(h)+len(dst)-at-3), h...)
	return replace(dst, at+1, 2, prefix)
}

// sealText writes the length of the value whose tag is dst[at], where one byte was left for it before the payload.
func sealText(dst []byte, at int) []byte {
	n := len(dst) - at - 2
	if n < 0x80 {
		dst[at+1] = byte(n)
		return dst
	}
	var buf [8]byte
	return replace(dst, at+1, 1, appendLength(buf[:0], n))
}

// replace puts with in the place of the n ≤ len(with) bytes at dst[at] and moves up what follows.
func replace(dst []byte, at, n int, with []byte) []byte {
	if grow := len(with) - n; grow > 0 {
		end := len(dst)
		dst = append(dst, with[:grow]...)
		copy(dst[at+len(with):], dst[at+n:end])
	}
	copy(dst[at:], with)
	return dst
}
