package api

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"sync"

	"stator/internal/model/attr"

	"github.com/go-faster/jx"
)

// The readers below read one value each. readPointer, readStructure, readList and readMap take a null for an absent
// value; in a list or map a null element stays a zero value, so that the constraint checks can refuse it by its path.
// Texts of mismatches: errors.json ser-*.

// object begins to read a structure. A scalar in its place is an element of a list or map here: readStructure has seen to
// members, which have another text.
func object(d *jx.Decoder, javaType string) (jx.ObjIter, error) {
	switch {
	case d.Next() == jx.Object:
		return d.ObjIter()
	case atScalar(d):
		return jx.ObjIter{}, misplaced(d, "Unexpected value type in payload")
	}
	return jx.ObjIter{}, containerMismatch(d, "class "+javaType)
}

func readPointer[T any](d *jx.Decoder, dst **T, read func(*jx.Decoder, *T) error) error {
	*dst = nil
	if d.Next() == jx.Null {
		return d.Null()
	}
	v := new(T)
	*dst = v
	return read(d, v)
}

func readStructure[T any](d *jx.Decoder, dst **T, decode func(*T, *jx.Decoder) error) error {
	*dst = nil
	switch {
	case d.Next() == jx.Null:
		return d.Null()
	case atScalar(d):
		return misplaced(d, fieldNotExpected)
	}
	v := new(T)
	*dst = v
	return decode(v, d)
}

func readList[T any](d *jx.Decoder, dst *[]T, read func(*jx.Decoder, *T) error) error {
	*dst = nil
	switch d.Next() {
	case jx.Null:
		return d.Null()
	case jx.Array:
	default:
		return containerMismatch(d, "")
	}
	elements, err := d.ArrIter()
	if err != nil {
		return err
	}
	list := []T{}
	for elements.Next() {
		var v T
		if err := readElement(d, &v, read); err != nil {
			return err
		}
		list = append(list, v)
	}
	*dst = list
	return elements.Err()
}

func readMap[T any](d *jx.Decoder, dst *map[string]T, javaType string, read func(*jx.Decoder, *T) error) error {
	*dst = nil
	switch d.Next() {
	case jx.Null:
		return d.Null()
	case jx.Object:
	default:
		return containerMismatch(d, javaType)
	}
	members, err := d.ObjIter()
	if err != nil {
		return err
	}
	entries := map[string]T{}
	for members.Next() {
		key := string(members.Key())
		var v T
		if err := readElement(d, &v, read); err != nil {
			return err
		}
		entries[key] = v
	}
	*dst = entries
	return members.Err()
}

func readElement[T any](d *jx.Decoder, dst *T, read func(*jx.Decoder, *T) error) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	return read(d, dst)
}

// readMemberValue reads an attribute value that is a structure's member, readValue one that is an element.
func readMemberValue(d *jx.Decoder, dst *attr.Value) error {
	if atScalar(d) {
		return misplaced(d, fieldNotExpected)
	}
	return readValue(d, dst)
}

func readValue(d *jx.Decoder, dst *attr.Value) error {
	*dst = nil
	if d.Next() == jx.Null {
		return d.Null()
	}
	encoded, err := collect(d, attr.DecodeValue)
	*dst = encoded
	return err
}

func readAttributes(d *jx.Decoder, dst *attr.Map) error {
	*dst = nil
	if d.Next() == jx.Null {
		return d.Null()
	}
	encoded, err := collect(d, attr.DecodeMap)
	*dst = encoded
	return err
}

// scratches are the buffers in which attributes are encoded before their size is known. Encoding straight into fresh
// memory would cost a growing buffer for every item, half of which the item would keep alive.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

// scratchBytesMax is the largest buffer that goes back to the pool: the largest item, and its encoding.
const scratchBytesMax = 1 << 20

func collect(d *jx.Decoder, decode func(*jx.Decoder, []byte) ([]byte, error)) ([]byte, error) {
	scratch := scratches.Get().(*[]byte)
	encoded, err := decode(d, (*scratch)[:0])
	if cap(encoded) <= scratchBytesMax {
		*scratch = encoded
	}
	var owned []byte
	if err == nil {
		owned = bytes.Clone(encoded)
	}
	scratches.Put(scratch)
	return owned, err
}

// readText reads a string that is a structure's member. What dst comes to point to is shared with other requests.
func readText(d *jx.Decoder, dst **string) error {
	*dst = nil
	if d.Next() == jx.Null {
		return d.Null()
	}
	text, err := stringBytes(d)
	if err == nil {
		*dst = known.of(text)
	}
	return err
}

func readString(d *jx.Decoder, dst *string) error {
	text, err := stringBytes(d)
	if err == nil {
		*dst = *known.of(text)
	}
	return err
}

