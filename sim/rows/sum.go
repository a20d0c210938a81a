package rows

import (
	"errors"
	"fmt"
	"hash/maphash"

	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
	"stator/internal/storage/engine"
)

// Sums are the checksums of everything replicated, by partition and index: two copies at one index have the same bytes.
type Sums struct {
	known map[position]summed
	// Compared counts the copies that were held against another one.
	Compared int
}

type position struct{ partition, index uint64 }

type summed struct{ sum, node uint64 }

// Compare holds a node's copies of partitions against the others that were at their index.
func (s *Sums) Compare(e *engine.Engine, partitions []uint64, node uint64) error {
	for _, id := range partitions {
		snapshot := e.Snapshot()
		index, sum, err := sumAt(snapshot, id)
		if err = errors.Join(err, snapshot.Close()); err != nil {
			return fmt.Errorf("summing up partition %d on node %d: %w", id, node, err)
		}
		if err := s.compare(position{id, index}, summed{sum, node}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sums) compare(at position, own summed) error {
	other, known := s.known[at]
	if !known {
		if s.known == nil {
			s.known = map[position]summed{}
		}
		s.known[at] = own
		return nil
	}
	if other.node != own.node {
		s.Compared++
	}
	if other.sum != own.sum {
		return fmt.Errorf("partition %d is at index %d not the same on nodes %d and %d", at.partition, at.index, other.node, own.node)
	}
	return nil
}

// sumSeed makes the sums of one process comparable: they are of no use beyond it.
var sumSeed = maphash.MakeSeed()

// sumAt is the index to which a copy is performed, and the checksum of what it holds then.
func sumAt(s *engine.Snapshot, id uint64) (index, sum uint64, err error) {
	descriptor, err := machine.LoadDescriptor(s, id)
	if err != nil {
		return 0, 0, err
	}
	if index, err = indexOf(s, id); err != nil {
		return 0, 0, err
	}
	var hash maphash.Hash
	hash.SetSeed(sumSeed)
	for _, span := range Spans(descriptor) {
		it, err := s.Iter(span.Lower, span.Upper)
		if err != nil {
			return 0, 0, err
		}
		for ok := it.First(); ok; ok = it.Next() {
			value, err := it.Value()
			if err != nil {
				return 0, 0, errors.Join(err, it.Close())
			}
			maphash.WriteComparable(&hash, [2]int{len(it.Key()), len(value)})
			_, _ = hash.Write(it.Key()) // a hash takes everything
			_, _ = hash.Write(value)
		}
		if err := it.Close(); err != nil {
			return 0, 0, err
		}
	}
	return index, hash.Sum64(), nil
}

// indexOf is the index up to which a copy has performed its group's log.
func indexOf(s *engine.Snapshot, id uint64) (uint64, error) {
	index, err := multiraft.Performed(s, id)
	if err == nil && index == 0 {
		err = fmt.Errorf("partition %d has no position", id)
	}
	return index, err
}
