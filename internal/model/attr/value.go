package attr

import (
	"bytes"
	"iter"

	"stator/internal/base/must"
)

// Value is one encoded attribute value; length 0 is an absent one. It is read in place: what its methods return aliases
// it. A value that was well-formed JSON but unlawful (a bad number, an empty set, two types, …) is a value too, with a
// Fault and no Type.
type Value []byte

// Type gives the value's type, 0 when it is absent or itself at fault.
func (v Value) Type() Type {
	if len(v) == 0 {
		return 0
	}
	return tagTypes[v[0]]
}

// Str gives the bytes of an S or a B.
func (v Value) Str() []byte { return v.payload() }

// Number gives the number of an N.
func (v Value) Number() Number { return Number(v.payload()) }

// Map gives the attributes of an M.
func (v Value) Map() Map { return Map(v.payload()) }

func (v Value) payload() []byte {
	from, to := payload(v, 0)
	return v[from:to:to]
}

// Bool tells whether v is a BOOL that is true.
func (v Value) Bool() bool { return len(v) > 0 && v[0] == tagTrue }

// Len gives the count of members of a set, elements of a list or attributes of a map; 0 for any other value.
func (v Value) Len() int {
	if !v.container() {
		return 0
	}
	count, _, _ := readHead(v.payload())
	return count
}

func (v Value) container() bool {
	switch v.Type() {
	case SS, NS, BS, M, L:
		return true
	default:
		return false
	}
}

// Elements gives the members of a set, each as a value of its own, ascending; or the elements of a list in order. Any
// other value has none.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if !v.container() || v[0] == byte(M) {
			return
		}
		b := v.payload()
		count, _, at := readHead(b)
		for range count {
			_, end := payload(b, at)
			if !yield(Value(b[at:end:end])) {
				return
			}
			at = end
		}
	}
}

// Index gives a list's element i, counted from 0; false when v is no list or has no such element.
func (v Value) Index(i int) (Value, bool) {
	if v.Type() != L || i < 0 {
		return nil, false
	}
	for element := range v.Elements() {
		if i == 0 {
			return element, true
		}
		i--
	}
	return nil, false
}

// Equal tells whether a and b are the same value: numbers by amount, sets and maps without regard to order.
func Equal(a, b Value) bool { return bytes.Equal(a, b) }

// Compare orders two values of one type, S, N or B, as DynamoDB does: strings by their UTF-8 bytes, binaries by unsigned
// bytes, numbers by amount (semantics.md §5, §6.6). Other types have no order.
func Compare(a, b Value) int {
	if t := a.Type(); t != b.Type() || t < S || t > B {
		must.That(false, "order of types %v and %v", a.Type(), b.Type())
	}
	return bytes.Compare(a.payload(), b.payload())
}
