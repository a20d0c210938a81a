package record

import (
	"encoding/binary"
	"fmt"
	"slices"

	"stator/internal/base/wire"
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
	dst = append(slices.Grow(dst, fieldsBytesMax+len(c.Suffix)+len(c.Before)+len(c.After)), changeFormat, c.Kind, flags)
	dst = binary.BigEndian.AppendUint64(dst, c.Version)
	dst = binary.AppendUvarint(dst, c.Sequence)
	dst = binary.AppendUvarint(dst, c.Table)
	dst = wire.AppendBytes(dst, c.Suffix)
	if len(c.Before) != 0 {
		dst = wire.AppendBytes(dst, c.Before)
	}
	if len(c.After) != 0 {
		dst = wire.AppendBytes(dst, c.After)
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
	r := wire.NewReader(b[3:])
	c.Version = r.Uint64()
	c.Sequence = r.Uvarint()
	c.Table = r.Uvarint()
	c.Suffix = r.Part()
	if flags&flagBefore != 0 {
		c.Before = attr.Map(r.Part())
	}
	if flags&flagAfter != 0 {
		c.After = attr.Map(r.Part())
	}
	if left := r.Rest(); r.Failed() || len(left) != 0 {
		return Change{}, fmt.Errorf("%w: a change that ends %d bytes before its record", ErrCorrupt, len(left))
	}
	return c, nil
}
