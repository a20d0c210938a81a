package ops

import (
	"bytes"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/attr"
)

const startKeyInvalid = "The provided starting key is invalid"

// checkStartValues refuses an ExclusiveStartKey with a fault in one of its values. What is wrong with a number or repeated in a set is
// said without the prefix (errors.json esk-inner).
func checkStartValues(start attr.Map) error {
	fault := start.Fault()
	if fault == "" {
		return nil
	}
	if strings.HasPrefix(fault, "One or more parameter values were invalid: ") || strings.HasPrefix(fault, "Supplied AttributeValue") {
		fault = startKeyInvalid + ": " + fault
	}
	return bare.refuse(fault)
}

// startPlace is where in the source an ExclusiveStartKey lies, nil for an absent one. It has the attributes of the table's key and the
// index's and no others; it need not be the key of an item. mismatch is the text for one that has not: Query and Scan differ.
func (s source) startPlace(start attr.Map, mismatch string) ([]byte, error) {
	if len(start) == 0 {
		return nil, nil
	}
	names := s.keyNames()
	if start.Len() != len(names) {
		return nil, api.NewValidationException(mismatch)
	}
	for _, name := range names {
		a, ok := s.table.Key.Attribute(name)
		if !ok {
			a, _ = s.index.Key.Attribute(name)
		}
		v, ok := start.Get(name)
		if !ok || v.Type() != a.Type {
			return nil, api.NewValidationException(mismatch)
		}
	}
	place, ok := s.place(start)
	if !ok {
		return nil, api.NewValidationException(mismatch)
	}
	return place, nil
}

// checkStart refuses a start key that the query itself could not have ended at.
func (r keyRange) checkStart(place []byte) error {
	switch {
	case place == nil:
		return nil
	case !bytes.HasPrefix(place, r.collection) && r.single:
		return api.NewValidationException("The query can return at most one row and cannot be restarted")
	case !bytes.HasPrefix(place, r.collection):
		return api.NewValidationException("The provided starting key is outside query boundaries based on provided conditions")
	case !r.holds(place):
		return api.NewValidationException("The provided starting key does not match the range key predicate")
	}
	return nil
}

func (r keyRange) holds(place []byte) bool {
	return bytes.Compare(place, r.lower) >= 0 && (len(r.upper) == 0 || bytes.Compare(place, r.upper) < 0)
}

// after is what remains of the range behind place, in the direction of the walk; an absent place leaves all of it.
func (r keyRange) after(place []byte, reverse bool) keyRange {
	switch {
	case place == nil:
	case reverse:
		r.upper = place
	default:
		// The place itself is excluded: nothing lies between it and itself with one more byte.
		r.lower = append(bytes.Clone(place), 0)
	}
	return r
}
