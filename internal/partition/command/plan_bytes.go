package command

import (
	"bytes"
	"encoding/binary"
	"slices"

	"stator/internal/base/wire"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// What a plan says by yes or no, as bits, with which expressions are there.
const (
	planReverse byte = 1 << iota
	planStrong
	planDiscard
	planFetch
	planRaw
	planFilter
	planProject
	planEnd // the first bit that is none of them
)

// AppendPlan appends a plan's bytes to dst: format ‖ flags ‖ table ‖ table version ‖ index ‖ lower ‖ upper ‖ limit ‖ bytes ‖
// filter ‖ projection.
func AppendPlan(dst []byte, p *Plan) []byte {
	dst = append(slices.Grow(dst, headBytes+len(p.Lower)+len(p.Upper)), wireFormat, p.flags())
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, p.Table), p.TableVersion)
	dst = binary.AppendUvarint(dst, uint64(p.Index))
	dst = wire.AppendBytes(wire.AppendBytes(dst, p.Lower), p.Upper)
	dst = binary.AppendVarint(binary.AppendVarint(dst, int64(p.Limit)), p.Bytes)
	if p.Filter != nil {
		dst = appendSized(dst, p.Filter.AppendBinary)
	}
	if p.Project != nil {
		dst = appendSized(dst, p.Project.AppendBinary)
	}
	return dst
}

func (p *Plan) flags() (flags byte) {
	for i, there := range [...]bool{p.Reverse, p.Strong, p.Discard, p.Fetch, p.Raw, p.Filter != nil, p.Project != nil} {
		if there {
			flags |= 1 << i
		}
	}
	return flags
}

// ParsePlan reads what AppendPlan wrote. Keys and values point into b. The error is ErrMalformed.
func ParsePlan(b []byte) (Plan, error) {
	r := begin(b)
	flags := r.Byte()
	if flags >= planEnd {
		r.Fail()
	}
	p := Plan{
		Reverse: flags&planReverse != 0, Strong: flags&planStrong != 0, Discard: flags&planDiscard != 0, Fetch: flags&planFetch != 0,
		Raw: flags&planRaw != 0, Table: r.Uvarint(), TableVersion: r.Uvarint(),
	}
	p.Index, p.Lower, p.Upper = takeOrdinal(&r), r.Bytes(), r.Bytes()
	p.Limit, p.Bytes = int(r.Varint()), r.Varint()
	if flags&planFilter != 0 {
		p.Filter = takeExpression(&r, expr.DecodeCondition)
	}
	if flags&planProject != 0 {
		p.Project = takeExpression(&r, expr.DecodeProjection)
	}
	if err := ended(&r); err != nil {
		return Plan{}, err
	}
	return p, nil
}

// Where the last item of a page is: it mostly is the last of the items too, and does not go twice.
const (
	lastNone byte = iota
	lastOfItems
	lastApart
)

// AppendPage appends a page's bytes to dst: format ‖ reason ‖ next ‖ counts ‖ items ‖ entries ‖ where the last item is.
func AppendPage(dst []byte, p *Page) []byte {
	size := headBytes + len(p.Next) + len(p.LastItem)
	for _, item := range p.Items {
		size += binary.MaxVarintLen32 + len(item)
	}
	dst = append(slices.Grow(dst, size), wireFormat, byte(p.Reason))
	dst = wire.AppendBytes(dst, p.Next)
	dst = binary.AppendVarint(binary.AppendVarint(dst, int64(p.Examined)), int64(p.Matched))
	dst = binary.AppendVarint(binary.AppendVarint(dst, p.Bytes), p.FetchUnits)
	dst = binary.AppendUvarint(dst, uint64(len(p.Items)))
	for _, item := range p.Items {
		dst = wire.AppendBytes(dst, item)
	}
	dst = appendEntries(dst, p.Entries)
	switch {
	case len(p.LastItem) == 0:
		return append(dst, lastNone)
	case len(p.Items) > 0 && bytes.Equal(p.Items[len(p.Items)-1], p.LastItem):
		return append(dst, lastOfItems)
	}
	return wire.AppendBytes(append(dst, lastApart), p.LastItem)
}

// ParsePage reads what AppendPage wrote. Keys and items point into b. The error is ErrMalformed.
func ParsePage(b []byte) (Page, error) {
	r := begin(b)
	p := Page{
		Reason: Reason(r.Byte()), Next: r.Bytes(), Examined: int(r.Varint()), Matched: int(r.Varint()), Bytes: r.Varint(), FetchUnits: r.Varint(),
	}
	p.Items = many[attr.Map](&r, 1)
	for i := range p.Items {
		p.Items[i] = r.Bytes()
	}
	p.Entries = takeEntries(&r)
	switch last := r.Byte(); {
	case last == lastNone:
	case last == lastOfItems && len(p.Items) > 0:
		p.LastItem = p.Items[len(p.Items)-1]
	case last == lastApart:
		p.LastItem = r.Bytes()
	default:
		r.Fail()
	}
	if err := ended(&r); err != nil {
		return Page{}, err
	}
	return p, nil
}
