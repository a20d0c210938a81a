package attr

import (
	"bytes"

	"github.com/go-faster/jx"
)

// Mismatch is why bytes are not the JSON of an attribute value: a SerializationException. Text is its message; "" stands
// for no message member at all, which is how DynamoDB answers JSON that cannot be parsed.
type Mismatch struct{ Text string }

// Error gives the text.
func (m *Mismatch) Error() string {
	if m.Text == "" {
		return "malformed JSON"
	}
	return m.Text
}

// malformed is every fault of the JSON's own syntax, UTF-8 included.
var malformed = &Mismatch{}

const (
	structNotExpected     = "Start of structure or map found where not expected"
	fieldNotExpected      = "Unexpected field type"
	valueNotExpected      = "Unexpected value type in payload"
	tokenNotExpected      = "Unexpected token received from parser"
	collectionNotExpected = "Unrecognized collection type "
	attributeValueClass   = "com.amazonaws.dynamodb.v20120810.AttributeValue"
	blobNotString         = "only base-64-encoded strings are convertible to bytes"
	blobNotPadded         = "Base64 encoded length is expected a multiple of 4 bytes but found: "
	blobNotCanonical      = "Invalid last non-pad Base64 character dectected"
)

// notHere gives text for the scalar d is at. The reader tells a kind by its first byte, so the scalar is read first: one
// that is not even JSON is malformed before it is misplaced.
func notHere(d *jx.Decoder, text string) error {
	if d.Skip() != nil {
		return malformed
	}
	return &Mismatch{text}
}

// notScalar says why the value d is at is no Java scalar of the given class, "String" or "Boolean".
func notScalar(d *jx.Decoder, class string) error {
	switch d.Next() {
	case jx.Number:
		text, err := d.Raw()
		if err != nil {
			return malformed
		}
		token := "NUMBER_VALUE"
		if bytes.ContainsAny(text, ".eE") {
			token = "DECIMAL_VALUE"
		}
		return &Mismatch{token + " cannot be converted to " + class}
	case jx.Bool:
		is, err := d.Bool()
		if err != nil {
			return malformed
		}
		token := "FALSE_VALUE"
		if is {
			token = "TRUE_VALUE"
		}
		return &Mismatch{token + " cannot be converted to " + class}
	case jx.Object:
		return &Mismatch{structNotExpected}
	case jx.Array:
		return &Mismatch{collectionNotExpected + "class java.lang." + class}
	default:
		return malformed
	}
}

// notBlob says why the value d is at is no base64 string.
func notBlob(d *jx.Decoder) error {
	switch d.Next() {
	case jx.Number, jx.Bool:
		return notHere(d, blobNotString)
	case jx.Object:
		return &Mismatch{structNotExpected}
	case jx.Array:
		return &Mismatch{collectionNotExpected + "class java.nio.ByteBuffer"}
	default:
		return malformed
	}
}

// notList says why the value d is at is no list.
func notList(d *jx.Decoder) error {
	switch d.Next() {
	case jx.Number, jx.Bool, jx.String, jx.Null:
		return notHere(d, fieldNotExpected)
	case jx.Object:
		return &Mismatch{structNotExpected}
	default:
		return malformed
	}
}

// notMap says why the value d is at is no map of attribute values.
func notMap(d *jx.Decoder) error {
	switch d.Next() {
	case jx.Number, jx.Bool, jx.String, jx.Null:
		return notHere(d, fieldNotExpected)
	case jx.Array:
		return &Mismatch{collectionNotExpected + "java.util.Map<java.lang.String, " + attributeValueClass + ">"}
	default:
		return malformed
	}
}

// notValue says why the value d is at is no AttributeValue structure.
func notValue(d *jx.Decoder) error {
	switch d.Next() {
	case jx.Number, jx.Bool, jx.String:
		return notHere(d, valueNotExpected)
	case jx.Array:
		return &Mismatch{collectionNotExpected + "class " + attributeValueClass}
	default:
		return malformed
	}
}
