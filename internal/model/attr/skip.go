package attr

import "github.com/go-faster/jx"

// skipOpen is one object or array that Skip is inside of.
type skipOpen struct {
	object  jx.ObjIter
	array   jx.ArrIter
	isArray bool
}

// next moves to the next value inside; false when there is none.
func (o *skipOpen) next() (bool, error) {
	if o.isArray {
		return o.array.Next(), o.array.Err()
	}
	return o.object.Next(), o.object.Err()
}

// Skip passes over one JSON value of any kind: what is nested too deeply, or is no member we know. The reader has a Skip
// of its own, which recurses; hostile nesting would leave every connection with a stack of megabytes. The reader refuses
// what is nested more than 10,000 deep, which bounds the list here. The error is a *Mismatch.
func Skip(d *jx.Decoder) error {
	var inline [4]skipOpen
	open := inline[:0]
	for {
		switch d.Next() {
		case jx.Object:
			object, err := d.ObjIter()
			if err != nil {
				return malformed
			}
			open = append(open, skipOpen{object: object})
		case jx.Array:
			array, err := d.ArrIter()
			if err != nil {
				return malformed
			}
			open = append(open, skipOpen{array: array, isArray: true})
		default:
			if d.Skip() != nil {
				return malformed
			}
		}
		for more := false; !more; {
			if len(open) == 0 {
				return nil
			}
			var err error
			if more, err = open[len(open)-1].next(); err != nil {
				return malformed
			}
			if !more {
				open = open[:len(open)-1]
			}
		}
	}
}
