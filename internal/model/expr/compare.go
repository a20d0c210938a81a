package expr

import (
	"bytes"

	"stator/internal/model/attr"
)

// ordered compares two values of one type that has an order; any others are in no order at all (semantics §8.10).
func ordered(by op, x, y attr.Value) bool {
	if x.Type() != y.Type() || !hasOrder(x.Type()) {
		return false
	}
	order := attr.Compare(x, y)
	switch by {
	case opLT:
		return order < 0
	case opLE:
		return order <= 0
	case opGT:
		return order > 0
	case opGE:
		return order >= 0
	}
	return false
}

func hasOrder(t attr.Type) bool { return t == attr.S || t == attr.N || t == attr.B }

func isSet(t attr.Type) bool { return t == attr.SS || t == attr.NS || t == attr.BS }

func beginsWith(x, prefix attr.Value) bool {
	t := x.Type()
	return t == prefix.Type() && (t == attr.S || t == attr.B) && bytes.HasPrefix(x.Str(), prefix.Str())
}

// contains looks for a substring, a set's member or a list's element.
func contains(x, wanted attr.Value) bool {
	switch t := x.Type(); t {
	case attr.S, attr.B:
		return t == wanted.Type() && bytes.Contains(x.Str(), wanted.Str())
	case attr.SS, attr.NS, attr.BS, attr.L:
		// The members of a set are encoded as values of their own, so that one comparison serves sets and lists.
		for element := range x.Elements() {
			if attr.Equal(element, wanted) {
				return true
			}
		}
	}
	return false
}

// size measures strings in UTF-16 code units and binaries in bytes, and counts elements (semantics §8.11). What has no size is nil.
func size(x attr.Value) attr.Value {
	if x == nil {
		return nil
	}
	switch x.Type() {
	case attr.S:
		return attr.Int(int64(utf16Length(x.Str())))
	case attr.B:
		return attr.Int(int64(len(x.Str())))
	case attr.SS, attr.NS, attr.BS, attr.L, attr.M:
		return attr.Int(int64(x.Len()))
	}
	return nil
}

// utf16Length counts by lead bytes: every character is one unit, those that take four bytes in UTF-8 are two.
func utf16Length(text []byte) int {
	units := 0
	for _, c := range text {
		switch {
		case c >= 0xF0:
			units += 2
		case c < 0x80 || c >= 0xC0:
			units++
		}
	}
	return units
}
