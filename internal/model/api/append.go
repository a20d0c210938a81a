package api

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"stator/internal/model/attr"
)

// closeObject ends the object whose members, each with a leading comma, were appended from start on.
func closeObject(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{'
	return append(dst, '}')
}

func appendList[T any](dst []byte, list []T, element func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = element(dst, v)
	}
	return append(dst, ']')
}

// appendMap writes the entries by key, so that equal answers have equal bytes.
func appendMap[T any](dst []byte, entries map[string]T, element func([]byte, T) []byte) []byte {
	dst = append(dst, '{')
	for i, key := range sortedKeys(entries) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = attr.AppendJSONString(dst, key)
		dst = append(dst, ':')
		dst = element(dst, entries[key])
	}
	return append(dst, '}')
}

func sortedKeys[T any](entries map[string]T) []string {
	return slices.Sorted(maps.Keys(entries))
}

// appendDouble writes a double as the service does: never with an exponent, and whole numbers with one decimal.
func appendDouble(dst []byte, v float64) []byte {
	dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	if v == math.Trunc(v) {
		dst = append(dst, '.', '0')
	}
	return dst
}

// appendTimestamp writes epoch seconds as a plain decimal with at most three decimals. A float64 of today's seconds has
// digits beyond the microsecond that mean nothing.
func appendTimestamp(dst []byte, seconds float64) []byte {
	if math.Abs(seconds) < 1e12 {
		seconds = math.Round(seconds*1000) / 1000
	}
	return strconv.AppendFloat(dst, seconds, 'f', -1, 64)
}
