package attr

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// part is one entry of a map or one member of a set while its container is put in order: dst[at:end], ordered by its
// name or payload. Offsets have 32 bits and the key is found by reading again, for a hostile body has millions of parts.
type part struct {
	prefix  uint64 // the first eight bytes of the key, zeros after a shorter one: it decides nearly every comparison
	at, end uint32
}

// partsInline is how many parts a container has before its list of them is allocated.
const partsInline = 16

func prefix(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	p := uint64(0)
	for i, c := range key {
		p |= uint64(c) << (56 - 8*i)
	}
	return p
}

// key finds a part's name or payload. A map's entry has no tag before the length.
type key func(b []byte, at int) (from, to int)

func (k key) compare(b []byte, x, y part) int {
	if x.prefix != y.prefix {
		return cmp.Compare(x.prefix, y.prefix)
	}
	xFrom, xTo := k(b, int(x.at))
	yFrom, yTo := k(b, int(y.at))
	return bytes.Compare(b[xFrom:xTo], b[yFrom:yTo])
}

// sort puts parts in the order of their keys; parts of equal keys keep theirs. It tells whether there are such.
func (k key) sort(b []byte, parts []part) (twins bool) {
	if len(parts) <= partsInline {
		for i := 1; i < len(parts); i++ {
			for j := i; j > 0; j-- {
				order := k.compare(b, parts[j-1], parts[j])
				if order <= 0 {
					twins = twins || order == 0
					break
				}
				parts[j-1], parts[j] = parts[j], parts[j-1]
			}
		}
		return twins
	}
	slices.SortFunc(parts, func(x, y part) int {
		if order := k.compare(b, x, y); order != 0 {
			return order
		}
		return cmp.Compare(x.at, y.at)
	})
	for i := 1; i < len(parts) && !twins; i++ {
		twins = k.compare(b, parts[i-1], parts[i]) == 0
	}
	return twins
}

// lastOfTwins drops every sorted part that a later one of the same key replaces.
func (k key) lastOfTwins(b []byte, parts []part) []part {
	kept := parts[:0]
	for i, p := range parts {
		if i+1 == len(parts) || k.compare(b, p, parts[i+1]) != 0 {
			kept = append(kept, p)
		}
	}
	return kept
}

// arrange makes dst[at:] hold the parts, which lie there, in their order and nothing else.
func arrange(dst []byte, at int, parts []part) []byte {
	end := len(dst)
	for _, p := range parts {
		dst = append(dst, dst[p.at:p.end]...)
	}
	n := copy(dst[at:], dst[end:])
	return dst[:at+n]
}
