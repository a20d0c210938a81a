// Package wire is the byte form of a message's fields. It does not know any message.
package wire

import "encoding/binary"

// Reader takes fields off the front of a message. After the first that is not there all are empty, so that a decoder asks
// once, at its end, whether the message was whole. What it gives out points into the message, but for Text.
type Reader struct {
	rest   []byte
	failed bool
}

// NewReader returns a reader of b.
func NewReader(b []byte) Reader { return Reader{rest: b} }

// Byte takes one byte.
func (r *Reader) Byte() byte {
	if len(r.rest) == 0 {
		r.Fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// Uvarint takes what binary.AppendUvarint appended.
func (r *Reader) Uvarint() uint64 {
	if len(r.rest) > 0 && r.rest[0] < 0x80 {
		n := uint64(r.rest[0])
		r.rest = r.rest[1:]
		return n
	}
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.Fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// Varint takes what binary.AppendVarint appended.
func (r *Reader) Varint() int64 {
	n := r.Uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// Uint64 takes what binary.BigEndian.AppendUint64 appended.
func (r *Reader) Uint64() uint64 {
	if b := r.Take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Bool takes what AppendBool appended.
func (r *Reader) Bool() bool { return r.Byte() == 1 }

// Rest takes all that is left.
func (r *Reader) Rest() []byte { return r.Take(len(r.rest)) }

// Take takes n bytes.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.Fail()
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// Part takes what AppendBytes appended: not nil if that was empty.
func (r *Reader) Part() []byte { return r.Take(r.Count(1)) }

// Bytes is Part, but nil if that was empty.
func (r *Reader) Bytes() []byte {
	if b := r.Part(); len(b) > 0 {
		return b
	}
	return nil
}

// Text is Bytes as a string of its own.
func (r *Reader) Text() string { return string(r.Bytes()) }

// Count takes the number of things that follow, each of which takes up bytesMin at the least: a number for which there is
// no room was never written, and nobody makes room for it.
func (r *Reader) Count(bytesMin int) int {
	n := r.Uvarint()
	if n > uint64(len(r.rest)/bytesMin) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Fail ends the reading: what was taken cannot be.
func (r *Reader) Fail() { r.rest, r.failed = nil, true }

// Failed tells whether something was not there.
func (r *Reader) Failed() bool { return r.failed }

// Empty tells whether nothing is left to take.
func (r *Reader) Empty() bool { return len(r.rest) == 0 }

// Whole tells whether everything was there and has been taken.
func (r *Reader) Whole() bool { return !r.failed && len(r.rest) == 0 }

// AppendBool appends a byte, 1 for true.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// AppendBytes appends b behind its length.
func AppendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// AppendText appends s behind its length.
func AppendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}
