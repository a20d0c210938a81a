package multiraft

import (
	"bytes"
	"encoding/binary"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// replicatedSpaces is how many spans a snapshot has.
const replicatedSpaces = len(keys.ByTable) + len(keys.ByPartition)

// allSpans are all places in which this node may hold something of a partition.
func allSpans(d machine.Descriptor) []machine.Range {
	return append(machine.Spans(d), machine.Whole(keys.SpaceRaft, d.Partition))
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
