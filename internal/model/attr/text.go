package attr

import (
	"strconv"
)

// Text gives the value as DynamoDB's messages show it: {N:1} in "AttributeValue: {N:1}".
func (v Value) Text() string { return string(v.appendText(nil)) }

func (v Value) appendText(dst []byte) []byte {
	t := v.Type()
	if t == 0 {
		return append(dst, "{}"...)
	}
	dst = append(dst, '{')
	dst = append(dst, t.String()...)
	dst = append(dst, ':')
	switch t {
	case BOOL:
		dst = strconv.AppendBool(dst, v.Bool())
	case NULL:
		dst = append(dst, "true"...)
	case L:
		dst = append(dst, '[')
		separator := ""
		for element := range v.Elements() {
			dst = append(dst, separator...)
			dst = element.appendText(dst)
			separator = ", "
		}
		dst = append(dst, ']')
	case M:
		dst = append(dst, '{')
		separator := ""
		for name, element := range v.Map().All() {
			dst = append(dst, separator...)
			dst = append(dst, name...)
			dst = append(dst, '=')
			dst = element.appendText(dst)
			separator = ", "
		}
		dst = append(dst, '}')
	case SS, NS, BS:
		dst = append(dst, '[')
		separator := ""
		for member := range v.Elements() {
			dst = append(dst, separator...)
			dst = member.appendScalarText(dst)
			separator = ", "
		}
		dst = append(dst, ']')
	default:
		dst = v.appendScalarText(dst)
	}
	return append(dst, '}')
}

// appendScalarText appends an S or N as it is, and a B as Java shows a buffer of bytes.
func (v Value) appendScalarText(dst []byte) []byte {
	switch v.Type() {
	case N:
		return v.Number().Append(dst)
	case B:
		length := strconv.Itoa(len(v.Str()))
		dst = append(dst, "java.nio.HeapByteBuffer[pos=0 lim="...)
		dst = append(dst, length...)
		dst = append(dst, " cap="...)
		dst = append(dst, length...)
		return append(dst, ']')
	default:
		return append(dst, v.Str()...)
	}
}
