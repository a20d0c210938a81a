package command

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"stator/internal/base/wire"
)

// The parts of the commands that jobs give.

func appendEntries(dst []byte, entries []Entry) []byte {
	size := 0
	for i := range entries {
		size += headBytes + len(entries[i].Key) + len(entries[i].Item)
	}
	dst = binary.AppendUvarint(slices.Grow(dst, size), uint64(len(entries)))
	for i := range entries {
		dst = wire.AppendBytes(dst, entries[i].Key)
		dst = binary.AppendUvarint(dst, entries[i].Version)
		dst = wire.AppendBytes(dst, entries[i].Item)
	}
	return dst
}

func takeEntries(r *wire.Reader) []Entry {
	entries := many[Entry](r, 3)
	for i := range entries {
		entries[i] = Entry{Key: r.Bytes(), Version: r.Uvarint(), Item: takeItem(r)}
	}
	return entries
}

func appendBackfill(dst []byte, b *Backfill) []byte {
	dst = binary.AppendUvarint(appendBool(dst, b.Done), b.Since)
	return binary.AppendVarint(wire.AppendBytes(dst, b.After), b.Items)
}

func takeBackfill(r *wire.Reader) Backfill {
	return Backfill{Done: takeBool(r), Since: r.Uvarint(), After: r.Bytes(), Items: r.Varint()}
}

// appendStats appends statistics, the local indexes in the order of their ordinals.
func appendStats(dst []byte, s *Stats) []byte {
	dst = binary.AppendVarint(binary.AppendVarint(dst, s.Items), s.Bytes)
	dst = binary.AppendUvarint(dst, uint64(len(s.Local)))
	for _, ordinal := range slices.Sorted(maps.Keys(s.Local)) {
		dst = binary.AppendUvarint(dst, uint64(ordinal))
		dst = binary.AppendVarint(binary.AppendVarint(dst, s.Local[ordinal].Items), s.Local[ordinal].Bytes)
	}
	return dst
}

func takeStats(r *wire.Reader) Stats {
	s := Stats{Items: r.Varint(), Bytes: r.Varint()}
	count := r.Count(3)
	if count > 0 {
		s.Local = map[uint32]Tally{}
	}
	for i := 0; i < count && !r.Failed(); i++ {
		s.Local[takeOrdinal(r)] = Tally{Items: r.Varint(), Bytes: r.Varint()}
	}
	if len(s.Local) != count {
		r.Fail()
	}
	return s
}

// takeOrdinal takes the ordinal of a local index.
func takeOrdinal(r *wire.Reader) uint32 {
	n := r.Uvarint()
	if n > math.MaxUint32 {
		r.Fail()
	}
	return uint32(n)
}
