package rows

import (
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// The spaces of what the copies of a partition have in common: those ordered by table and key, then those ordered by partition.
var (
	BoundedSpaces = []keys.Space{keys.SpaceData, keys.SpaceLocalIndex, keys.SpaceLock, keys.SpaceSize, keys.SpaceTransaction}
	OwnSpaces     = []keys.Space{keys.SpaceLog, keys.SpaceExpiry, keys.SpacePart}
)

// Spans are the ranges of a partition in BoundedSpaces, then those in OwnSpaces.
func Spans(d machine.Descriptor) []command.Bounds {
	var spans []command.Bounds
	for _, space := range BoundedSpaces {
		lower, upper := keys.Span(space, d.Table, d.Bounds.Lower, d.Bounds.Upper)
		spans = append(spans, command.Bounds{Lower: lower, Upper: upper})
	}
	for _, space := range OwnSpaces {
		lower, upper := keys.Span(space, d.Partition, nil, nil)
		spans = append(spans, command.Bounds{Lower: lower, Upper: upper})
	}
	return spans
}
