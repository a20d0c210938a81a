package node

import (
	"encoding/binary"
	"hash/fnv"
	"slices"

	"stator/internal/partition/multiraft"
	"stator/internal/storage/keys"
)

// sum makes one number of every key and value that the copies of the partition have alike.
func (w *partitionWalk) sum() (err error) {
	d, hash := w.part.Descriptor, fnv.New64a()
	enter := func(key, value []byte) error {
		for _, b := range [][]byte{key, value} {
			_, _ = hash.Write(binary.AppendUvarint(nil, uint64(len(b)))) // a hash takes everything
			_, _ = hash.Write(b)
		}
		return nil
	}
	for _, space := range rangedByTable {
		lower, upper := keys.Span(space, d.Table, d.Bounds.Lower, d.Bounds.Upper)
		if err := scan(w.snapshot, lower, upper, enter); err != nil {
			return err
		}
	}
	for _, space := range append(slices.Clone(rangedByPartition), keys.SpacePart) {
		lower, upper := keys.Span(space, d.Partition, nil, nil)
		if err := scan(w.snapshot, lower, upper, enter); err != nil {
			return err
		}
	}
	w.report.Checksum = hash.Sum64()
	w.report.Performed, err = multiraft.Performed(engineView{w.store}, d.Partition)
	w.shared = w.shared || w.report.Performed > 0
	return err
}
