// Package attr is the bytes of attribute values: decoding from DynamoDB JSON, walking, comparing, sizing, writing back. It does not know items' keys, tables or expressions.
package attr

// Type is one of DynamoDB's ten attribute types; 0 is none of them (an absent or a faulty value).
type Type byte

// The types. Their numbers are part of the stored form and may not change.
const (
	S    Type = iota + 1 // string, UTF-8
	N                    // number, exact decimal of up to 38 digits
	B                    // binary
	SS                   // string set
	NS                   // number set
	BS                   // binary set
	M                    // map
	L                    // list
	BOOL                 // boolean
	NULL                 // null
)

var typeNames = [...]string{"", "S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL"}

// String gives the type's name in the API: "S", "NS", "BOOL"; "" for 0.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return ""
}

// element gives the type of a set's members, 0 when t is no set.
func (t Type) element() Type {
	switch t {
	case SS, NS, BS:
		return t - SS + S
	default:
		return 0
	}
}

// A value is one tag byte, and for all but BOOL and NULL a uvarint length and a payload of that length:
//
//	S, B         the bytes
//	N            a Number (number.go)
//	SS, NS, BS   a head and the members, each a value of its own, ascending by payload
//	L            a head and the elements
//	M            a Map: a head and the entries (uvarint name length, name, value), ascending by name
//	fault        one code byte and the text it is about (fault.go)
//
// A head is uvarint(count<<1 | faulty), and when faulty the uvarint position of the child to blame. Equal values have
// equal bytes, so equality and change detection are bytes.Equal. Uvarints rather than fixed four-byte lengths: most
// payloads are short, and items are stored and replicated far more often than they are decoded.
//
// A tag is the Type where one suffices; BOOL has one for false and one for true so that it needs no payload.
const (
	tagFalse = byte(BOOL)
	tagNull  = byte(NULL)
	tagTrue  = byte(NULL) + 1
	tagFault = byte(NULL) + 2
)

var tagTypes = [256]Type{
	byte(S): S, byte(N): N, byte(B): B, byte(SS): SS, byte(NS): NS, byte(BS): BS, byte(M): M, byte(L): L,
	tagFalse: BOOL, tagNull: NULL, tagTrue: BOOL,
}

// DepthMax is how many levels a document value may have: 31 containers around a leaf (semantics.md §4).
const DepthMax = 32
