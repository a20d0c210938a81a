package rows

import (
	"fmt"
	"strconv"

	"stator/internal/model/attr"
	"stator/internal/partition/machine"
)

// expiryEntry is one entry of an index of expiry.
type expiryEntry struct {
	suffix string
	second uint64
}

// checkExpiry holds a partition's index of expiry against its items: within the bounds no entry is at odds with its item
// and, unless the index is being rebuilt, none is missing. A split leaves entries of the other half behind.
func (f *Rows) checkExpiry(id uint64, part machine.Part) error {
	shown := map[string]bool{}
	for _, e := range f.expiry[id] {
		if !part.Descriptor.Bounds.Holds([]byte(e.suffix)) {
			continue
		}
		item := f.Data[part.Descriptor.Table][e.suffix]
		if second, ok := endOf(part, item.Attributes); !ok || second != e.second {
			return fmt.Errorf("the index of expiry has item %x at %d, the item says %d (%t)", e.suffix, e.second, second, ok)
		}
		shown[e.suffix] = true
	}
	if part.Expiry != nil {
		return nil
	}
	for suffix, item := range f.Data[part.Descriptor.Table] {
		if _, ok := endOf(part, item.Attributes); ok && part.Descriptor.Bounds.Holds([]byte(suffix)) && !shown[suffix] {
			return fmt.Errorf("the index of expiry lacks item %x", suffix)
		}
	}
	return nil
}

// endOf is the second at which an item ends, written down once more: of all numbers that simulated items have there, only
// those of the future are times.
func endOf(part machine.Part, item attr.Map) (second uint64, ok bool) {
	if part.Table == nil || part.Table.TimeToLive == "" || len(item) == 0 {
		return 0, false
	}
	v, has := item.Get(part.Table.TimeToLive)
	if !has || v.Type() != attr.N {
		return 0, false
	}
	second, err := strconv.ParseUint(string(v.Number().Append(nil)), 10, 64)
	return second, err == nil && second > 0
}
