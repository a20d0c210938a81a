package session

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"stator/internal/base/wire"
)

// What a header says in words: a session that saw nothing yet, and one that saw too much to remember it.
const (
	wordNew    = "new"
	wordStrong = "strong"
)

// headerFormat is the first byte of what a header says in bytes. A new layout gets a new number.
const headerFormat byte = 1

const (
	sumBytes = 4
	// answersMax is how many answers a header may be of, headerBytesMax the longest that one has.
	answersMax     = 16
	headerBytesMax = (1 + 8 + binary.MaxVarintLen64 + partitionsMax*2*binary.MaxVarintLen64 + sumBytes + 2) / 3 * 4
)

// Why a header is refused.
var (
	// ErrMalformed is the error of a header that no answer had.
	ErrMalformed = errors.New("the session is malformed")
	// ErrForeign is the error of a header that an answer of another cluster had: what it saw is not here.
	ErrForeign = errors.New("the session is of another cluster")
)

var text = base64.RawURLEncoding.Strict()

// Parse reads a header that came to a node of a cluster, or of none, which is 0: nil if there is no header. Requests of a
// session that are under way side by side each have an answer of their own, and a client sends what all of them had, with
// commas between: the session has seen all of it.
func Parse(header []byte, cluster uint64) (*Session, error) {
	if len(header) == 0 {
		return nil, nil
	}
	s := &Session{cluster: cluster}
	answers := 0
	for one := range bytes.SplitSeq(header, []byte(",")) {
		if answers++; answers > answersMax {
			return nil, ErrMalformed
		}
		if err := s.take(bytes.TrimSpace(one)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// take adds what one answer had.
func (s *Session) take(header []byte) error {
	switch {
	case string(header) == wordNew:
		return nil
	case string(header) == wordStrong:
		s.strong = true
		return nil
	case len(header) > headerBytesMax:
		return ErrMalformed
	}
	b, err := text.AppendDecode(nil, header)
	if err != nil || len(b) < sumBytes {
		return ErrMalformed
	}
	b, sum := b[:len(b)-sumBytes], binary.BigEndian.Uint32(b[len(b)-sumBytes:])
	if crc32.ChecksumIEEE(b) != sum {
		return ErrMalformed
	}
	r := wire.NewReader(b)
	format, of, known := r.Byte(), r.Uint64(), r.Uvarint()
	for last := uint64(0); !r.Empty(); {
		p := place{partition: last + r.Uvarint(), index: r.Uvarint()}
		if p.partition <= last || p.index == 0 {
			r.Fail()
			break
		}
		s.Saw(p.partition, p.index)
		last = p.partition
	}
	switch {
	case !r.Whole() || format != headerFormat:
		return ErrMalformed
	case of != s.cluster || of == 0: // a node that is alone has no copies to tell apart
		return ErrForeign
	}
	s.Knew(known)
	return nil
}

// AppendHeader writes the header of the answer behind dst: format ‖ cluster ‖ change of the catalog ‖ of each partition how
// much its id is above the one before, and the index ‖ CRC-32 of all that, which tells that nothing was cut off.
func (s *Session) AppendHeader(dst []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.strong:
		return append(dst, wordStrong...)
	case len(s.seen) == 0:
		return append(dst, wordNew...)
	}
	b := binary.BigEndian.AppendUint64([]byte{headerFormat}, s.cluster)
	b = binary.AppendUvarint(b, s.known)
	last := uint64(0)
	for _, p := range s.seen {
		b = binary.AppendUvarint(binary.AppendUvarint(b, p.partition-last), p.index)
		last = p.partition
	}
	return text.AppendEncode(dst, binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}
