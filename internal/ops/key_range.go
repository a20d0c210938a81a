package ops

import (
	"bytes"
	"strconv"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
)

const keyConditionUnsupported = "Query key condition not supported"

// keyRange is the part [lower, upper) of a source that a key condition, or a segment of a scan, asks for. An empty upper is no bound.
type keyRange struct {
	lower, upper []byte
	// collection is what all places begin with that have the condition's partition key; nil for a scan.
	collection []byte
}

// keyMatch is a key condition that fits a source: one value of every hash attribute, then parts on range attributes from the left, of which
// the last may be a range (semantics §7.7).
type keyMatch struct {
	hash []attr.Value
	rng  []expr.KeyPart
}

// keyRange turns a key condition into places of the source.
func (s source) keyRange(match keyMatch) keyRange {
	var equal []attr.Value
	rng := match.rng
	for len(rng) > 0 && rng[0].Op == expr.EQ {
		equal = append(equal, rng[0].Values[0])
		rng = rng[1:]
	}
	within := s.prefix(match.hash, equal)
	r := keyRange{collection: s.prefix(match.hash, nil), lower: within, upper: keys.SuccessorPrefix(within)}
	if len(rng) > 0 {
		r.narrow(within, rng[0])
	}
	return r
}

// narrow cuts the range to the places whose next component meets part.
func (r *keyRange) narrow(within []byte, part expr.KeyPart) {
	component := func(v attr.Value) []byte { return keys.AppendComponent(bytes.Clone(within), v) }
	switch first := part.Values[0]; part.Op {
	case expr.LT:
		r.upper = component(first)
	case expr.LE:
		r.upper = keys.SuccessorPrefix(component(first))
	case expr.GT:
		r.lower = keys.SuccessorPrefix(component(first))
	case expr.GE:
		r.lower = component(first)
	case expr.Between:
		r.lower, r.upper = component(first), keys.SuccessorPrefix(component(part.Values[1]))
	case expr.BeginsWith:
		r.lower = keys.AppendComponentPrefix(bytes.Clone(within), first)
		r.upper = keys.SuccessorPrefix(r.lower)
	}
}

// empty tells that no place can lie in the range.
func (r keyRange) empty() bool {
	return len(r.upper) > 0 && bytes.Compare(r.lower, r.upper) >= 0
}

// matchKey fits a query's key condition, and its start key if it has one, to the key of the source. DynamoDB goes from attribute to
// attribute and looks at the start key's value, then at the condition on it.
func (s source) matchKey(condition *expr.KeyCondition, start attr.Map) (keyMatch, error) {
	key := s.key()
	if err := checkConditionCount(len(condition.Parts), len(key.Hash)+len(key.Range)); err != nil {
		return keyMatch{}, err
	}
	if len(start) > 0 && start.Len() != len(s.keyNames()) {
		return keyMatch{}, api.NewValidationException(startKeyInvalid)
	}
	var match keyMatch
	for _, a := range key.Hash {
		part, err := hashPart(key, a, condition, start)
		if err != nil {
			return keyMatch{}, err
		}
		match.hash = append(match.hash, part.Values[0])
	}
	left := len(condition.Parts) - len(key.Hash)
	for i := range key.Range {
		part, err := rangePart(key.Range[i:], condition, start, left)
		if err != nil {
			return keyMatch{}, err
		}
		if left == 0 {
			continue
		}
		match.rng = append(match.rng, part)
		left--
	}
	if left > 0 {
		return keyMatch{}, api.NewValidationException(keyConditionUnsupported)
	}
	return match, nil
}

// checkConditionCount refuses more conditions than a key has attributes. Two on a key of one attribute are refused in other words, where that
// attribute is looked at.
func checkConditionCount(conditions, attributes int) error {
	if conditions <= max(attributes, 2) {
		return nil
	}
	return api.NewValidationException("The number of query conditions (" + strconv.Itoa(conditions) +
		") exceeds the number of key attributes defined in the schema (" + strconv.Itoa(attributes) + ")")
}

// hashPart is the condition on a hash attribute, which can only be equality.
func hashPart(key table.Key, a table.KeyAttribute, condition *expr.KeyCondition, start attr.Map) (expr.KeyPart, error) {
	if err := checkStartAttribute(start, a, table.HashBytesMax); err != nil {
		return expr.KeyPart{}, err
	}
	if len(key.Range) == 0 && len(condition.Parts) > len(key.Hash) {
		return expr.KeyPart{}, api.NewValidationException(keyConditionUnsupported)
	}
	part, ok := partOn(condition, a.Name)
	switch {
	case len(key.Hash) > 1 && (!ok || part.Op != expr.EQ):
		return expr.KeyPart{}, unequalKey("HASH", a.Name, "")
	case !ok:
		return expr.KeyPart{}, missedKey(a.Name)
	}
	if err := checkKeyPart(a, part, table.HashBytesMax); err != nil {
		return expr.KeyPart{}, err
	}
	if part.Op != expr.EQ {
		return expr.KeyPart{}, api.NewValidationException(keyConditionUnsupported)
	}
	return part, nil
}

// rangePart is the condition on the first of the range attributes that are left; left tells how many parts no attribute has been found for.
func rangePart(attributes []table.KeyAttribute, condition *expr.KeyCondition, start attr.Map, left int) (expr.KeyPart, error) {
	a := attributes[0]
	if err := checkStartAttribute(start, a, table.RangeBytesMax); err != nil || left == 0 {
		return expr.KeyPart{}, err
	}
	part, ok := partOn(condition, a.Name)
	for _, behind := range attributes[1:] {
		if _, also := partOn(condition, behind.Name); also && (!ok || part.Op != expr.EQ) {
			return expr.KeyPart{}, unequalKey("RANGE", a.Name, " because a condition is present on key attribute "+behind.Name)
		}
	}
	if !ok {
		return expr.KeyPart{}, missedKey(a.Name)
	}
	return part, checkKeyPart(a, part, table.RangeBytesMax)
}

// checkKeyPart refuses what finds no keys, and values that the key attribute can never have.
func checkKeyPart(a table.KeyAttribute, part expr.KeyPart, bytesMax int) error {
	if part.Op == expr.Unindexable {
		return api.NewValidationException("Attempted conditional constraint is not an indexable operation")
	}
	for _, v := range part.Values {
		if v.Type() != a.Type {
			return api.NewValidationException("One or more parameter values were invalid: Condition parameter type does not match schema type")
		}
		if text := checkKeyValue(a, v, bytesMax); text != "" {
			return api.NewValidationException(text)
		}
	}
	return nil
}

func partOn(condition *expr.KeyCondition, name string) (expr.KeyPart, bool) {
	for _, part := range condition.Parts {
		if part.Name == name {
			return part, true
		}
	}
	return expr.KeyPart{}, false
}

func missedKey(name string) error {
	return api.NewValidationException("Query condition missed key schema element: " + name)
}

// unequalKey is what is said of one attribute among several that are the partition key, or the sort key, of a global index.
func unequalKey(kind, name, why string) error {
	return api.NewValidationException(kind + " key attributes " + name + " must have equality conditions specified in the query" + why)
}
