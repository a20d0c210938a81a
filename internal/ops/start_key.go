package ops

import (
	"bytes"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/table"
)

const startKeyInvalid = "The provided starting key is invalid"

// checkStartValues refuses an ExclusiveStartKey with a fault in one of its values. What is wrong with a number or repeated in a set is
// said without the prefix (errors.json esk-inner).
func (v voice) checkStartValues(start attr.Map) error {
	fault := faultOf(v, start)
	switch {
	case fault == "":
		return nil
	case strings.HasSuffix(fault, "contains duplicates."), strings.HasSuffix(fault, "An number set  may not be empty"):
	case strings.HasPrefix(fault, "One or more parameter values were invalid: "), strings.HasPrefix(fault, "Supplied AttributeValue"):
		fault = startKeyInvalid + ": " + fault
	}
	return v.refuse(fault)
}

// checkStartAttribute refuses a start key without a lawful value of an attribute by which the source is ordered.
func checkStartAttribute(start attr.Map, a table.KeyAttribute, bytesMax int) error {
	if len(start) == 0 {
		return nil
	}
	_, err := startKey.take(a, start, bytesMax)
	return err
}

// startPlace is where in the source an ExclusiveStartKey lies, nil for an absent one. The caller has checked the attributes by which the
// source is ordered, and that there are as many as there should be; it need not be the key of an item.
func (s source) startPlace(start attr.Map) ([]byte, error) {
	if len(start) == 0 {
		return nil, nil
	}
	if _, err := suffixOf(s.table, start, startTableKey); err != nil {
		return nil, err
	}
	place, ok := s.place(start)
	if !ok {
		return nil, api.NewValidationException(startKeyInvalid)
	}
	return place, nil
}

// checkStart refuses a start key, which lies at place, that the query itself could not have ended at: first by the condition on its sort
// key, then by its partition key.
func (s source) checkStart(start attr.Map, place []byte, match keyMatch, within keyRange) error {
	if place == nil {
		return nil
	}
	var sorted []attr.Value
	for _, a := range s.key().Range {
		v, _ := start.Get(a.Name)
		sorted = append(sorted, v)
	}
	inCollection := bytes.HasPrefix(place, within.collection)
	switch {
	case !within.holds(s.prefix(match.hash, sorted)):
		return api.NewValidationException("The provided starting key does not match the range key predicate")
	case !inCollection && len(match.rng) > 0:
		return api.NewValidationException("The query can return at most one row and cannot be restarted")
	case !inCollection:
		return api.NewValidationException("The provided starting key is outside query boundaries based on provided conditions")
	case s.singular():
		hash := s.key().Hash[0].Name
		v, _ := start.Get(hash)
		return api.NewValidationException("The provided exclusive start key is invalid: ExclusiveStartKey: {" + hash + "=AttributeValue: " + v.Text() + "}")
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
