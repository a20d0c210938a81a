package command

import (
	"encoding/binary"
	"errors"

	"stator/internal/base/wire"
	"stator/internal/model/attr"
)

// Commands, plans and what answers them have a byte form, in which they go between nodes: one buffer each, whose first byte is
// its format. What is parsed points into the buffer, which has to be left alone as long as any of it is in use.
//
// Bytes that are to be stored or evaluated are looked at before they are: they came from no disk whose checksums vouch for
// them, and would break the copy that takes them for granted. What comes back is only shown.

// ErrMalformed is the error of bytes that are not what they were taken for, or of a format that this release does not know.
var ErrMalformed = errors.New("malformed message")

// wireFormat is the first byte of every message. A new layout gets a new number.
const wireFormat byte = 1

// actionsMax bounds the parts of a transaction in one message: few bytes may stand for one, which takes many in memory.
const actionsMax = 1000

// headBytes is room for the fields of a message beside its keys and items, so that it mostly is written without a move.
const headBytes = 96

// begin reads the format.
func begin(b []byte) wire.Reader {
	r := wire.NewReader(b)
	if r.Byte() != wireFormat {
		r.Fail()
	}
	return r
}

// ended is the error of a message that does not end where it should.
func ended(r *wire.Reader) error {
	if !r.Whole() {
		return ErrMalformed
	}
	return nil
}

// sizeBytes is the length of the size of a part that is not known before it is written.
const sizeBytes = 4

// appendSized appends what write appends, behind its size.
func appendSized(dst []byte, write func(dst []byte) []byte) []byte {
	at := len(dst)
	dst = write(append(dst, make([]byte, sizeBytes)...))
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-sizeBytes))
	return dst
}

func takeSized(r *wire.Reader) []byte {
	size := r.Take(sizeBytes)
	if size == nil {
		return nil
	}
	return r.Take(int(binary.BigEndian.Uint32(size)))
}

func appendBool(dst []byte, yes bool) []byte {
	if yes {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func takeBool(r *wire.Reader) bool {
	b := r.Byte()
	if b > 1 {
		r.Fail()
	}
	return b == 1
}

// takeItem takes an item that is to be stored.
func takeItem(r *wire.Reader) attr.Map {
	item := r.Bytes()
	if len(item) > 0 && attr.CheckMap(item) != nil {
		r.Fail()
	}
	return item
}

func appendKeys(dst []byte, keys [][]byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(keys)))
	for _, key := range keys {
		dst = wire.AppendBytes(dst, key)
	}
	return dst
}

func takeKeys(r *wire.Reader) [][]byte {
	keys := many[[]byte](r, 1)
	for i := range keys {
		keys[i] = r.Bytes()
	}
	return keys
}

// many makes room for the things that follow, nil for none.
func many[T any](r *wire.Reader, bytesMin int) []T {
	count := r.Count(bytesMin)
	if count == 0 {
		return nil
	}
	return make([]T, count)
}

// few is many for things that take up little in a message and much in memory.
func few[T any](r *wire.Reader, bytesMin int) []T {
	count := r.Count(bytesMin)
	switch {
	case count > actionsMax:
		r.Fail()
		return nil
	case count == 0:
		return nil
	}
	return make([]T, count)
}