// stringBytes reads a string without copying it: the bytes are part of the request's body.
func stringBytes(d *jx.Decoder) ([]byte, error) {
	if d.Next() != jx.String {
		return nil, scalarMismatch(d, "String")
	}
	return d.StrBytes()
}

func readInteger(d *jx.Decoder, dst *int64) error { return readWhole(d, dst, "Integer") }

func readLong(d *jx.Decoder, dst *int64) error { return readWhole(d, dst, "Long") }

// readWhole reads an integer. The service floors a number with a fraction; what no int64 can hold becomes the nearest
// one, which the constraint checks then refuse where there is a bound.
func readWhole(d *jx.Decoder, dst *int64, javaType string) error {
	if d.Next() != jx.Number {
		return scalarMismatch(d, javaType)
	}
	number, err := d.Num()
	if err != nil {
		return err
	}
	if v, err := strconv.ParseInt(string(number), 10, 64); err == nil {
		*dst = v
		return nil
	}
	// ParseFloat fails only for what is out of its range, and then its answer is the infinity we want.
	v, _ := strconv.ParseFloat(string(number), 64)
	switch v = math.Floor(v); {
	case v >= math.MaxInt64:
		*dst = math.MaxInt64
	case v <= math.MinInt64:
		*dst = math.MinInt64
	default:
		*dst = int64(v)
	}
	return nil
}

func readDouble(d *jx.Decoder, dst *float64) error { return readFloat(d, dst, "Double") }

func readTimestamp(d *jx.Decoder, dst *float64) error { return readFloat(d, dst, "Date") }

func readFloat(d *jx.Decoder, dst *float64, javaType string) error {
	if d.Next() != jx.Number {
		return scalarMismatch(d, javaType)
	}
	number, err := d.Num()
	if err != nil {
		return err
	}
	v, err := strconv.ParseFloat(string(number), 64)
	if err != nil {
		v = math.Copysign(math.MaxFloat64, v)
	}
	*dst = v
	return nil
}

// readBoolean also takes the strings that the service takes for booleans (semantics §1.8).
func readBoolean(d *jx.Decoder, dst *bool) error {
	switch d.Next() {
	case jx.Bool:
		v, err := d.Bool()
		*dst = v
		return err
	case jx.String:
		text, err := d.StrBytes()
		if err != nil {
			return err
		}
		switch strings.ToLower(string(text)) {
		case "true", "1", "yes":
			*dst = true
		case "false", "0", "no":
			*dst = false
		default:
			return &attr.Mismatch{Text: "Unexpected token received from parser"}
		}
		return nil
	}
	return scalarMismatch(d, "Boolean")
}

// scalarMismatch makes the error for a value that is not the scalar expected. Bytes that are no JSON value at all are a
// syntax error instead.
func scalarMismatch(d *jx.Decoder, javaType string) error {
	switch d.Next() {
	case jx.Object:
		return &attr.Mismatch{Text: "Start of structure or map found where not expected"}
	case jx.Array:
		pkg := "java.lang."
		if javaType == "Date" {
			pkg = "java.util."
		}
		return &attr.Mismatch{Text: "Unrecognized collection type class " + pkg + javaType}
	}
	token, err := tokenName(d)
	if err != nil {
		return err
	}
	return &attr.Mismatch{Text: token + " cannot be converted to " + javaType}
}

// containerMismatch makes the error for a value that is not the structure, map or list expected.
func containerMismatch(d *jx.Decoder, javaType string) error {
	switch d.Next() {
	case jx.Object:
		return &attr.Mismatch{Text: "Start of structure or map found where not expected"}
	case jx.Array:
		return &attr.Mismatch{Text: "Unrecognized collection type " + javaType}
	}
	return misplaced(d, fieldNotExpected)
}

const fieldNotExpected = "Unexpected field type"

func atScalar(d *jx.Decoder) bool {
	kind := d.Next()
	return kind == jx.String || kind == jx.Number || kind == jx.Bool
}

// misplaced makes the error for a scalar that is not the container expected, if it is JSON at all.
func misplaced(d *jx.Decoder, text string) error {
	if err := d.Skip(); err != nil {
		return err
	}
	return &attr.Mismatch{Text: text}
}

// tokenName reads a scalar and gives the service's name for its kind.
func tokenName(d *jx.Decoder) (string, error) {
	switch d.Next() {
	case jx.String:
		return "STRING_VALUE", d.Skip()
	case jx.Bool:
		v, err := d.Bool()
		if v {
			return "TRUE_VALUE", err
		}
		return "FALSE_VALUE", err
	case jx.Number:
		number, err := d.Num()
		if strings.ContainsAny(string(number), ".eE") {
			return "DECIMAL_VALUE", err
		}
		return "NUMBER_VALUE", err
	}
	return "", d.Skip()
}
