package attr

import (
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// DecodeValue reads one AttributeValue and appends it to dst. The error is always a *Mismatch. What is well-formed and
// yet unlawful is appended as a faulty value.
func DecodeValue(d *jx.Decoder, dst []byte) ([]byte, error) {
	return decodeValue(d, dst, 1)
}

// DecodeMap reads one map of attribute values and appends it to dst as a Map. Of equal names the last counts. Errors are
// as DecodeValue's.
func DecodeMap(d *jx.Decoder, dst []byte) ([]byte, error) {
	if d.Next() != jx.Object {
		return dst, notMap(d)
	}
	at := len(dst)
	dst, count, blamed, err := decodeEntries(d, append(dst, 0), 1)
	if err != nil {
		return dst, err
	}
	return sealMap(dst, at, count, blamed), nil
}

// decodeEntries reads an object of attribute values, which are at the given level, and appends its entries in order.
func decodeEntries(d *jx.Decoder, dst []byte, level int) (_ []byte, count, blamed int, _ error) {
	object, err := d.ObjIter()
	if err != nil {
		return dst, 0, 0, malformed
	}
	start := len(dst)
	var inline [partsInline]part
	parts := inline[:0]
	ordered, faulty := true, false
	for object.Next() {
		name := object.Key()
		if !utf8.Valid(name) {
			return dst, 0, 0, malformed
		}
		at := len(dst)
		dst = appendLength(dst, len(name))
		dst = append(dst, name...)
		p := part{prefix: prefix(name), at: uint32(at)}
		value := len(dst)
		if dst, err = decodeValue(d, dst, level); err != nil {
			return dst, 0, 0, err
		}
		p.end = uint32(len(dst))
		if n := len(parts); ordered && n > 0 {
			ordered = key(readName).compare(dst, parts[n-1], p) < 0
		}
		parts = append(parts, p)
		faulty = faulty || Value(dst[value:]).faulty()
	}
	if object.Err() != nil {
		return dst, 0, 0, malformed
	}
	if !ordered {
		if key(readName).sort(dst, parts) {
			parts = key(readName).lastOfTwins(dst, parts)
		}
	}
	blamed = lawful
	if faulty {
		blamed = firstFaulty(dst, parts)
	}
	if !ordered {
		dst = arrange(dst, start, parts)
	}
	return dst, len(parts), blamed, nil
}

// firstFaulty gives the position of the faulty entry that came first in the request, which is where it lies in dst.
func firstFaulty(dst []byte, parts []part) int {
	blamed := lawful
	for i, p := range parts {
		_, value := readName(dst, int(p.at))
		if Value(dst[value:p.end]).faulty() && (blamed == lawful || p.at < parts[blamed].at) {
			blamed = i
		}
	}
	return blamed
}

// decodeValue reads one AttributeValue at the given level, 1 for an attribute's own.
func decodeValue(d *jx.Decoder, dst []byte, level int) ([]byte, error) {
	switch d.Next() {
	case jx.Object:
	case jx.Null:
		if d.Null() != nil {
			return dst, malformed
		}
		return appendFault(dst, faultEmpty, nil), nil
	default:
		return dst, notValue(d)
	}
	if level > DepthMax {
		return appendFault(dst, faultNesting, nil), Skip(d)
	}
	members, err := d.ObjIter()
	if err != nil {
		return dst, malformed
	}
	start := len(dst)
	t := Type(0)
	for members.Next() {
		next := typeNamed(members.Key())
		if next == 0 {
			if err := Skip(d); err != nil {
				return dst, err
			}
			continue
		}
		if t != 0 {
			return decodeRivals(d, dst, rivals{members: &members, start: start, first: t, next: next, level: level})
		}
		if dst, err = decodeMember(d, dst, next, level); err != nil {
			return dst, err
		}
		if len(dst) > start {
			t = next
		}
	}
	if members.Err() != nil {
		return dst, malformed
	}
	if t == 0 {
		return appendFault(dst, faultEmpty, nil), nil
	}
	return dst, nil
}

// typeNamed gives the type whose API name is name, 0 if none.
func typeNamed(name []byte) Type {
	switch string(name) {
	case "S":
		return S
	case "N":
		return N
	case "B":
		return B
	case "M":
		return M
	case "L":
		return L
	case "BOOL":
		return BOOL
	case "NULL":
		return NULL
	case "SS":
		return SS
	case "NS":
		return NS
	case "BS":
		return BS
	default:
		return 0
	}
}

// rivals is a structure in which a second type member was met after first, whose value lies in dst[start:].
type rivals struct {
	members     *jx.ObjIter
	start       int
	first, next Type
	level       int
}

// decodeRivals reads on where a structure has more than one type member. A member given twice, or again as null,
// replaces itself; what is then left has one type, or is at fault: a faulty member is reported before their number.
func decodeRivals(d *jx.Decoder, dst []byte, r rivals) ([]byte, error) {
	var spans [NULL + 1]struct{ from, to int }
	spans[r.first].from, spans[r.first].to = r.start, len(dst)
	for t, more := r.next, true; more; {
		if t == 0 {
			if err := Skip(d); err != nil {
				return dst, err
			}
		} else {
			from := len(dst)
			var err error
			if dst, err = decodeMember(d, dst, t, r.level); err != nil {
				return dst, err
			}
			spans[t].from, spans[t].to = from, len(dst)
		}
		if more = r.members.Next(); more {
			t = typeNamed(r.members.Key())
		}
	}
	if r.members.Err() != nil {
		return dst, malformed
	}
	var sole Value
	count := 0
	for _, span := range spans {
		if span.from == span.to {
			continue
		}
		count++
		if sole = Value(dst[span.from:span.to]); sole.faulty() {
			count = 1
			break
		}
	}
	switch count {
	case 0:
		return appendFault(dst[:r.start], faultEmpty, nil), nil
	case 1:
		return append(dst[:r.start], sole...), nil
	default:
		return appendFault(dst[:r.start], faultMulti, nil), nil
	}
}
