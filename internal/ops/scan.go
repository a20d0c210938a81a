package ops

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
)

// Scan reads a page of a table or index, or of one segment of it.
func (o *Ops) Scan(ctx context.Context, in *api.ScanInput) (*api.ScanOutput, error) {
	s, err := newScan(in)
	if err != nil {
		return nil, err
	}
	page, err := o.walk(ctx, s.table, s)
	if err != nil {
		return nil, err
	}
	return &api.ScanOutput{
		Items:            page.items(s.selection.kind),
		Count:            page.count(),
		ScannedCount:     page.scanned(),
		LastEvaluatedKey: page.lastKey(),
		ConsumedCapacity: page.consumed(in.ReturnConsumedCapacity, s.table),
		Arena:            page.Arena,
	}, nil
}

// scan is a wish to read a page of a table or index.
type scan struct {
	pageRequest
	segment, segments int64 // segments is 0 for the whole
}

// newScan checks what needs only the request, in DynamoDB's order (semantics §16).
func newScan(in *api.ScanInput) (*scan, error) {
	err := mixture{
		expressions: []parameter{{"ProjectionExpression", in.ProjectionExpression != nil}, {"FilterExpression", in.FilterExpression != nil}},
		legacy: []parameter{{"AttributesToGet", in.AttributesToGet != nil}, {"ScanFilter", in.ScanFilter != nil},
			{"ConditionalOperator", in.ConditionalOperator != nil}},
		names:  in.ExpressionAttributeNames,
		values: in.ExpressionAttributeValues,
	}.check(bare)
	if err != nil {
		return nil, err
	}
	s := &scan{segment: value(in.Segment), segments: value(in.TotalSegments), pageRequest: pageRequest{
		table: *in.TableName, index: in.IndexName, start: in.ExclusiveStartKey, limit: int(value(in.Limit)),
		strong: value(in.ConsistentRead), selection: selection{kind: value(in.Select)},
	}}
	if s.selection.projection, err = attributesToGet(in.AttributesToGet); err != nil {
		return nil, err
	}
	if s.filter, err = older.filter(in.ScanFilter, in.ConditionalOperator); err != nil {
		return nil, err
	}
	if err := older.checkStartValues(in.ExclusiveStartKey); err != nil {
		return nil, err
	}
	if err := checkSegments(in); err != nil {
		return nil, err
	}
	projection := projectionParameter(in.ProjectionExpression, in.AttributesToGet)
	if err := bare.checkSelect(s.selection.kind, projection, in.IndexName); err != nil {
		return nil, err
	}
	return s, s.compile(in)
}

// checkSegments refuses a segment without a number of segments, or beyond it.
func checkSegments(in *api.ScanInput) error {
	switch {
	case in.Segment == nil && in.TotalSegments == nil:
		return nil
	case in.TotalSegments == nil:
		return bare.refuse("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case in.Segment == nil:
		return bare.refuse("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *in.Segment >= *in.TotalSegments:
		return bare.refuse(fmt.Sprintf("The Segment parameter is zero-based and must be less than parameter TotalSegments: "+
			"Segment: %d is not less than TotalSegments: %d", *in.Segment, *in.TotalSegments))
	}
	return nil
}

func (s *scan) compile(in *api.ScanInput) error {
	if in.FilterExpression == nil && in.ProjectionExpression == nil {
		return nil
	}
	x := newExpressions(older, in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	s.filter = x.condition(expr.FilterExpression, in.FilterExpression)
	s.selection.projection = x.projection(in.ProjectionExpression)
	return x.finish()
}

func (s *scan) plan(t *table.Table) (plannedWalk, error) {
	from, err := s.source(t)
	if err != nil {
		return plannedWalk{}, err
	}
	if err := from.checkScanStart(s.start); err != nil {
		return plannedWalk{}, err
	}
	// A scan is refused for what it selects before its start key is held against the table's key, a query afterwards.
	if err := s.selection.checkGlobal(from); err != nil {
		return plannedWalk{}, err
	}
	start, err := from.startPlace(s.start)
	if err != nil {
		return plannedWalk{}, err
	}
	within := segmentRange(s.segment, s.segments)
	if start != nil && !within.holds(start) {
		return plannedWalk{}, startTableKey.refuse(fmt.Sprintf("Invalid ExclusiveStartKey. "+
			"Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", s.segments, s.segment))
	}
	return s.walkOf(from, within.after(start, false))
}

// checkScanStart refuses a start key with too many or too few attributes, or not those of the index. Of a table's own key no more needs to be
// looked at.
func (s source) checkScanStart(start attr.Map) error {
	counted := len(start) == 0 || start.Len() == len(s.keyNames())
	if s.index == nil {
		if !counted {
			return startTableKey.refuse(keyMismatch)
		}
		return nil
	}
	if !counted {
		return api.NewValidationException(startKeyInvalid)
	}
	for _, a := range s.index.Key.Hash {
		if err := checkStartAttribute(start, a, table.HashBytesMax); err != nil {
			return err
		}
	}
	for _, a := range s.index.Key.Range {
		if err := checkStartAttribute(start, a, table.RangeBytesMax); err != nil {
			return err
		}
	}
	return nil
}

// segmentRange is the segment's share of the ring. Tokens are spread evenly, so equal stretches of the ring hold about equally many items;
// the first eight bytes of a token tell more stretches apart than there can be segments.
func segmentRange(segment, segments int64) keyRange {
	if segments <= 1 {
		return keyRange{}
	}
	var r keyRange
	if segment > 0 {
		r.lower = segmentStart(segment, segments)
	}
	if segment+1 < segments {
		r.upper = segmentStart(segment+1, segments)
	}
	return r
}

// segmentStart is ⌊segment · 2^64 / segments⌋, which is where the segment begins on the ring; segment is less than segments.
func segmentStart(segment, segments int64) []byte {
	first, _ := bits.Div64(uint64(segment), 0, uint64(segments))
	return binary.BigEndian.AppendUint64(nil, first)
}
