package attr

import (
	"bytes"

	"github.com/go-faster/jx"
)

// decodeSet reads the members of an SS, NS or BS. A set is lawful as a whole or is itself the faulty value, for its
// members are no AttributeValues that could be blamed.
func decodeSet(d *jx.Decoder, dst []byte, t Type) ([]byte, error) {
	if d.Next() != jx.Array {
		return dst, notList(d)
	}
	members, err := d.ArrIter()
	if err != nil {
		return dst, malformed
	}
	at := len(dst)
	dst = append(dst, byte(t), 0, 0)
	var inline [partsInline]part
	parts := inline[:0]
	ordered := true
	var blamed Value
	for members.Next() {
		from := len(dst)
		if dst, err = decodeMember(d, dst, t.element(), 0); err != nil {
			return dst, err
		}
		if len(dst) == from {
			dst = appendFault(dst, nullMember(t), nil)
		}
		if member := Value(dst[from:]); member.faulty() {
			if blamed == nil {
				blamed = Value(append([]byte(nil), member...))
			}
			dst = dst[:from]
			continue
		}
		start, end := payload(dst, from)
		parts = append(parts, part{prefix: prefix(dst[start:end]), at: uint32(from), end: uint32(end)})
		if n := len(parts); ordered && n > 1 {
			ordered = key(payload).compare(dst, parts[n-2], parts[n-1]) < 0
		}
	}
	switch {
	case members.Err() != nil:
		return dst, malformed
	case blamed != nil:
		return append(dst[:at], blamed...), nil
	case len(parts) == 0:
		return appendFault(dst[:at], faultStringSetEmpty+fault(t-SS), nil), nil
	case ordered:
		return sealValue(dst, at, len(parts), lawful), nil
	case key(payload).sort(dst, parts):
		return appendTwins(dst, at, t), nil
	}
	return sealValue(arrange(dst, at+3, parts), at, len(parts), lawful), nil
}

// nullMember is the fault of a set of type t that has null for a member. A set of strings has words of its own.
func nullMember(t Type) fault {
	if t == SS {
		return faultStringSetNull
	}
	return faultEmpty
}

// appendTwins replaces the set at dst[at], whose members still lie there as the request has them, by the fault of a set
// that names a member twice.
func appendTwins(dst []byte, at int, t Type) []byte {
	if t == NS {
		return appendFault(dst[:at], faultNumberSetTwins, nil)
	}
	members := bytes.Clone(dst[at+3:])
	if t == SS {
		return appendFault(dst[:at], faultStringSetTwins, members)
	}
	return appendFault(dst[:at], faultBinarySetTwins, members)
}
