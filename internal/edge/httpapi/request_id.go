package httpapi

import (
	"fmt"
	"io"
	"sync/atomic"
)

// RequestID is the value of x-amzn-RequestId: 52 upper-case letters and digits (semantics §1.3).
type RequestID [52]byte

const (
	idAlphabet   = "0123456789ABCDEFGHIJKLMNOPQRSTUV" // 32 characters: five bits each
	idTail       = "AAJG"                             // the service's identifiers end so
	idDigits     = 13                                 // of the counter: 65 bits
	idPrefixSize = len(RequestID{}) - idDigits - len(idTail)
)

// RequestIDs issues identifiers that do not repeat: a prefix drawn once, then a counter. They name requests and are no
// secret, so nothing is gained by drawing each of them.
type RequestIDs struct {
	prefix [idPrefixSize]byte
	last   atomic.Uint64
}

// NewRequestIDs draws the prefix from random.
func NewRequestIDs(random io.Reader) (*RequestIDs, error) {
	ids := &RequestIDs{}
	if _, err := io.ReadFull(random, ids.prefix[:]); err != nil {
		return nil, fmt.Errorf("drawing a prefix for request identifiers: %w", err)
	}
	for i, b := range ids.prefix {
		ids.prefix[i] = idAlphabet[b%32]
	}
	return ids, nil
}

// Next issues an identifier.
func (ids *RequestIDs) Next() (id RequestID) {
	n := ids.last.Add(1)
	copy(id[:], ids.prefix[:])
	for i := idPrefixSize + idDigits - 1; i >= idPrefixSize; i-- {
		id[i] = idAlphabet[n%32]
		n /= 32
	}
	copy(id[idPrefixSize+idDigits:], idTail)
	return id
}
