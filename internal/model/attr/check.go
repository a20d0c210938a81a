package attr

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// ErrMalformed is the error of bytes that are not the canonical form of a lawful map.
var ErrMalformed = errors.New("malformed attributes")

// CheckMap tells whether b is a Map that this package could have written and that has no fault: ErrMalformed or nil. The
// other functions trust their bytes and panic with a *must.Broken at worst; bytes that come from elsewhere, with no
// checksum that vouches for them, come here first.
func CheckMap(b []byte) error {
	if len(b) == 0 || !checkEntries(b, 1) {
		return ErrMalformed
	}
	return nil
}

// CheckValue is CheckMap for one value.
func CheckValue(b []byte) error {
	if end, ok := checkValue(b, 0, 1); !ok || end != len(b) {
		return ErrMalformed
	}
	return nil
}

// checkHead reads a lawful head.
func checkHead(b []byte) (count, next int, ok bool) {
	head, next := scanLength(b, 0)
	return head >> 1, next, next > 0 && head&1 == 0
}

func checkEntries(b []byte, level int) bool {
	count, at, ok := checkHead(b)
	var last []byte
	for i := 0; ok && i < count; i++ {
		n, from := scanLength(b, at)
		if from == 0 || n > len(b)-from {
			return false
		}
		name := b[from : from+n]
		if !utf8.Valid(name) || (i > 0 && bytes.Compare(last, name) >= 0) {
			return false
		}
		last = name
		at, ok = checkValue(b, from+n, level)
	}
	return ok && at == len(b)
}

// checkValue checks the value at b[at] and gives the place after it.
func checkValue(b []byte, at, level int) (end int, ok bool) {
	if at >= len(b) || level > DepthMax {
		return 0, false
	}
	tag := b[at]
	switch tag {
	case tagFalse, tagNull, tagTrue:
		return at + 1, true
	}
	n, from := scanLength(b, at+1)
	if from == 0 || n > len(b)-from {
		return 0, false
	}
	inside, end := b[from:from+n], from+n
	switch tag {
	case byte(S):
		return end, utf8.Valid(inside)
	case byte(B):
		return end, true
	case byte(N):
		return end, Number(inside).wellFormed()
	case byte(M):
		return end, checkEntries(inside, level+1)
	case byte(L):
		return end, checkElements(inside, 0, level+1)
	case byte(SS), byte(NS), byte(BS):
		return end, checkElements(inside, Type(tag).element(), level)
	default:
		return 0, false
	}
}

// checkElements checks the payload of a list, or of a set whose members are of type member, with values at level.
func checkElements(b []byte, member Type, level int) bool {
	count, at, ok := checkHead(b)
	if member != 0 && count == 0 {
		return false
	}
	var last []byte
	for i := 0; ok && i < count; i++ {
		end := 0
		if end, ok = checkValue(b, at, level); !ok {
			return false
		}
		if element := b[at:end]; member != 0 {
			from, to := payload(element, 0)
			if Value(element).Type() != member || (i > 0 && bytes.Compare(last, element[from:to]) >= 0) {
				return false
			}
			last = element[from:to]
		}
		at = end
	}
	return ok && at == len(b)
}
