package split

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"stator/internal/cluster/catalog"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// roundingMax is how much more of the ring than its even part a partition may hold: the parts of a ring are not always whole numbers.
const roundingMax = 1e-6

// spread halves a partition that is led here and has more of the ring than it could serve, if all that is warm of its table or index were asked
// for evenly. A new table begins with as many as it takes; what UpdateTable raises, or a peak, would else have to wait for heat. It tells
// whether there was one.
func (j *Job) spread(ctx context.Context) (more bool, err error) {
	for _, entry := range j.Catalog.Entries() {
		id, at := j.wide(entry.Partitions[entry.Table.ID], entry.Table.Warm)
		for i := 0; at == nil && i < len(entry.Table.Global); i++ {
			ix := &entry.Table.Global[i]
			id, at = j.wide(entry.Partitions[ix.ID], ix.Warm)
		}
		if at == nil {
			continue
		}
		if _, err := j.Of(ctx, id, at); err != nil {
			return j.failed(ctx, id, fmt.Errorf("splitting partition %d of table %s for its warm throughput: %w", id, entry.Table.Name, err))
		}
		return true, nil
	}
	return false, nil
}

// wide finds such a partition, and the token in its middle; nil if there is none.
func (j *Job) wide(partitions []catalog.Partition, warm table.Warm) (id uint64, middle []byte) {
	most := (1 + roundingMax) / float64(capacity.PartitionsOf(warm))
	for i := range partitions {
		p := &partitions[i]
		lower, upper := ends(p.Bounds)
		if upper-lower <= most {
			continue
		}
		if _, leads := j.Host.Led(p.ID); leads && j.wants(p.ID) {
			middle = make([]byte, keys.TokenBytes)
			binary.BigEndian.PutUint64(middle, uint64(math.Ldexp((lower+upper)/2, 64)))
			return p.ID, middle
		}
	}
	return 0, nil
}

// ends are where on the ring, all of which is 1, a partition begins and ends.
func ends(b command.Bounds) (lower, upper float64) {
	place := func(key []byte) float64 {
		var token [keys.TokenBytes]byte
		copy(token[:], key)
		return math.Ldexp(float64(binary.BigEndian.Uint64(token[:])), -64)
	}
	if len(b.Upper) == 0 {
		return place(b.Lower), 1
	}
	return place(b.Lower), place(b.Upper)
}
