package budget

import (
	"encoding/binary"
	"maps"
	"slices"

	"stator/internal/base/wire"
	"stator/internal/model/capacity"
)

// Minute is what the payers consumed and were refused in one minute of the clock on the wall, by their ids.
type Minute map[uint64]capacity.Tally

// Add adds what was counted of the same minute elsewhere, or later.
func (m Minute) Add(other Minute) {
	for id, tally := range other {
		sum := m[id]
		sum.Add(&tally)
		m[id] = sum
	}
}

// Append appends the minute's bytes to dst: format ‖ number of payers ‖ of each its id, and of each kind the units and the refusals by limit.
func (m Minute) Append(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, wireFormat), uint64(len(m)))
	for _, id := range slices.Sorted(maps.Keys(m)) {
		tally := m[id]
		dst = binary.AppendUvarint(dst, id)
		for kind := range capacity.Kinds {
			dst = appendUnits(dst, tally.Consumed[kind])
			for _, refused := range tally.Refused[kind] {
				dst = binary.AppendUvarint(dst, refused)
			}
		}
	}
	return dst
}

// minutePayerBytes is how many bytes a payer has at least.
const minutePayerBytes = 1 + int(capacity.Kinds)*(8+int(capacity.Limits))

// ParseMinute reads what Append wrote. The error is ErrMalformed.
func ParseMinute(b []byte) (Minute, error) {
	r := wire.NewReader(b)
	if r.Byte() != wireFormat {
		r.Fail()
	}
	m := Minute{}
	for range r.Count(minutePayerBytes) {
		id := r.Uvarint()
		var tally capacity.Tally
		for kind := range capacity.Kinds {
			tally.Consumed[kind] = takeUnits(&r)
			for limit := range capacity.Limits {
				tally.Refused[kind][limit] = r.Uvarint()
			}
		}
		m[id] = tally
	}
	if !r.Whole() {
		return nil, ErrMalformed
	}
	return m, nil
}
