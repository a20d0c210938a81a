package api

import (
	"hash/crc32"
	"sync/atomic"
)

const (
	textSlots    = 1 << 10
	textBytesMax = 256 // of a text that is kept
)

// texts are strings of earlier requests. Most requests say what others said before them: the name of a table, an
// expression, a value of an enum. Whoever says it again shares the string, and a pointer to it, and costs no allocation.
// The last text that fell on a slot has it.
//
// Invariant: nobody writes through a pointer to one of them.
type texts [textSlots]atomic.Pointer[string]

var known texts

// of is text as a string.
func (t *texts) of(text []byte) *string {
	if len(text) > textBytesMax {
		s := string(text)
		return &s
	}
	slot := &t[crc32.ChecksumIEEE(text)%textSlots]
	if s := slot.Load(); s != nil && *s == string(text) {
		return s
	}
	s := string(text)
	slot.Store(&s)
	return &s
}
