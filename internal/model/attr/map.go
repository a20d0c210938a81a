package attr

import (
	"bytes"
	"iter"
	"unsafe"
)

// Map is one encoded attribute map: an item, a key, the payload of an M. Its attributes ascend by name. Length 0 is an
// absent map, which has no attributes; EmptyMap is a map that is there and has none.
type Map []byte

// EmptyMap is the encoded map without attributes. It is not to be written into.
var EmptyMap = Map{0}

// Len gives the count of attributes.
func (m Map) Len() int {
	count, _, _ := readHead(m)
	return count
}

// Get gives the attribute called name. It reads the entries one after the other and allocates nothing: an item has few
// attributes, and an index over them would cost more to store than it saves.
func (m Map) Get(name string) (Value, bool) {
	count, _, at := readHead(m)
	for range count {
		start, value, end := readEntry(m, at)
		if value-start == len(name) && string(m[start:value]) == name {
			return Value(m[value:end:end]), true
		}
		at = end
	}
	return nil, false
}

// All gives names and values, ascending by name. The names alias the map's bytes without a copy: they are valid, as the
// values are, only as long as those bytes are left alone.
func (m Map) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		count, _, at := readHead(m)
		for range count {
			start, value, end := readEntry(m, at)
			if !yield(alias(m[start:value]), Value(m[value:end:end])) {
				return
			}
			at = end
		}
	}
}

// Clone gives a copy that shares no bytes with m.
func (m Map) Clone() Map { return Map(bytes.Clone(m)) }

// alias gives b as a string without a copy.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
