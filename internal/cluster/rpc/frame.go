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
	kindPart                    // parcel, offset, size, body: some of what is the body of a larger entry, see parcel.go
	kindEnd                     // parcel, then the entry, whose body is the end of what the parts began
	kindVoid                    // parcel: its end will not come
)

// formOfParts is the form of frames that has the last three kinds. A node says in its hello up to which form it reads; one
// that says nothing reads formWhole.
const (
	formWhole = iota + 1
	formOfParts
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
	// lane is not on the wire: entries of one lane stay in order. Those of lane 0 may overtake and be overtaken.
	lane uint64
	// parcel is the number of the larger entry that this one is part of, or the end of; 0 is a whole one. A part has its place in
	// the body, and the size of all of that.
	parcel, offset, size uint64
}

// entryOverheadMax is what an entry takes beside its body: two kinds, five varints, one byte.
const entryOverheadMax = 3 + 5*binary.MaxVarintLen64

// ends tells whether an entry of this kind may be the end of a parcel.
func (k kind) ends() bool {
	return k == kindMessage || k == kindCall || k == kindTraced || k == kindAnswer
}

func (e *entry) bytesMax() int { return entryOverheadMax + len(e.position) + len(e.body) }

// append writes the entry behind dst.
func (e *entry) append(dst []byte) []byte {
	if e.parcel > 0 && e.kind.ends() {
		dst = binary.AppendUvarint(append(dst, byte(kindEnd)), e.parcel)
	}
	dst = append(dst, byte(e.kind))
	switch e.kind {
	case kindVoid:
		return binary.AppendUvarint(dst, e.parcel)
	case kindPart:
		dst = binary.AppendUvarint(dst, e.parcel)
		dst = binary.AppendUvarint(dst, e.offset)
		dst = binary.AppendUvarint(dst, e.size)
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
	if e.kind >= kindPart {
		if e.parcel = r.Uvarint(); e.parcel == 0 {
			r.Fail()
		}
	}
	if e.kind == kindEnd {
		if e.kind = kind(r.Byte()); !e.kind.ends() {
			r.Fail()
		}
	}
	switch e.kind {
	case kindMessage:
		e.body = r.Part()
	case kindVoid:
	case kindPart:
		e.offset, e.size = r.Uvarint(), r.Uvarint()
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
