package machine

import "stator/internal/storage/keys"

// DataSpans are the rows that a partition answers for, wherever they are ordered by table and key.
func DataSpans(d Descriptor) []Range {
	spans := make([]Range, 0, len(keys.ByTable)+len(keys.ByPartition))
	for _, space := range keys.ByTable {
		lower, upper := keys.Span(space, d.Table, d.Bounds.Lower, d.Bounds.Upper)
		spans = append(spans, Range{Lower: lower, Upper: upper})
	}
	return spans
}

// Spans are the places of all that the replicas of a partition have alike, in the order in which a snapshot travels.
func Spans(d Descriptor) []Range {
	spans := DataSpans(d)
	for _, space := range keys.ByPartition {
		spans = append(spans, Whole(space, d.Partition))
	}
	return spans
}

// Whole is all of a space that a table or a partition has.
func Whole(space keys.Space, id uint64) Range {
	lower, upper := keys.Span(space, id, nil, nil)
	return Range{Lower: lower, Upper: upper}
}
