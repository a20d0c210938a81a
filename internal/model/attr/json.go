package attr

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"stator/internal/base/must"
)

// AppendJSON appends the value as DynamoDB JSON: {"S":"…"}. It writes a faulty value, which no answer ever holds, as {}.
func (v Value) AppendJSON(dst []byte) []byte {
	dst, _ = appendValueJSON(dst, v, 0)
	return dst
}

// AppendJSON appends the map as DynamoDB JSON: {"name":{"S":"…"},…}.
func (m Map) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	count, _, at := readHead(m)
	for i := range count {
		if i > 0 {
			dst = append(dst, ',')
		}
		from, to := readName(m, at)
		dst = append(dst, '"')
		dst = appendEscaped(dst, m[from:to])
		dst = append(dst, '"', ':')
		dst, at = appendValueJSON(dst, m, to)
	}
	return append(dst, '}')
}

// appendValueJSON writes the value at b[at] and gives the place after it.
func appendValueJSON(dst, b []byte, at int) ([]byte, int) {
	from, to := payload(b, at)
	switch b[at] {
	case tagFalse:
		return append(dst, `{"BOOL":false}`...), to
	case tagTrue:
		return append(dst, `{"BOOL":true}`...), to
	case tagNull:
		return append(dst, `{"NULL":true}`...), to
	case byte(M):
		dst = append(dst, `{"M":`...)
		dst = Map(b[from:to]).AppendJSON(dst)
	case byte(L):
		dst = append(dst, `{"L":[`...)
		count, _, next := readHead(b[from:to])
		for i := range count {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst, next = appendValueJSON(dst, b[from:to], next)
		}
		dst = append(dst, ']')
	case byte(SS), byte(NS), byte(BS):
		dst = append(dst, '{', '"')
		dst = append(dst, Type(b[at]).String()...)
		dst = append(dst, `":[`...)
		count, _, next := readHead(b[from:to])
		for i := range count {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst, next = appendScalarJSON(dst, b[from:to], next)
		}
		dst = append(dst, ']')
	case tagFault:
		dst = append(dst, '{')
	default:
		dst = append(dst, '{', '"', "?SNB"[b[at]&3], '"', ':')
		dst, _ = appendScalarJSON(dst, b, at)
	}
	return append(dst, '}'), to
}

// appendScalarJSON writes the payload of the S, N or B at b[at] as a JSON string and gives the place after it.
func appendScalarJSON(dst, b []byte, at int) ([]byte, int) {
	from, to := payload(b, at)
	dst = append(dst, '"')
	switch b[at] {
	case byte(S):
		dst = appendEscaped(dst, b[from:to])
	case byte(N):
		dst = Number(b[from:to]).Append(dst)
	case byte(B):
		dst = base64.StdEncoding.AppendEncode(dst, b[from:to])
	default:
		must.That(false, "attribute tag %d at %d", b[at], at)
	}
	return append(dst, '"'), to
}

// AppendJSONString appends s as a JSON string literal. Bytes that are not UTF-8 become U+FFFD.
func AppendJSONString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst = append(dst, '"')
	dst = appendEscaped(dst, []byte(s))
	return append(dst, '"')
}

// escapes tells the bytes that cannot stand for themselves in a JSON string.
var escapes = func() (table [256]bool) {
	for c := range 0x20 {
		table[c] = true
	}
	table['"'], table['\\'] = true, true
	return table
}()

// appendEscaped appends text, which is UTF-8, as the inside of a JSON string literal. Only what JSON demands is escaped:
// attributes hold UTF-8 by construction, so nothing is decoded, and runs of plain bytes are copied whole.
func appendEscaped(dst, text []byte) []byte {
	done := 0
	for at := 0; at < len(text); {
		if len(text)-at >= 8 && plain(binary.LittleEndian.Uint64(text[at:])) {
			at += 8
			continue
		}
		c := text[at]
		if !escapes[c] {
			at++
			continue
		}
		dst = append(dst, text[done:at]...)
		at++
		done = at
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, text[done:]...)
}

// plain tells that none of eight bytes needs an escape. It may err on the side of no: a borrow runs upwards from a byte
// that does need one.
func plain(word uint64) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	control := word - ones*0x20
	quote := (word ^ ones*'"') - ones
	backslash := (word ^ ones*'\\') - ones
	return (control&^word|quote&^(word^ones*'"')|backslash&^(word^ones*'\\'))&highs == 0
}
