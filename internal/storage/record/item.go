// Package record is the form of the values under the store's keys: an item with its header, and a change. It does not
// know keys, nor look inside attributes.
package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"stator/internal/model/attr"
)

// ErrCorrupt is wrapped by every error of this package: the bytes were not written by it.
var ErrCorrupt = errors.New("record: corrupt")

// itemFormat is the first byte of an item. A new layout gets a new number, and every old one stays readable.
const itemFormat byte = 1

// itemHeaderBytes is format ‖ flags ‖ version ‖ size. Fixed offsets rather than varints: a version is a timestamp and
// fills its eight bytes anyway, and what only counts or skips items reads them without a loop.
const itemHeaderBytes = 1 + 1 + 8 + 4

const flagDeleted byte = 1 << 0

// Item is what lies under a data or local index key.
type Item struct {
	// Version is the hybrid logical timestamp of the write that made it.
	Version uint64
	// Size is the item's size in bytes in DynamoDB's accounting (semantics §2): stored, because scans add it up.
	Size uint32
	// Deleted marks a tombstone: reads, counts and sizes pass over it. Attributes are then usually absent.
	Deleted bool
	// Attributes is the item itself.
	Attributes attr.Map
}

// Append appends the item's bytes to dst.
func (i Item) Append(dst []byte) []byte {
	var flags byte
	if i.Deleted {
		flags |= flagDeleted
	}
	dst = append(slices.Grow(dst, itemHeaderBytes+len(i.Attributes)), itemFormat, flags)
	dst = binary.BigEndian.AppendUint64(dst, i.Version)
	dst = binary.BigEndian.AppendUint32(dst, i.Size)
	return append(dst, i.Attributes...)
}

// ItemHeadBytes is how much of an item ParseHead needs.
const ItemHeadBytes = itemHeaderBytes

// ParseHead reads the beginning of what Append wrote: the item without its attributes.
func ParseHead(b []byte) (Item, error) {
	return ParseItem(b[:min(len(b), itemHeaderBytes)])
}

// ParseItem reads what Append wrote. Attributes aliases b. The error wraps ErrCorrupt; it never panics.
func ParseItem(b []byte) (Item, error) {
	if len(b) < itemHeaderBytes {
		return Item{}, fmt.Errorf("%w: an item of %d bytes", ErrCorrupt, len(b))
	}
	if b[0] != itemFormat {
		return Item{}, fmt.Errorf("%w: an item of format %d, this release reads %d", ErrCorrupt, b[0], itemFormat)
	}
	if b[1]&^flagDeleted != 0 {
		return Item{}, fmt.Errorf("%w: an item with unknown flags %#x", ErrCorrupt, b[1])
	}
	item := Item{
		Version: binary.BigEndian.Uint64(b[2:]),
		Size:    binary.BigEndian.Uint32(b[10:]),
		Deleted: b[1]&flagDeleted != 0,
	}
	if len(b) > itemHeaderBytes {
		item.Attributes = attr.Map(b[itemHeaderBytes:len(b):len(b)])
	}
	return item, nil
}
