package ops

import (
	"bytes"

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
	// single: the condition names one value for every key attribute.
	single bool
}

// keyRange turns a key condition into places of the source. It asks for one value of every hash attribute; then for single values of
// range attributes from the left, the last of which may be a range (semantics §7.7).
func (s source) keyRange(condition *expr.KeyCondition) (keyRange, error) {
	hash, rng, err := s.matchKey(condition)
	if err != nil {
		return keyRange{}, err
	}
	hashValues := make([]attr.Value, len(hash))
	for i, part := range hash {
		hashValues[i] = part.Values[0]
	}
	var equal []attr.Value
	for len(rng) > 0 && rng[0].Op == expr.EQ {
		equal = append(equal, rng[0].Values[0])
		rng = rng[1:]
	}
	r := keyRange{collection: s.prefix(hashValues, nil), single: len(equal) == len(s.key().Range)}
	within := s.prefix(hashValues, equal)
	r.lower, r.upper = within, keys.SuccessorPrefix(within)
	if len(rng) > 0 {
		r.narrow(within, rng[0])
	}
	return r, nil
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

// matchKey finds the condition's part for every key attribute it names: all of hash, the first ones of range.
func (s source) matchKey(condition *expr.KeyCondition) (hash, rng []expr.KeyPart, err error) {
	key := s.key()
	if len(key.Hash) == 1 && len(key.Range) <= 1 && len(condition.Parts) > 2 {
		return nil, nil, api.NewValidationException(conditionCount)
	}
	for _, a := range key.Hash {
		part, ok := partOn(condition, a.Name)
		if !ok {
			return nil, nil, missedKey(a.Name)
		}
		if part.Op != expr.EQ {
			return nil, nil, api.NewValidationException(keyConditionUnsupported)
		}
		hash = append(hash, part)
	}
	if rng, err = matchRange(key, condition); err != nil {
		return nil, nil, err
	}
	for i, part := range hash {
		if err := checkKeyPart(key.Hash[i], part, table.HashBytesMax); err != nil {
			return nil, nil, err
		}
	}
	for i, part := range rng {
		if err := checkKeyPart(key.Range[i], part, table.RangeBytesMax); err != nil {
			return nil, nil, err
		}
	}
	return hash, rng, nil
}

// matchRange finds the parts on range attributes: from the left without a gap, and nothing behind one that is no equality.
func matchRange(key table.Key, condition *expr.KeyCondition) ([]expr.KeyPart, error) {
	var parts []expr.KeyPart
	left := len(condition.Parts) - len(key.Hash)
	for _, a := range key.Range {
		if left == 0 {
			return parts, nil
		}
		part, ok := partOn(condition, a.Name)
		if !ok {
			return nil, missedKey(a.Name)
		}
		if n := len(parts); n > 0 && parts[n-1].Op != expr.EQ {
			return nil, api.NewValidationException(keyConditionUnsupported)
		}
		parts = append(parts, part)
		left--
	}
	if left > 0 {
		return nil, api.NewValidationException(keyConditionUnsupported)
	}
	return parts, nil
}

// checkKeyPart refuses values that the key attribute can never have.
func checkKeyPart(a table.KeyAttribute, part expr.KeyPart, bytesMax int) error {
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
