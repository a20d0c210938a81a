package api

import (
	"unicode/utf8"

	"stator/internal/model/attr"
)

// dumpBytesMax bounds the echo of a list or map in a message: what comes after is left out, the brackets are closed.
const dumpBytesMax = 8 << 10

// cutDump shortens a text form that began at start. JSON is written whole before: it is never longer than what the request brought.
func cutDump(dst []byte, start int) []byte {
	if len(dst)-start <= dumpBytesMax {
		return dst
	}
	end := start + dumpBytesMax
	for !utf8.RuneStart(dst[end]) {
		end--
	}
	return append(dst[:end], "..."...)
}

// dumpName begins a member of a structure whose text form began at start.
func dumpName(dst []byte, start int, name string) []byte {
	if len(dst) > start {
		dst = append(dst, ", "...)
	}
	dst = append(dst, name...)
	return append(dst, '=')
}

func dumpList[T any](dst []byte, list []T, element func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if len(dst) > dumpBytesMax {
			dst = append(dst, "..."...)
			break
		}
		dst = element(dst, v)
	}
	return append(dst, ']')
}

func dumpMap[T any](dst []byte, entries map[string]T, element func([]byte, T) []byte) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for _, key := range sortedKeys(entries) {
		if len(dst) > dumpBytesMax {
			dst = append(dst, ", ..."...)
			break
		}
		dst = dumpName(dst, start, key)
		dst = element(dst, entries[key])
	}
	return append(dst, '}')
}

func dumpAttributes(dst []byte, attributes attr.Map) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for name, value := range attributes.All() {
		if len(dst) > dumpBytesMax {
			dst = append(dst, ", ..."...)
			break
		}
		dst = dumpName(dst, start, name)
		dst = append(dst, value.Text()...)
	}
	return append(dst, '}')
}
