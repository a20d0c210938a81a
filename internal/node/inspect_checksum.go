package node

import (
	"encoding/binary"
	"hash/fnv"

	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
)

// sum makes one number of every key and value that the copies of the partition have alike.
func (w *partitionWalk) sum() (err error) {
	d, hash := w.part.Descriptor, fnv.New64a()
	length := make([]byte, 0, binary.MaxVarintLen64)
	enter := func(key, value []byte) error {
		for _, b := range [...][]byte{key, value} {
			_, _ = hash.Write(binary.AppendUvarint(length, uint64(len(b)))) // a hash takes everything
			_, _ = hash.Write(b)
		}
		return nil
	}
	for _, span := range machine.Spans(d) {
		if err := scan(w.snapshot, span.Lower, span.Upper, enter); err != nil {
			return err
		}
	}
	w.report.Checksum = hash.Sum64()
	w.report.Performed, err = multiraft.Performed(w.store, d.Partition)
	w.shared = w.shared || w.report.Performed > 0
	return err
}
