package node

import (
	"encoding/binary"
	"fmt"

	"stator/internal/model/attr"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// expiry verifies the index of expiry: every item whose time to live ends is in it, unless it is being rebuilt. An entry
// that its item does not bear out is odd and harmless, and one of the other half of a split is not even odd: both are
// dropped when they are met.
func (w *partitionWalk) expiry() {
	d := w.part.Descriptor
	space := keys.Prefix(keys.SpaceExpiry, d.Partition)
	unborne := 0
	err := scan(w.snapshot, space, keys.SuccessorPrefix(space), func(key, _ []byte) error {
		at := key[len(space):]
		if len(at) <= 8+keys.TokenBytes {
			w.damaged("an entry of %d bytes in the index of expiry of partition %d", len(at), d.Partition)
			return nil
		}
		if !d.Bounds.Holds(at[8:]) {
			return nil
		}
		borne, err := w.expires(at[8:], binary.BigEndian.Uint64(at))
		if borne {
			w.report.Expiring++
			w.inspection.report.Records++
		} else {
			unborne++
		}
		return err
	})
	switch {
	case err != nil:
		w.found(err, fmt.Sprintf("the index of expiry of partition %d cannot be read", d.Partition))
	case w.part.Expiry == nil && !w.partial && w.report.Expiring < w.expiring:
		w.damaged("the index of expiry of partition %d lacks %d of %d items", d.Partition, w.expiring-w.report.Expiring, w.expiring)
	}
	if unborne > 0 && !w.partial {
		w.remark("%d entries in the index of expiry of partition %d are at odds with their items: they are dropped when they are met",
			unborne, d.Partition)
	}
}

// expires tells whether an item ends at a second.
func (w *partitionWalk) expires(suffix []byte, second uint64) (bool, error) {
	stored, found, err := w.snapshot.Get(keys.Data(w.part.Descriptor.Table, suffix))
	if err != nil || !found || w.part.Table == nil {
		return false, err
	}
	item, err := record.ParseItem(stored)
	if err != nil || item.Deleted || attr.CheckMap(item.Attributes) != nil {
		return false, nil // the walk of the items has told of what is damaged
	}
	is, ok := w.part.Table.Expiry(item.Attributes)
	return ok && is == second, nil
}
