package record

import (
	"encoding/binary"
	"fmt"
	"slices"

	"stator/internal/base/wire"
	"stator/internal/model/attr"
)

// lockFormat is the first byte of a lock. A new layout gets a new number, and every old one stays readable.
const lockFormat byte = 1

// fieldsBytesMax is what a lock or a change takes at most, besides its suffix and items.
const fieldsBytesMax = 64

// transactionIDBytes is the length of a transaction's id.
const transactionIDBytes = 16

// Lock is an item's pending transactional write. Whoever meets it finds out at its record what becomes of it.
type Lock struct {
	// ID is the transaction's, Table and Suffix say where its record lies.
	ID     [transactionIDBytes]byte
	Table  uint64
	Suffix []byte
	// Kind tells what is pending; its values belong to package command.
	Kind byte
	// Millis is when the lock was made.
	Millis int64
	// Item is the item after the write, absent when it goes.
	Item attr.Map
}

// Append appends the lock's bytes to dst: format ‖ kind ‖ id ‖ milliseconds ‖ table ‖ suffix, behind its length ‖ item.
func (l Lock) Append(dst []byte) []byte {
	dst = append(slices.Grow(dst, fieldsBytesMax+len(l.Suffix)+len(l.Item)), lockFormat, l.Kind)
	dst = append(dst, l.ID[:]...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(l.Millis))
	dst = binary.AppendUvarint(dst, l.Table)
	dst = wire.AppendBytes(dst, l.Suffix)
	return append(dst, l.Item...)
}

// ParseLock reads what Append wrote. Suffix and Item alias b. The error wraps ErrCorrupt; it never panics.
func ParseLock(b []byte) (Lock, error) {
	if len(b) < 2+transactionIDBytes {
		return Lock{}, fmt.Errorf("%w: a lock of %d bytes", ErrCorrupt, len(b))
	}
	if b[0] != lockFormat {
		return Lock{}, fmt.Errorf("%w: a lock of format %d, this release reads %d", ErrCorrupt, b[0], lockFormat)
	}
	l := Lock{Kind: b[1], ID: [transactionIDBytes]byte(b[2:])}
	r := wire.NewReader(b[2+transactionIDBytes:])
	l.Millis = int64(r.Uint64())
	l.Table = r.Uvarint()
	l.Suffix = r.Part()
	if r.Failed() {
		return Lock{}, fmt.Errorf("%w: a lock that ends within its record", ErrCorrupt)
	}
	if !r.Empty() {
		l.Item = attr.Map(r.Rest())
	}
	return l, nil
}
