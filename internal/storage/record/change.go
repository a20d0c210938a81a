package record

import (
	"encoding/binary"
	"fmt"

	"stator/internal/model/attr"
)

// changeFormat is the first byte of a change. A new layout gets a new number, and every old one stays readable.
const changeFormat byte = 1

const (
	flagBefore byte = 1 << 0
	flagAfter  byte = 1 << 1
)

// Change is one record of a partition's change log: an item before and after a write, whatever a stream's view type.
type Change struct {
	// Sequence is its place in the partition's log.
	Sequence uint64
	// Version is the version of the write; rises for each key.
	Version uint64
	// Table is the table's id, Suffix the item's key suffix (package keys).
	Table  uint64
	Suffix []byte
	// Before and After are the item around the write; nil is no item.
	Before, After attr.Map
	// Kind tells changes of users from the system's own; its values belong to package command.
	Kind byte
}

// Append appends the change's bytes to dst: format ‖ kind ‖ flags ‖ version ‖ sequence ‖ table ‖ suffix ‖ before ‖
// after, the last three each behind its length.
func (c Change) Append(dst []byte) []byte {
	var flags byte
	if len(c.Before) != 0 {
		flags |= flagBefore
	}
	if len(c.After) != 0 {
		flags |= flagAfter
	}
	dst = append(dst, changeFormat, c.Kind, flags)
	dst = binary.BigEndian.AppendUint64(dst, c.Version)
	dst = binary.AppendUvarint(dst, c.Sequence)
	dst = binary.AppendUvarint(dst, c.Table)
	dst = appendBytes(dst, c.Suffix)
	if len(c.Before) != 0 {
		dst = appendBytes(dst, c.Before)
	}
	if len(c.After) != 0 {
		dst = appendBytes(dst, c.After)
	}
	return dst
}

// ParseChange reads what Append wrote. Suffix, Before and After alias b. The error wraps ErrCorrupt; it never panics.
func ParseChange(b []byte) (Change, error) {
	if len(b) < 3 {
		return Change{}, fmt.Errorf("%w: a change of %d bytes", ErrCorrupt, len(b))
	}
	if b[0] != changeFormat {
		return Change{}, fmt.Errorf("%w: a change of format %d, this release reads %d", ErrCorrupt, b[0], changeFormat)
	}
	flags := b[2]
	if flags&^(flagBefore|flagAfter) != 0 {
		return Change{}, fmt.Errorf("%w: a change with unknown flags %#x", ErrCorrupt, flags)
	}
	c := Change{Kind: b[1]}
	r := reader{rest: b[3:]}
	c.Version = r.uint64()
	c.Sequence = r.uvarint()
	c.Table = r.uvarint()
	c.Suffix = r.bytes()
	if flags&flagBefore != 0 {
		c.Before = attr.Map(r.bytes())
	}
	if flags&flagAfter != 0 {
		c.After = attr.Map(r.bytes())
	}
	if r.failed || len(r.rest) != 0 {
		return Change{}, fmt.Errorf("%w: a change that ends %d bytes before its record", ErrCorrupt, len(r.rest))
	}
	return c, nil
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// reader takes fields off the front of a record. After the first that is not there, all are empty and failed stays set,
// so that a decoder asks once, at its end.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) uint64() uint64 {
	if len(r.rest) < 8 {
		r.fail()
		return 0
	}
	n := binary.BigEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return n
}

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if r.failed || n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) fail() {
	r.failed = true
	r.rest = nil
}
