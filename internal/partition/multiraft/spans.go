package multiraft

import (
	"bytes"
	"encoding/binary"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// The spaces of what is replicated: those which are ordered by table and bounds, then those ordered by partition. Data is
// the first and the largest. Their order is that in which a snapshot travels.
var (
	boundedSpaces = [...]keys.Space{keys.SpaceData, keys.SpaceLocalIndex, keys.SpaceLock, keys.SpaceSize, keys.SpaceTransaction}
	ownSpaces     = [...]keys.Space{keys.SpaceLog, keys.SpaceExpiry, keys.SpacePart}
)

const replicatedSpaces = len(boundedSpaces) + len(ownSpaces)

// dataSpans are the rows that a partition answers for, wherever they are ordered by table and key.
func dataSpans(d machine.Descriptor) []machine.Range {
	spans := make([]machine.Range, 0, replicatedSpaces+1)
	for _, space := range boundedSpaces {
		lower, upper := keys.Span(space, d.Table, d.Bounds.Lower, d.Bounds.Upper)
		spans = append(spans, machine.Range{Lower: lower, Upper: upper})
	}
	return spans
}

// replicatedSpans are the places of all that the replicas of a partition have alike.
func replicatedSpans(d machine.Descriptor) []machine.Range {
	spans := dataSpans(d)
	for _, space := range ownSpaces {
		spans = append(spans, prefixSpan(space, d.Partition))
	}
	return spans
}

// allSpans are all places in which this node may hold something of a partition.
func allSpans(d machine.Descriptor) []machine.Range {
	return append(replicatedSpans(d), prefixSpan(keys.SpaceRaft, d.Partition))
}

func prefixSpan(space keys.Space, id uint64) machine.Range {
	lower, upper := keys.Span(space, id, nil, nil)
	return machine.Range{Lower: lower, Upper: upper}
}

func holds(s machine.Range, key []byte) bool {
	return bytes.Compare(s.Lower, key) <= 0 && bytes.Compare(key, s.Upper) < 0
}

// partitionOf reads the partition of a key of a space that is ordered by them.
func partitionOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

// joined are the bounds from the first key of either to the last.
func joined(a, b command.Bounds) command.Bounds {
	if bytes.Compare(b.Lower, a.Lower) < 0 {
		a.Lower = b.Lower
	}
	if len(b.Upper) == 0 || len(a.Upper) > 0 && bytes.Compare(b.Upper, a.Upper) > 0 {
		a.Upper = b.Upper
	}
	return a
}

func overlap(a, b command.Bounds) bool {
	return (len(b.Upper) == 0 || bytes.Compare(a.Lower, b.Upper) < 0) && (len(a.Upper) == 0 || bytes.Compare(b.Lower, a.Upper) < 0)
}
