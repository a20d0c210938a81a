package multiraft

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"

	"stator/internal/base/wire"
	"stator/internal/partition/machine"
)

// A snapshot travels as a header and chunks. The header is
//
//	format · size, message · size, descriptor (JSON)
//
// where the message is raft's, in its envelope, and says position and members; a chunk is
//
//	kind · number of the chunk · content · CRC-32C of all before it
//
// whose content is, of rows, the number of their span and then size, key, size, value of each; of the end, how many rows
// there were.
const (
	snapshotFormat = 1

	chunkRows byte = 1
	chunkEnd  byte = 2

	// chunkBytesMax ends a chunk; the one row that goes past it goes too.
	chunkBytesMax = 1 << 20
)

var (
	errHeader = errors.New("the header of a snapshot is damaged")
	errChunk  = errors.New("a chunk of a snapshot is damaged or out of order")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// snapshotHeader is what a receiver knows before the first row.
type snapshotHeader struct {
	message    []byte
	descriptor machine.Descriptor
}

func (h *snapshotHeader) append(dst []byte) ([]byte, error) {
	descriptor, err := json.Marshal(h.descriptor)
	if err != nil {
		return nil, err
	}
	dst = append(dst, snapshotFormat)
	return wire.AppendBytes(wire.AppendBytes(dst, h.message), descriptor), nil
}

func parseSnapshotHeader(data []byte) (*snapshotHeader, error) {
	if len(data) == 0 || data[0] != snapshotFormat {
		return nil, errHeader
	}
	r := wire.NewReader(data[1:])
	message, descriptor := r.Part(), r.Part()
	if !r.Whole() {
		return nil, errHeader
	}
	d, err := machine.ParseDescriptor(descriptor)
	if b := d.Bounds; err != nil || len(b.Upper) > 0 && string(b.Lower) >= string(b.Upper) {
		return nil, errHeader
	}
	return &snapshotHeader{message: message, descriptor: d}, nil
}

// chunk is one as it was read.
type chunk struct {
	kind   byte
	number uint64
	// span is that of rows; total is how many there were at the end.
	span  byte
	rows  []byte
	total uint64
}

// beginChunk appends what comes before the rows of a span.
func beginChunk(dst []byte, number uint64, spanNumber int) []byte {
	return append(binary.AppendUvarint(append(dst, chunkRows), number), byte(spanNumber))
}

// endChunk appends the last chunk but for its sum.
func endChunk(dst []byte, number, total uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(append(dst, chunkEnd), number), total)
}

func appendSum(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func parseChunk(data []byte) (c chunk, err error) {
	if len(data) < 1+4 {
		return c, errChunk
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return c, errChunk
	}
	r := wire.NewReader(body)
	c.kind, c.number = r.Byte(), r.Uvarint()
	switch c.kind {
	case chunkRows:
		c.span, c.rows = r.Byte(), r.Rest()
	case chunkEnd:
		c.total = r.Uvarint()
	default:
		return c, errChunk
	}
	if !r.Whole() || int(c.span) >= replicatedSpaces {
		return c, errChunk
	}
	return c, nil
}
