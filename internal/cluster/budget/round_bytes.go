package budget

import (
	"encoding/binary"
	"errors"
	"math"

	"stator/internal/base/wire"
	"stator/internal/model/capacity"
)

// ErrMalformed is the answer to bytes that are no question or answer between nodes.
var ErrMalformed = errors.New("asks or answers for tokens that cannot be read")

// wireFormat is the first byte of what nodes send each other.
const wireFormat = 1

// Question is a round as its keeper gets it: it knows the payer by id.
type Question struct {
	PayerID uint64
	Asks    [capacity.Kinds]Ask
}

// AppendQuestion appends the bytes of a question to dst: format ‖ payer ‖ of each kind what was spent, what is wanted, whether it is known
// what was saved, and that.
func AppendQuestion(dst []byte, q *Question) []byte {
	dst = binary.AppendUvarint(append(dst, wireFormat), q.PayerID)
	for i := range q.Asks {
		a := &q.Asks[i]
		dst = appendUnits(appendUnits(dst, a.Spent), a.Wanted)
		dst = appendUnits(wire.AppendBool(dst, a.Known), a.Saved)
	}
	return dst
}

// ParseQuestion reads what AppendQuestion wrote. The error is ErrMalformed.
func ParseQuestion(b []byte) (q Question, err error) {
	r := wire.NewReader(b)
	if r.Byte() != wireFormat {
		r.Fail()
	}
	q.PayerID = r.Uvarint()
	for i := range q.Asks {
		q.Asks[i] = Ask{Spent: takeUnits(&r), Wanted: takeUnits(&r), Known: r.Bool(), Saved: takeUnits(&r)}
		if q.Asks[i].Wanted < 0 {
			r.Fail()
		}
	}
	if !r.Whole() {
		return Question{}, ErrMalformed
	}
	return q, nil
}

// Answers are a keeper's, by kind.
type Answers [capacity.Kinds]Answer

// AppendAnswers appends the bytes of answers to dst: format ‖ of each kind what is given and what is saved.
func AppendAnswers(dst []byte, answers *Answers) []byte {
	dst = append(dst, wireFormat)
	for _, a := range answers {
		dst = appendUnits(appendUnits(dst, a.Given), a.Saved)
	}
	return dst
}

// ParseAnswers reads what AppendAnswers wrote. The error is ErrMalformed.
func ParseAnswers(b []byte) (answers Answers, err error) {
	r := wire.NewReader(b)
	if r.Byte() != wireFormat {
		r.Fail()
	}
	for i := range answers {
		answers[i] = Answer{Given: takeUnits(&r), Saved: takeUnits(&r)}
		if answers[i].Given < 0 {
			r.Fail()
		}
	}
	if !r.Whole() {
		return Answers{}, ErrMalformed
	}
	return answers, nil
}

func appendUnits(dst []byte, units float64) []byte {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(units))
}

// takeUnits takes a number of units: one that is no number would stay in every account that it is added to.
func takeUnits(r *wire.Reader) float64 {
	units := math.Float64frombits(r.Uint64())
	if math.IsNaN(units) || math.IsInf(units, 0) {
		r.Fail()
		return 0
	}
	return units
}
