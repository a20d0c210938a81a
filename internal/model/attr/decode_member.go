package attr

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// decodeMember reads what a structure's member of type t holds and appends the value; nothing for null.
func decodeMember(d *jx.Decoder, dst []byte, t Type, level int) ([]byte, error) {
	kind := d.Next()
	switch {
	case kind == jx.Null:
		if d.Null() != nil {
			return dst, malformed
		}
		return dst, nil
	case t == B && kind != jx.String:
		return dst, notBlob(d)
	case t <= N && kind != jx.String:
		return dst, notScalar(d, "String")
	}
	switch t {
	case S:
		return decodeString(d, dst)
	case N:
		return decodeNumber(d, dst)
	case B:
		return decodeBinary(d, dst)
	case SS, NS, BS:
		return decodeSet(d, dst, t)
	case L:
		return decodeList(d, dst, level)
	case M:
		return decodeDocument(d, dst, level)
	case BOOL:
		is, err := decodeBool(d)
		if is {
			return append(dst, tagTrue), err
		}
		return append(dst, tagFalse), err
	default:
		is, err := decodeBool(d)
		if !is {
			return appendFault(dst, faultNullFalse, nil), err
		}
		return append(dst, tagNull), err
	}
}

// decodeString lets the reader write the text straight into dst: an escaped text would else be allocated, and moving up
// a long one to make place for its length costs less than that.
func decodeString(d *jx.Decoder, dst []byte) ([]byte, error) {
	at := len(dst)
	dst, err := d.StrAppend(append(dst, byte(S), 0))
	if err != nil || !utf8.Valid(dst[at+2:]) {
		return dst, malformed
	}
	return sealText(dst, at), nil
}

func decodeNumber(d *jx.Decoder, dst []byte) ([]byte, error) {
	text, err := d.StrBytes()
	if err != nil || !utf8.Valid(text) {
		return dst, malformed
	}
	at := len(dst)
	dst, f := appendNumber(append(dst, byte(N), 0), alias(text))
	switch f {
	case noFault:
		return sealText(dst, at), nil
	case faultNotNumeric, faultOverflowFar, faultUnderflowFar:
		return appendFault(dst[:at], f, text), nil
	default:
		return appendFault(dst[:at], f, nil), nil
	}
}

// blobEncoding refuses pad bits that are not zero. It passes over line ends, which decodeBinary then refuses.
var blobEncoding = base64.StdEncoding.Strict()

func decodeBinary(d *jx.Decoder, dst []byte) ([]byte, error) {
	text, err := d.StrBytes()
	if err != nil || !utf8.Valid(text) {
		return dst, malformed
	}
	if len(text)%4 != 0 {
		return dst, &Mismatch{blobNotPadded + strconv.Itoa(len(text))}
	}
	pads := 0
	for pads < 2 && pads < len(text) && text[len(text)-1-pads] == '=' {
		pads++
	}
	dst = append(dst, byte(B))
	dst = appendLength(dst, len(text)/4*3-pads)
	from := len(dst)
	dst, err = blobEncoding.AppendDecode(dst, text)
	if err != nil || len(dst)-from != len(text)/4*3-pads {
		return dst, &Mismatch{blobNotCanonical}
	}
	return dst, nil
}

// decodeBool reads a boolean, or one of the strings that DynamoDB takes for one (semantics.md §1.8).
func decodeBool(d *jx.Decoder) (bool, error) {
	switch d.Next() {
	case jx.Bool:
		is, err := d.Bool()
		if err != nil {
			return false, malformed
		}
		return is, nil
	case jx.String:
		text, err := d.StrBytes()
		if err != nil || !utf8.Valid(text) {
			return false, malformed
		}
		switch string(bytes.ToLower(text[:min(len(text), len("false")+1)])) {
		case "true", "yes", "1":
			return true, nil
		case "false", "no", "0":
			return false, nil
		}
		return false, &Mismatch{tokenNotExpected}
	default:
		return false, notScalar(d, "Boolean")
	}
}

// decodeDocument reads the map of an M that is at the given level.
func decodeDocument(d *jx.Decoder, dst []byte, level int) ([]byte, error) {
	if d.Next() != jx.Object {
		return dst, notMap(d)
	}
	at := len(dst)
	dst, count, blamed, err := decodeEntries(d, append(dst, byte(M), 0, 0), level+1)
	if err != nil {
		return dst, err
	}
	return sealValue(dst, at, count, blamed), nil
}

// decodeList reads the elements of an L that is at the given level.
func decodeList(d *jx.Decoder, dst []byte, level int) ([]byte, error) {
	if d.Next() != jx.Array {
		return dst, notList(d)
	}
	elements, err := d.ArrIter()
	if err != nil {
		return dst, malformed
	}
	at := len(dst)
	dst = append(dst, byte(L), 0, 0)
	count, blamed := 0, lawful
	for elements.Next() {
		element := len(dst)
		if dst, err = decodeValue(d, dst, level+1); err != nil {
			return dst, err
		}
		if blamed == lawful && Value(dst[element:]).faulty() {
			blamed = count
		}
		count++
	}
	if elements.Err() != nil {
		return dst, malformed
	}
	return sealValue(dst, at, count, blamed), nil
}
