package command

import (
	"encoding/binary"
	"maps"
	"slices"

	"stator/internal/base/wire"
)

// AppendReport appends a report's bytes to dst: format ‖ unsettled ‖ partition ‖ generation ‖ bounds ‖ members ‖ version ‖ statistics ‖
// backfills, by the ids of their indexes ‖ what is unfed.
func AppendReport(dst []byte, p *Report) []byte {
	dst = binary.AppendUvarint(appendBool(append(dst, wireFormat), p.Unsettled), p.Partition)
	dst = binary.AppendUvarint(dst, p.Generation)
	dst = wire.AppendBytes(wire.AppendBytes(dst, p.Bounds.Lower), p.Bounds.Upper)
	dst = binary.AppendUvarint(dst, uint64(len(p.Members)))
	for _, m := range p.Members {
		dst = binary.AppendUvarint(binary.AppendUvarint(appendBool(dst, m.Learner), m.Replica), m.Node)
	}
	dst = appendStats(binary.AppendUvarint(dst, p.Version), &p.Stats)
	dst = binary.AppendUvarint(dst, uint64(len(p.Backfills)))
	for _, id := range slices.Sorted(maps.Keys(p.Backfills)) {
		b := p.Backfills[id]
		dst = appendBackfill(binary.AppendUvarint(dst, id), &b)
	}
	dst = binary.AppendVarint(binary.AppendUvarint(dst, p.Unfed), p.UnfedBytes)
	return binary.AppendUvarint(dst, p.OldestUnfed)
}

// ParseReport reads what AppendReport wrote. Keys point into b. The error is ErrMalformed.
func ParseReport(b []byte) (Report, error) {
	r := begin(b)
	p := Report{
		Unsettled: takeBool(&r), Partition: r.Uvarint(), Generation: r.Uvarint(), Bounds: Bounds{Lower: r.Bytes(), Upper: r.Bytes()},
		Members: takeMembers(&r), Version: r.Uvarint(), Stats: takeStats(&r), Backfills: takeBackfills(&r),
		Unfed: r.Uvarint(), UnfedBytes: r.Varint(), OldestUnfed: r.Uvarint(),
	}
	if err := ended(&r); err != nil {
		return Report{}, err
	}
	return p, nil
}

func takeMembers(r *wire.Reader) []Member {
	members := many[Member](r, 3)
	for i := range members {
		members[i] = Member{Learner: takeBool(r), Replica: r.Uvarint(), Node: r.Uvarint()}
	}
	return members
}

func takeBackfills(r *wire.Reader) map[uint64]Backfill {
	count := r.Count(5)
	if count == 0 {
		return nil
	}
	backfills := map[uint64]Backfill{}
	for i := 0; i < count && !r.Failed(); i++ {
		backfills[r.Uvarint()] = takeBackfill(r)
	}
	if len(backfills) != count {
		r.Fail()
	}
	return backfills
}
