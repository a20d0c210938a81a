package rpc

import (
	"encoding/binary"
	"time"

	"stator/internal/base/wire"
)

// kind is what an entry of a frame is.
type kind byte

// The kinds. Their numbers are on the wire.
const (
	kindMessage kind = iota + 1 // body: a raft message
	kindPing                    // id: the sender's incarnation
	kindPong                    // id: the answerer's incarnation
	kindCall                    // id, method, timeoutMicros, body
	kindAnswer                  // id, ending, body
	kindTraced                  // id, method, timeoutMicros, position, body: a call of which somebody records where its time goes
)

// ending is how a call ended at its handler.
type ending byte

// The endings. Their numbers are on the wire.
const (
	endingDone   ending = iota // body: the answer
	endingFailed               // body: the handler's error
	endingBusy                 // it was not begun
)

// entry is one thing of a frame. A frame is its entries, one behind the other.
type entry struct {
	kind   kind
	method byte
	ending ending
	id     uint64
	// deadline is the caller's, zero for none. What travels is the time that was left, as clocks differ.
	deadline      time.Time
	timeoutMicros uint64
	position      []byte // of a traced call in its trace
	body          []byte
	call          *call
}

// entryOverheadMax is what an entry takes beside its body: kind, four varints, one byte.
const entryOverheadMax = 2 + 4*binary.MaxVarintLen64

func (e *entry) bytesMax() int { return entryOverheadMax + len(e.position) + len(e.body) }

// append writes the entry behind dst.
func (e *entry) append(dst []byte) []byte {
	dst = append(dst, byte(e.kind))
	switch e.kind {
	case kindPing, kindPong:
		return binary.AppendUvarint(dst, e.id)
	case kindCall, kindTraced:
		dst = append(binary.AppendUvarint(dst, e.id), e.method)
		dst = binary.AppendUvarint(dst, e.timeoutMicros)
		if e.kind == kindTraced {
			dst = wire.AppendBytes(dst, e.position)
		}
	case kindAnswer:
		dst = append(binary.AppendUvarint(dst, e.id), byte(e.ending))
	}
	return wire.AppendBytes(dst, e.body)
}

// parseEntry reads the first entry of data, which it does not copy.
func parseEntry(data []byte) (e entry, rest []byte, err error) {
	r := wire.NewReader(data)
	e.kind = kind(r.Byte())
	switch e.kind {
	case kindMessage:
		e.body = r.Part()
	case kindPing, kindPong:
		e.id = r.Uvarint()
	case kindCall, kindTraced:
		e.id, e.method, e.timeoutMicros = r.Uvarint(), r.Byte(), r.Uvarint()
		if e.kind == kindTraced {
			e.position = r.Part()
		}
		e.body = r.Part()
	case kindAnswer:
		e.id, e.ending = r.Uvarint(), ending(r.Byte())
		e.body = r.Part()
		if e.ending > endingBusy {
			r.Fail()
		}
	default:
		r.Fail()
	}
	if r.Failed() {
		return entry{}, nil, errFrame
	}
	return e, r.Rest(), nil
}
