package command

import (
	"encoding/binary"
	"slices"

	"stator/internal/base/wire"
)

// The fields of a result that are there, as bits; they follow in this order.
const (
	withSequenceAfter uint64 = 1 << iota
	withBefore
	withAfter
	withText
	withCollectionBytes
	withHeld
	withResults
	withVersion
	withPlaces
	withElsewhere
	withBeforeBytes
	withResultEnd // the first bit that is none of them
)

// AppendResult appends a result's bytes to dst: format ‖ refusal ‖ which fields are there ‖ those.
func AppendResult(dst []byte, result *Result) []byte {
	dst = slices.Grow(dst, headBytes+len(result.Before)+len(result.After))
	return appendResult(append(dst, wireFormat), result)
}

// ParseResult reads what AppendResult wrote. Items and keys point into b. The error is ErrMalformed.
func ParseResult(b []byte) (result Result, err error) {
	r := begin(b)
	takeResult(&r, &result, false)
	if err := ended(&r); err != nil {
		return Result{}, err
	}
	return result, nil
}

func appendResult(dst []byte, result *Result) []byte {
	fields := result.fields()
	dst = binary.AppendUvarint(append(dst, byte(result.Refusal)), fields)
	if fields&withSequenceAfter != 0 {
		dst = binary.AppendUvarint(dst, result.Sequence)
	}
	if fields&withBefore != 0 {
		dst = wire.AppendBytes(dst, result.Before)
	}
	if fields&withAfter != 0 {
		dst = wire.AppendBytes(dst, result.After)
	}
	if fields&withText != 0 {
		dst = wire.AppendText(dst, result.Text)
	}
	if fields&withCollectionBytes != 0 {
		dst = binary.AppendVarint(dst, result.CollectionBytes)
	}
	if fields&withHeld != 0 {
		dst = appendPlace(append(dst, result.Held.ID[:]...), result.Held.Record)
		dst = binary.AppendVarint(dst, result.Held.SinceMillis)
	}
	if fields&withResults != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(result.Results)))
		for i := range result.Results {
			dst = appendResult(dst, &result.Results[i])
		}
	}
	if fields&withVersion != 0 {
		dst = binary.AppendUvarint(dst, result.Version)
	}
	if fields&withPlaces != 0 {
		dst = appendPlaces(dst, result.Participants)
	}
	if fields&withBeforeBytes != 0 {
		dst = binary.AppendUvarint(dst, uint64(result.BeforeBytes))
	}
	return dst
}

func (result *Result) fields() (fields uint64) {
	set := func(field uint64, there bool) {
		if there {
			fields |= field
		}
	}
	set(withSequenceAfter, result.Sequence != 0)
	set(withBefore, len(result.Before) > 0)
	set(withAfter, len(result.After) > 0)
	set(withText, result.Text != "")
	set(withCollectionBytes, result.CollectionBytes != 0)
	set(withHeld, result.Held != nil)
	set(withResults, len(result.Results) > 0)
	set(withVersion, result.Version != 0)
	set(withPlaces, len(result.Participants) > 0)
	set(withElsewhere, result.Elsewhere)
	set(withBeforeBytes, result.BeforeBytes != 0)
	return fields
}

// takeResult takes a result, which has none of its own if it is that of an action.
func takeResult(r *wire.Reader, result *Result, action bool) {
	result.Refusal = Refusal(r.Byte())
	fields := r.Uvarint()
	if fields >= withResultEnd || action && fields&withResults != 0 {
		r.Fail()
	}
	if fields&withSequenceAfter != 0 {
		result.Sequence = r.Uvarint()
	}
	if fields&withBefore != 0 {
		result.Before = r.Bytes()
	}
	if fields&withAfter != 0 {
		result.After = r.Bytes()
	}
	if fields&withText != 0 {
		result.Text = r.Text()
	}
	if fields&withCollectionBytes != 0 {
		result.CollectionBytes = r.Varint()
	}
	if fields&withHeld != 0 {
		result.Held = &Held{ID: takeID(r), Record: takePlace(r), SinceMillis: r.Varint()}
	}
	if fields&withResults != 0 {
		result.Results = few[Result](r, 2)
		for i := range result.Results {
			takeResult(r, &result.Results[i], true)
		}
	}
	if fields&withVersion != 0 {
		result.Version = r.Uvarint()
	}
	if fields&withPlaces != 0 {
		result.Participants = takePlaces(r)
	}
	result.Elsewhere = fields&withElsewhere != 0
	if fields&withBeforeBytes != 0 {
		result.BeforeBytes = int(r.Uvarint())
	}
}
