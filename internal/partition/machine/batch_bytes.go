package machine

import (
	"encoding/binary"
	"errors"
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
		dst = appendSized(appendSized(dst, r.Lower), r.Upper)
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.Writes)))
	for _, w := range b.Writes {
		dst = appendSized(dst, w.Key)
		if w.Value == nil {
			dst = append(dst, 0)
			continue
		}
		// One more than the length, so that an empty value differs from a deletion.
		dst = append(binary.AppendUvarint(dst, uint64(len(w.Value))+1), w.Value...)
	}
	return dst
}

func appendSized(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
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
	r := batchReader{rest: data[2:]}
	b.Epoch, b.Chain, b.Generation, b.Due = r.number(), r.number(), r.number(), r.number()
	b.Changes = int(r.number())
	b.Ranges = make([]Range, 0, r.count())
	for range cap(b.Ranges) {
		b.Ranges = append(b.Ranges, Range{Lower: r.sized(), Upper: r.sized()})
	}
	b.Writes = make([]Write, 0, r.count())
	for range cap(b.Writes) {
		w := Write{Key: r.sized()}
		if size := r.number(); size > 0 {
			w.Value = r.bytes(size - 1)
		}
		b.Writes = append(b.Writes, w)
	}
	if r.broken || len(r.rest) != 0 || b.Kind < Writes || b.Kind > Moves || b.Changes < 0 {
		return Batch{}, errBatch
	}
	return b, nil
}

// BatchPlace reads only where a batch stands.
func BatchPlace(data []byte) (epoch, chain uint64, ok bool) {
	if len(data) < 2 || data[0] != batchFormat {
		return 0, 0, false
	}
	r := batchReader{rest: data[2:]}
	epoch, chain = r.number(), r.number()
	return epoch, chain, !r.broken
}

// batchReader reads the parts of a batch; once one is broken all that follow are empty.
type batchReader struct {
	rest   []byte
	broken bool
}

func (r *batchReader) number() uint64 {
	n, width := binary.Uvarint(r.rest)
	if width <= 0 {
		r.broken, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[width:]
	return n
}

// count is how many things of at least two bytes follow.
func (r *batchReader) count() int {
	n := r.number()
	if n > uint64(len(r.rest))/2 {
		r.broken, r.rest = true, nil
		return 0
	}
	return int(n)
}

func (r *batchReader) sized() []byte { return r.bytes(r.number()) }

func (r *batchReader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.broken, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}
