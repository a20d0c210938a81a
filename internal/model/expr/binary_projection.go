package expr

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"stator/internal/base/wire"
)

// AppendBinary appends the projection's byte form to dst: format ‖ names ‖ paths ‖ no values ‖ the number of columns, and one more, or 0 ‖ their names.
func (p *Projection) AppendBinary(dst []byte) []byte {
	dst = appendParts(dst, p.paths, nil)
	if p.flat == nil {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(p.flat))+1)
	for _, column := range p.flat {
		dst = wire.AppendText(dst, column.Name)
	}
	return dst
}

// DecodeProjection reads what AppendBinary wrote. The error is ErrMalformed; it never panics.
func DecodeProjection(b []byte) (*Projection, error) {
	d := decodeParts(b, false)
	if columns := d.Uvarint(); columns > 0 {
		return d.columns(columns - 1)
	}
	if !d.Whole() {
		return nil, ErrMalformed
	}
	root, alone := growAlone(d.paths)
	if !alone {
		return nil, ErrMalformed
	}
	return projectionOf(d.paths, root), nil
}

func (d *decoder) columns(count uint64) (*Projection, error) {
	if count != uint64(len(d.paths)) {
		return nil, ErrMalformed
	}
	columns := make([]Column, count)
	names := make([]string, count)
	for i := range columns {
		columns[i] = Column{Name: d.Text(), Path: d.paths[i]}
		if names[i] = columns[i].Name; !utf8.ValidString(names[i]) {
			d.Fail()
		}
	}
	slices.Sort(names)
	if !d.Whole() || len(slices.Compact(names)) != len(columns) {
		return nil, ErrMalformed
	}
	return Columns(columns), nil
}
