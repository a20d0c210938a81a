package expr

import (
	"encoding/binary"

	"stator/internal/model/attr"
)

// How an update came about, as a bit of its byte form.
const (
	binaryLegacy byte = 1 << iota
	binaryBuilt
)

// AppendBinary appends the update's byte form to dst: format ‖ names ‖ paths ‖ values ‖ how it came about ‖ the actions.
func (u *Update) AppendBinary(dst []byte) []byte {
	dst = appendParts(dst, u.bound(), u.values)
	var flags byte
	if u.legacy {
		flags |= binaryLegacy
	}
	if u.built {
		flags |= binaryBuilt
	}
	dst = binary.AppendUvarint(append(dst, flags), uint64(len(u.actions)))
	for i := range u.actions {
		a := &u.actions[i]
		dst = binary.AppendUvarint(append(dst, byte(a.clause)), uint64(a.path))
		if a.clause != clauseRemove {
			dst = appendOperand(dst, a.value)
		}
	}
	return dst
}

// bound are the paths that actions and operands point into. AttributeUpdates read none: theirs are the ones that they write, in that order.
func (u *Update) bound() []Path {
	if u.legacy {
		return u.targets
	}
	return u.sources
}

// DecodeUpdate reads what AppendBinary wrote. Values alias b. The error is ErrMalformed; it never panics.
func DecodeUpdate(b []byte) (*Update, error) {
	d := decodeParts(b, true)
	flags := d.Byte()
	if flags&^(binaryLegacy|binaryBuilt) != 0 {
		d.Fail()
	}
	u := &Update{values: d.values, legacy: flags&binaryLegacy != 0, built: flags&binaryBuilt != 0}
	if !u.legacy {
		u.sources = d.paths
	}
	count := d.Count(2)
	if u.legacy && count != len(d.paths) {
		d.Fail()
	}
	if count > 0 {
		u.actions, u.targets = make([]action, count), make([]Path, count)
	}
	for i := range u.actions {
		a := &u.actions[i]
		*a = action{clause: clause(d.Byte()), path: d.place(len(d.paths))}
		if d.Failed() || u.legacy && a.path != i || !d.operandOf(a, u.legacy) {
			return nil, ErrMalformed
		}
		a.target = d.paths[a.path]
		u.targets[i] = a.target
	}
	var alone bool
	if u.root, alone = growAlone(u.targets); !alone || !d.Whole() {
		return nil, ErrMalformed
	}
	return u, nil
}

// operandOf reads what an action works with, and tells whether it can.
func (d *decoder) operandOf(a *action, legacy bool) bool {
	if a.clause == clauseRemove {
		return true
	}
	if a.value = d.operand(0); d.Failed() || a.clause == clauseSet {
		return !d.Failed()
	}
	if a.clause != clauseAdd && a.clause != clauseDelete || a.value.kind != operandValue {
		return false
	}
	t := d.values[a.value.at].Type()
	return isSet(t) || a.clause == clauseAdd && (t == attr.N || legacy && t == attr.L)
}
