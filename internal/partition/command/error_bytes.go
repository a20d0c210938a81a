package command

import (
	"context"
	"encoding/binary"
	"errors"

	"stator/internal/base/wire"
)

// Fault is what went wrong on another node, of which only the words came.
type Fault struct{ Text string }

func (e *Fault) Error() string { return e.Text }

// The kinds of errors that keep their meaning between nodes.
const (
	errorNone byte = iota
	errorFault
	errorRejected
	errorAmbiguous
	errorStaleRoute
	errorStaleTable
	errorNotLeader
	errorTrimmed
	errorCanceled
	errorDeadline
	errorBeyondBound
	errorUnfit
)

const (
	// causesMax is how many causes lie in each other before the rest is told by words.
	causesMax = 8
	// faultBytesMax bounds those words.
	faultBytesMax = 4096
)

// AppendError appends the bytes of an error, which is not nil, to dst: format ‖ kind ‖ what the kind has. An error of no kind,
// and the cause of one that is ambiguous, go as words: nothing that is found in what may have happened must say that it did not.
func AppendError(dst []byte, err error) []byte {
	return appendError(append(dst, wireFormat), err, 0)
}

// Certain tells whether a write that failed with err certainly did not happen. Of all that does not say so, nobody knows.
func Certain(err error) bool {
	switch kind, _ := kindOf(err); kind {
	case errorRejected, errorStaleRoute, errorStaleTable, errorNotLeader, errorBeyondBound, errorUnfit:
		return true
	}
	return false
}

// kindOf finds what an error is, whatever it is wrapped in. What is ambiguous anywhere is so altogether.
func kindOf(err error) (byte, error) {
	var ambiguous *Ambiguous
	var rejected *Rejected
	var route *StaleRoute
	var stale *StaleTable
	var leader *NotLeader
	var trimmed *Trimmed
	var beyond *BeyondBound
	var unfit *Unfit
	switch {
	case err == nil:
		return errorNone, nil
	case errors.As(err, &ambiguous):
		return errorAmbiguous, ambiguous
	case errors.As(err, &rejected):
		return errorRejected, rejected
	case errors.As(err, &route):
		return errorStaleRoute, route
	case errors.As(err, &stale):
		return errorStaleTable, stale
	case errors.As(err, &leader):
		return errorNotLeader, leader
	case errors.As(err, &trimmed):
		return errorTrimmed, trimmed
	case errors.As(err, &beyond):
		return errorBeyondBound, beyond
	case errors.As(err, &unfit):
		return errorUnfit, unfit
	case errors.Is(err, context.Canceled):
		return errorCanceled, context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return errorDeadline, context.DeadlineExceeded
	}
	return errorFault, err
}

func appendError(dst []byte, err error, depth int) []byte {
	kind, known := kindOf(err)
	if kind == errorFault || depth > causesMax {
		return appendWords(append(dst, errorFault), err)
	}
	dst = append(dst, kind)
	switch e := known.(type) { //nolint:errorlint // kindOf has unwrapped it
	case *Rejected:
		return appendError(dst, e.Cause, depth+1)
	case *Ambiguous:
		return appendWords(dst, e.Cause)
	case *StaleRoute:
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, e.Partition), e.Generation)
		return wire.AppendBytes(wire.AppendBytes(dst, e.Have.Lower), e.Have.Upper)
	case *StaleTable:
		return binary.AppendUvarint(dst, e.Have)
	case *NotLeader:
		return binary.AppendUvarint(dst, e.Hint)
	case *Trimmed:
		return binary.AppendUvarint(dst, e.First)
	case *Unfit:
		return appendWords(dst, e)
	}
	return dst
}

func appendWords(dst []byte, err error) []byte {
	text := ""
	if err != nil {
		text = err.Error()
	}
	return wire.AppendText(dst, text[:min(len(text), faultBytesMax)])
}

// ParseError reads what AppendError wrote. It is ErrMalformed if b is no error.
func ParseError(b []byte) error {
	r := begin(b)
	err := takeError(&r, 0)
	if !r.Whole() || err == nil {
		return ErrMalformed
	}
	return err
}

func takeError(r *wire.Reader, depth int) error {
	kind := r.Byte()
	if depth > causesMax && kind != errorFault {
		r.Fail()
		return nil
	}
	switch kind {
	case errorNone:
		return nil
	case errorFault:
		return &Fault{Text: r.Text()}
	case errorRejected:
		return &Rejected{Cause: takeError(r, depth+1)}
	case errorAmbiguous:
		if depth > 0 {
			r.Fail() // what was rejected did not happen
		}
		return &Ambiguous{Cause: &Fault{Text: r.Text()}}
	case errorStaleRoute:
		return &StaleRoute{Partition: r.Uvarint(), Generation: r.Uvarint(), Have: Bounds{Lower: r.Bytes(), Upper: r.Bytes()}}
	case errorStaleTable:
		return &StaleTable{Have: r.Uvarint()}
	case errorNotLeader:
		return &NotLeader{Hint: r.Uvarint()}
	case errorTrimmed:
		return &Trimmed{First: r.Uvarint()}
	case errorCanceled:
		return context.Canceled
	case errorDeadline:
		return context.DeadlineExceeded
	case errorBeyondBound:
		return &BeyondBound{}
	case errorUnfit:
		return &Unfit{Text: r.Text()}
	}
	r.Fail()
	return nil
}
