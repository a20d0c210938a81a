package replication

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// sums are the checksums of everything replicated, by partition and index: two copies at one index have the same bytes.
type sums struct {
	world *world
	known map[position]summed
}

type position struct{ partition, index uint64 }

type summed struct {
	sum  uint64
	node uint64
}

// sumSeed makes the sums of one process comparable: they are of no use beyond it.
var sumSeed = maphash.MakeSeed()

// sumsEvery is about how often copies are held against each other while the world goes on.
const sumsEvery = 3 * time.Second

func (s *sums) begin(w *world) { s.world, s.known = w, map[position]summed{} }

func (w *world) startSums() {
	w.start("sums", func() {
		for !w.calm {
			w.sleep(w.between(sumsEvery/2, 2*sumsEvery))
			w.fail(w.sums.take())
		}
	})
}

// take sums up every copy that is up.
func (s *sums) take() error {
	for _, n := range s.world.nodes {
		if n.over() {
			continue
		}
		for _, id := range n.partitions() {
			if err := s.compare(n, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare sums up one copy.
func (s *sums) compare(n *node, id uint64) (err error) {
	snapshot := n.engine.Snapshot()
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	index, sum, err := sumAt(snapshot, id)
	if err != nil {
		return fmt.Errorf("summing up partition %d on node %d: %w", id, n.id, err)
	}
	other, known := s.known[position{id, index}]
	if !known {
		s.known[position{id, index}] = summed{sum, n.id}
		return nil
	}
	if other.node != n.id {
		s.world.result.Compared++
	}
	if other.sum != sum {
		return fmt.Errorf("partition %d is at index %d not the same on nodes %d and %d", id, index, other.node, n.id)
	}
	return nil
}

// sumAt is the index to which a copy is performed, and the checksum of what it holds then.
func sumAt(s *engine.Snapshot, id uint64) (index, sum uint64, err error) {
	descriptor, err := descriptorOf(s, id)
	if err != nil {
		return 0, 0, err
	}
	if index, err = indexOf(s, id); err != nil {
		return 0, 0, err
	}
	var hash maphash.Hash
	hash.SetSeed(sumSeed)
	for _, span := range spans(descriptor) {
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

// The spaces of what copies have in common: those ordered by table and key, then those ordered by partition.
var (
	boundedSpaces = []keys.Space{keys.SpaceData, keys.SpaceLocalIndex, keys.SpaceLock, keys.SpaceSize, keys.SpaceTransaction}
	ownSpaces     = []keys.Space{keys.SpaceLog, keys.SpaceExpiry, keys.SpacePart}
)

// spans are all ranges of the engine that a partition's copies have in common.
func spans(d machine.Descriptor) []command.Bounds {
	var spans []command.Bounds
	for _, space := range boundedSpaces {
		lower, upper := keys.Span(space, d.Table, d.Bounds.Lower, d.Bounds.Upper)
		spans = append(spans, command.Bounds{Lower: lower, Upper: upper})
	}
	for _, space := range ownSpaces {
		lower, upper := keys.Span(space, d.Partition, nil, nil)
		spans = append(spans, command.Bounds{Lower: lower, Upper: upper})
	}
	return spans
}

func descriptorOf(s *engine.Snapshot, id uint64) (machine.Descriptor, error) {
	stored, found, err := s.Get(machine.DescriptorKey(id), nil)
	if err != nil || !found {
		return machine.Descriptor{}, errors.Join(err, fmt.Errorf("partition %d has no descriptor", id))
	}
	return machine.ParseDescriptor(stored)
}

// indexOf is the index up to which a copy has performed its group's log.
func indexOf(s *engine.Snapshot, id uint64) (uint64, error) {
	position, found, err := s.Get(keys.Part(id, "position"), nil)
	if err != nil || !found || len(position) < 2 {
		return 0, errors.Join(err, fmt.Errorf("partition %d has no position", id))
	}
	index, _ := binary.Uvarint(position[1:])
	return index, nil
}
