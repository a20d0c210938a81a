package keys

import (
	"bytes"

	"stator/internal/model/attr"
)

// A component is one key attribute's value: a tag with its type, then bytes whose order is the order of values of that
// type (semantics §6.6), then, for strings and binaries, a terminator. The tag is one byte that lets a key be read
// without its table's description. A component is never a prefix of another, so components can simply follow
// each other.
//
// Escaping rather than a length in front: a length would sort "b" before "aa".
const (
	tagString byte = 'S'
	tagNumber byte = 'N'
	tagBinary byte = 'B'

	escape     byte = 0x00
	escapedNul byte = 0xff // escape ‖ escapedNul is a 0x00 of the value
	terminator byte = 0x01 // escape ‖ terminator ends the value: it sorts before whatever could follow

	componentOverheadBytes = 3 // tag and terminator
)

// AppendComponent appends one key attribute's value, which is a lawful S, N or B; anything else is a broken invariant
// of the caller and panics, since a key must never be written that nobody can find.
func AppendComponent(dst []byte, v attr.Value) []byte {
	switch v.Type() {
	case attr.S:
		return append(appendEscaped(append(dst, tagString), v.Str()), escape, terminator)
	case attr.B:
		return append(appendEscaped(append(dst, tagBinary), v.Str()), escape, terminator)
	case attr.N:
		return v.Number().AppendKey(append(dst, tagNumber))
	default:
		panic("keys: a key component of type " + v.Type().String())
	}
}

// AppendComponentPrefix appends what all components begin with whose S or B value begins with v's bytes: the lower
// bound of begins_with, whose upper bound is SuccessorPrefix of it.
func AppendComponentPrefix(dst []byte, v attr.Value) []byte {
	switch v.Type() {
	case attr.S:
		return appendEscaped(append(dst, tagString), v.Str())
	case attr.B:
		return appendEscaped(append(dst, tagBinary), v.Str())
	default:
		panic("keys: a key component prefix of type " + v.Type().String())
	}
}

func appendEscaped(dst, value []byte) []byte {
	for {
		i := bytes.IndexByte(value, escape)
		if i < 0 {
			return append(dst, value...)
		}
		dst = append(append(dst, value[:i]...), escape, escapedNul)
		value = value[i+1:]
	}
}

// readComponent takes the component at the start of b apart: its value's bytes, unescaped, and what follows it. ok is false
// when there is none whole.
func readComponent(b []byte) (tag byte, value, rest []byte, ok bool) {
	n, ok := componentLen(b)
	if !ok {
		return 0, nil, nil, false
	}
	if b[0] == tagNumber {
		number, rest, _ := attr.ReadKey(b[1:])
		return tagNumber, number, rest, true
	}
	escaped := b[1 : n-2]
	return b[0], bytes.ReplaceAll(escaped, []byte{escape, escapedNul}, []byte{escape}), b[n:], true
}

// componentLen is the length of the component at the start of b; ok is false when there is none whole. It allocates
// nothing: a scan cuts every key with it.
func componentLen(b []byte) (n int, ok bool) {
	if len(b) == 0 {
		return 0, false
	}
	switch b[0] {
	case tagNumber:
		_, rest, found := attr.ReadKey(b[1:])
		return len(b) - len(rest), found
	case tagString, tagBinary:
		for at := 1; ; at += 2 {
			i := bytes.IndexByte(b[at:], escape)
			if i < 0 || at+i+1 == len(b) {
				return 0, false
			}
			at += i
			switch b[at+1] {
			case terminator:
				return at + 2, true
			case escapedNul:
			default:
				return 0, false
			}
		}
	default:
		return 0, false
	}
}
