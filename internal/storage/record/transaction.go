package record

import (
	"encoding/binary"
	"fmt"

	"stator/internal/base/wire"
)

// transactionFormat is the first byte of a transaction's record. A new layout gets a new number, and every old one stays
// readable.
const transactionFormat byte = 1

// State is how far a transaction has come.
type State byte

// The states. Only a pending one moves.
const (
	Pending State = iota + 1
	Committed
	Aborted
)

// Transaction is what is kept of a transaction: the one place that says what becomes of its locks.
type Transaction struct {
	ID    [transactionIDBytes]byte
	State State
	// Hash is of the request's parameters.
	Hash [16]byte
	// Version is the commit version, 0 unless committed.
	Version uint64
	// Millis is when it came into its state.
	Millis int64
	// Participants are the items that may be locked by it; none when one batch was all of it.
	Participants []Participant
}

// Participant is an item of a transaction: its table's id and its key suffix (package keys).
type Participant struct {
	Table  uint64
	Suffix []byte
}

// Append appends the record's bytes to dst: format ‖ state ‖ id ‖ hash ‖ version ‖ milliseconds ‖ number of participants ‖
// each one's table and suffix, the latter behind its length.
func (t *Transaction) Append(dst []byte) []byte {
	dst = append(dst, transactionFormat, byte(t.State))
	dst = append(dst, t.ID[:]...)
	dst = append(dst, t.Hash[:]...)
	dst = binary.BigEndian.AppendUint64(dst, t.Version)
	dst = binary.BigEndian.AppendUint64(dst, uint64(t.Millis))
	dst = binary.AppendUvarint(dst, uint64(len(t.Participants)))
	for _, p := range t.Participants {
		dst = binary.AppendUvarint(dst, p.Table)
		dst = wire.AppendBytes(dst, p.Suffix)
	}
	return dst
}

// ParseTransaction reads what Append wrote. Suffixes alias b. The error wraps ErrCorrupt; it never panics.
func ParseTransaction(b []byte) (Transaction, error) {
	const fixed = 2 + transactionIDBytes + 16
	if len(b) < fixed {
		return Transaction{}, fmt.Errorf("%w: a transaction of %d bytes", ErrCorrupt, len(b))
	}
	if b[0] != transactionFormat {
		return Transaction{}, fmt.Errorf("%w: a transaction of format %d, this release reads %d", ErrCorrupt, b[0], transactionFormat)
	}
	t := Transaction{
		State: State(b[1]), ID: [transactionIDBytes]byte(b[2:]), Hash: [16]byte(b[2+transactionIDBytes:]),
	}
	if t.State < Pending || t.State > Aborted {
		return Transaction{}, fmt.Errorf("%w: a transaction in state %d", ErrCorrupt, t.State)
	}
	r := wire.NewReader(b[fixed:])
	t.Version = r.Uint64()
	t.Millis = int64(r.Uint64())
	for range r.Uvarint() {
		p := Participant{Table: r.Uvarint(), Suffix: r.Part()}
		if r.Failed() {
			break
		}
		t.Participants = append(t.Participants, p)
	}
	if !r.Whole() {
		return Transaction{}, fmt.Errorf("%w: a transaction that does not end with its record", ErrCorrupt)
	}
	return t, nil
}
