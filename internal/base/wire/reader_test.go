package wire_test

import (
	"encoding/binary"
	"math"
	"testing"

	"stator/internal/base/wire"
)

func TestFieldsReadBack(t *testing.T) {
	message := wire.AppendBool(wire.AppendBool([]byte{7}, true), false)
	for _, n := range []uint64{0, 127, 128, math.MaxUint64} {
		message = binary.AppendUvarint(message, n)
	}
	for _, n := range []int64{0, -1, 64, math.MinInt64, math.MaxInt64} {
		message = binary.AppendVarint(message, n)
	}
	message = wire.AppendText(wire.AppendBytes(wire.AppendBytes(message, nil), []byte("bytes")), "text")
	message = wire.AppendBytes(message, nil)
	message = append(message, 2, 'a', 'b')
	message = append(binary.BigEndian.AppendUint64(message, math.MaxUint64-1), "rest"...)
	r := wire.NewReader(message)
	if got := r.Byte(); got != 7 {
		t.Errorf("byte %d", got)
	}
	if yes, no := r.Bool(), r.Bool(); !yes || no {
		t.Errorf("true is %t, false is %t", yes, no)
	}
	for _, n := range []uint64{0, 127, 128, math.MaxUint64} {
		if got := r.Uvarint(); got != n {
			t.Errorf("uvarint %d, want %d", got, n)
		}
	}
	for _, n := range []int64{0, -1, 64, math.MinInt64, math.MaxInt64} {
		if got := r.Varint(); got != n {
			t.Errorf("varint %d, want %d", got, n)
		}
	}
	if empty, some, text := r.Bytes(), r.Bytes(), r.Text(); empty != nil || string(some) != "bytes" || cap(some) != 5 || text != "text" {
		t.Errorf("bytes %q %q, text %q", empty, some, text)
	}
	if part := r.Part(); part == nil || len(part) > 0 {
		t.Errorf("part %#v", part)
	}
	if count := r.Count(1); count != 2 || string(r.Take(2)) != "ab" || r.Empty() {
		t.Errorf("count %d, empty %t", count, r.Empty())
	}
	if n, rest := r.Uint64(), r.Rest(); n != math.MaxUint64-1 || string(rest) != "rest" || !r.Empty() || !r.Whole() {
		t.Errorf("number %d, rest %q, whole %t", n, rest, r.Whole())
	}
}

// What is not there fails, and so does all that follows, though some of it might be there.
func TestWhatIsNotThere(t *testing.T) {
	long := append([]byte{1, 2}, make([]byte, 10)...)
	for name, c := range map[string]struct {
		message []byte
		take    func(*wire.Reader)
	}{
		"a byte":           {nil, func(r *wire.Reader) { r.Byte() }},
		"a uvarint":        {[]byte{0x80}, func(r *wire.Reader) { r.Uvarint() }},
		"a uvarint's end":  {[]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, func(r *wire.Reader) { r.Uvarint() }},
		"bytes":            {append([]byte{20}, long...), func(r *wire.Reader) { r.Bytes() }},
		"very many bytes":  {append(binary.AppendUvarint(nil, math.MaxUint64), long...), func(r *wire.Reader) { r.Bytes() }},
		"a number":         {long[:7], func(r *wire.Reader) { r.Uint64() }},
		"what is counted":  {append([]byte{7}, long...), func(r *wire.Reader) { r.Count(2) }},
		"more than all":    {long, func(r *wire.Reader) { r.Take(13) }},
		"less than none":   {long, func(r *wire.Reader) { r.Take(-1) }},
		"what was refused": {long, func(r *wire.Reader) { r.Fail() }},
	} {
		r := wire.NewReader(c.message)
		c.take(&r)
		if !r.Failed() || r.Whole() || r.Byte() != 0 || r.Uvarint() != 0 || r.Bytes() != nil || r.Count(1) != 0 {
			t.Errorf("%s: failed %t, whole %t", name, r.Failed(), r.Whole())
		}
	}
	r := wire.NewReader(long)
	if r.Byte(); r.Failed() || r.Whole() {
		t.Error("half a message is whole")
	}
}
