package multiraft

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"

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
	return appendSized(appendSized(dst, h.message), descriptor), nil
}

func parseSnapshotHeader(data []byte) (*snapshotHeader, error) {
	if len(data) == 0 || data[0] != snapshotFormat {
		return nil, errHeader
	}
	r := sizedReader{rest: data[1:]}
	message, descriptor := r.next(), r.next()
	if r.broken || len(r.rest) > 0 {
		return nil, errHeader
	}
	d, err := machine.ParseDescriptor(descriptor)
	if b := d.Bounds; err != nil || len(b.Upper) > 0 && string(b.Lower) >= string(b.Upper) {
		return nil, errHeader
	}
	return &snapshotHeader{message: message, descriptor: d}, nil
}

func appendSized(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// sizedReader reads what appendSized wrote; once a part is broken all that follow are empty.
type sizedReader struct {
	rest   []byte
	broken bool
}

func (r *sizedReader) number() uint64 {
	n, width := binary.Uvarint(r.rest)
	if width <= 0 {
		r.broken, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[width:]
	return n
}

func (r *sizedReader) next() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.broken, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// chunk is one as it was read.
type chunk struct {
	kind   byte
	number uint64
	// span is that of rows, in sizedReader's form; total is how many there were at the end.
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
	r := sizedReader{rest: body[1:]}
	c.kind, c.number = body[0], r.number()
	switch {
	case c.kind == chunkRows && len(r.rest) > 0 && int(r.rest[0]) < replicatedSpaces:
		c.span, c.rows = r.rest[0], r.rest[1:]
	case c.kind == chunkEnd:
		if c.total = r.number(); len(r.rest) > 0 {
			return c, errChunk
		}
	default:
		return c, errChunk
	}
	if r.broken {
		return c, errChunk
	}
	return c, nil
}
