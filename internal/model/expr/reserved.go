package expr

import (
	_ "embed"
	"strings"
)

// The words DynamoDB does not accept as bare attribute names: upper case, one a line (semantics §8.4).
//
//go:embed reserved_words.txt
var reservedText string

var reserved = func() map[string]struct{} {
	words := strings.Fields(reservedText)
	set := make(map[string]struct{}, len(words))
	for _, word := range words {
		set[word] = struct{}{}
	}
	return set
}()

// No reserved word is longer, so longer names need no look-up.
const reservedBytesMax = 32

// isReserved compares without regard to case.
func isReserved(name string) bool {
	if len(name) > reservedBytesMax {
		return false
	}
	var upper [reservedBytesMax]byte
	for i := range len(name) {
		upper[i] = upperASCII(name[i])
	}
	_, found := reserved[string(upper[:len(name)])]
	return found
}

func upperASCII(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}
