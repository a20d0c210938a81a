package machine

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"stator/internal/base/wire"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// The names of the records of space part, each replaced whole. Only applied moves with every batch, so it alone is
// compact; the others are JSON for whoever inspects a store.
const (
	nameApplied    = "applied"
	nameBackfills  = "backfills"
	nameCursors    = "cursors"
	nameDescriptor = "descriptor"
	nameExpiry     = "expiry"
	nameShards     = "shards"
	nameStreams    = "streams"
	nameTable      = "table"
)

// appliedFormat is the first byte of the applied record. The first format has no locks at its end, and no size of what
// indexes have not seen: they were the log's only readers.
const (
	appliedFormat      = 2
	appliedFormatFirst = 1
)

// appliedBytesUsual is about the size of the record of a table without local indexes.
const appliedBytesUsual = 64

// DescriptorKey is the engine key of a partition's descriptor: a read looks at it through its own snapshot.
func DescriptorKey(partition uint64) []byte { return keys.Part(partition, nameDescriptor) }

func (a Applied) append(dst []byte) []byte {
	dst = append(slices.Grow(dst, appliedBytesUsual), appliedFormat)
	for _, n := range []uint64{a.Epoch, a.Chain, a.Sequence, a.First, a.VersionMax, a.LastDelete} {
		dst = binary.AppendUvarint(dst, n)
	}
	for _, n := range []int64{a.LogBytes, a.UnfedBytes, a.Stats.Items, a.Stats.Bytes} {
		dst = binary.AppendVarint(dst, n)
	}
	dst = binary.AppendUvarint(dst, uint64(len(a.Stats.Local)))
	for _, index := range slices.Sorted(maps.Keys(a.Stats.Local)) {
		tally := a.Stats.Local[index]
		dst = binary.AppendUvarint(dst, uint64(index))
		dst = binary.AppendVarint(dst, tally.Items)
		dst = binary.AppendVarint(dst, tally.Bytes)
	}
	return binary.AppendVarint(dst, a.Locks)
}

// ParseApplied reads an applied record.
func ParseApplied(b []byte) (Applied, error) {
	var a Applied
	if len(b) == 0 || b[0] != appliedFormat && b[0] != appliedFormatFirst {
		return a, fmt.Errorf("applied state has an unknown format")
	}
	format := b[0]
	r := wire.NewReader(b[1:])
	a.Epoch, a.Chain, a.Sequence, a.First = r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint()
	a.VersionMax, a.LastDelete = r.Uvarint(), r.Uvarint()
	a.LogBytes = r.Varint()
	a.UnfedBytes = a.LogBytes
	if format > appliedFormatFirst {
		a.UnfedBytes = r.Varint()
	}
	a.Stats.Items, a.Stats.Bytes = r.Varint(), r.Varint()
	for range r.Uvarint() {
		if r.Failed() {
			break
		}
		if a.Stats.Local == nil {
			a.Stats.Local = map[uint32]command.Tally{}
		}
		index := uint32(r.Uvarint())
		a.Stats.Local[index] = command.Tally{Items: r.Varint(), Bytes: r.Varint()}
	}
	if format > appliedFormatFirst {
		a.Locks = r.Varint()
	}
	if !r.Whole() {
		return a, fmt.Errorf("applied state is damaged")
	}
	return a, nil
}

// Writes returns the records that make p durable from nothing: a birth.
func (p Part) Writes() []Write {
	id := p.Descriptor.Partition
	writes := []Write{
		{Key: keys.Part(id, nameApplied), Value: p.Applied.append(nil)},
		partJSON(id, nameDescriptor, p.Descriptor),
		partJSON(id, nameShards, p.Shards),
	}
	if len(p.Cursors) > 0 {
		writes = append(writes, partJSON(id, nameCursors, p.Cursors))
	}
	if len(p.Streams) > 0 {
		writes = append(writes, partJSON(id, nameStreams, p.Streams))
	}
	if len(p.Backfills) > 0 {
		writes = append(writes, partJSON(id, nameBackfills, p.Backfills))
	}
	if p.Expiry != nil {
		writes = append(writes, partJSON(id, nameExpiry, p.Expiry))
	}
	if p.Table != nil {
		writes = append(writes, Write{Key: keys.Part(id, nameTable), Value: p.Table.Encode()})
	}
	return writes
}

func partJSON(partition uint64, name string, v any) Write {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("part state %s cannot be written: %v", name, err))
	}
	return Write{Key: keys.Part(partition, name), Value: b}
}

// ParseDescriptor reads a descriptor's record.
func ParseDescriptor(b []byte) (d Descriptor, err error) {
	if err = json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("descriptor: %w", err)
	}
	return d, nil
}
