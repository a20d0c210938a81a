package machine

import (
	"encoding/binary"
	"errors"

	"stator/internal/base/wire"
)

// batchFormat is the first byte of a batch.
const batchFormat = 1

var errBatch = errors.New("the bytes of a batch are damaged")

// AppendBatch appends the bytes in which a batch travels to other replicas. After and Child are not among them: whoever
// performs the batch reads them from its writes (see After).
func AppendBatch(dst []byte, b *Batch) []byte {
	dst = append(dst, batchFormat, byte(b.Kind))
	for _, n := range []uint64{b.Epoch, b.Chain, b.Generation, b.Due, uint64(b.Changes)} {
		dst = binary.AppendUvarint(dst, n)
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.Ranges)))
	for _, r := range b.Ranges {
		dst = wire.AppendBytes(wire.AppendBytes(dst, r.Lower), r.Upper)
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.Writes)))
	for _, w := range b.Writes {
		dst = wire.AppendBytes(dst, w.Key)
		if w.Value == nil {
			dst = append(dst, 0)
			continue
		}
		// One more than the length, so that an empty value differs from a deletion.
		dst = append(binary.AppendUvarint(dst, uint64(len(w.Value))+1), w.Value...)
	}
	return dst
}

// BatchBytes is at least the size of what AppendBatch appends.
func BatchBytes(b *Batch) int {
	n := 2 + 7*binary.MaxVarintLen64
	for _, r := range b.Ranges {
		n += len(r.Lower) + len(r.Upper) + 2*binary.MaxVarintLen32
	}
	for _, w := range b.Writes {
		n += len(w.Key) + len(w.Value) + 2*binary.MaxVarintLen32
	}
	return n
}

// ParseBatch reads a batch. Its keys and values lie in data.
func ParseBatch(data []byte) (Batch, error) {
	if len(data) < 2 || data[0] != batchFormat {
		return Batch{}, errBatch
	}
	b := Batch{Kind: Kind(data[1])}
	r := wire.NewReader(data[2:])
	b.Epoch, b.Chain, b.Generation, b.Due = r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint()
	b.Changes = int(r.Uvarint())
	b.Ranges = make([]Range, 0, r.Count(2))
	for range cap(b.Ranges) {
		b.Ranges = append(b.Ranges, Range{Lower: r.Part(), Upper: r.Part()})
	}
	b.Writes = make([]Write, 0, r.Count(2))
	for range cap(b.Writes) {
		w := Write{Key: r.Part()}
		if size := r.Uvarint(); size > 0 {
			w.Value = r.Take(int(size - 1))
		}
		b.Writes = append(b.Writes, w)
	}
	if !r.Whole() || b.Kind < Writes || b.Kind > Moves || b.Changes < 0 {
		return Batch{}, errBatch
	}
	return b, nil
}

// BatchPlace reads only where a batch stands.
func BatchPlace(data []byte) (epoch, chain uint64, ok bool) {
	if len(data) < 2 || data[0] != batchFormat {
		return 0, 0, false
	}
	r := wire.NewReader(data[2:])
	epoch, chain = r.Uvarint(), r.Uvarint()
	return epoch, chain, !r.Failed()
}
