package ops

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf16"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/partiql"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
)

// stretch is the part of an item collection that one branch of a condition asks for.
type stretch struct {
	keyRange

	hash attr.Value
	rest []string // what the branch's other conditions mention
	open bool     // it may overlap others
}

// stretches are those of all branches, in the order of their keys, of which no two share a place.
func (s source) stretches(branches []partiql.Branch) ([]stretch, error) {
	all, err := s.branched(branches)
	if err != nil {
		return nil, err
	}
	return all, checkOverlaps(all)
}

// branched is stretches before anybody asked what they share.
func (s source) branched(branches []partiql.Branch) ([]stretch, error) {
	if branches == nil {
		return nil, nil
	}
	all := make([]stretch, len(branches))
	for i := range branches {
		var err error
		if all[i], err = s.stretch(&branches[i]); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b stretch) int {
		if order := attr.Compare(a.hash, b.hash); order != 0 {
			return order
		}
		return bytes.Compare(a.lower, b.lower)
	})
	return all, nil
}

func (s source) stretch(b *partiql.Branch) (stretch, error) {
	key := s.key()
	if err := checkStatementKey(key.Hash[0], []attr.Value{b.Hash}, table.HashBytesMax); err != nil {
		return stretch{}, err
	}
	within := s.prefix([]attr.Value{b.Hash}, nil)
	one := stretch{hash: b.Hash, rest: b.Rest, open: b.Open, keyRange: keyRange{collection: within, lower: within, upper: keys.SuccessorPrefix(within)}}
	for _, part := range b.Sort {
		if err := checkStatementKey(key.Range[0], part.Values, table.RangeBytesMax); err != nil {
			return stretch{}, err
		}
		one.meet(s, part)
	}
	if b.Void {
		one.upper = one.lower
	}
	return one, nil
}

// meet leaves of the stretch what meets a condition on the sort key.
func (one *stretch) meet(s source, part expr.KeyPart) {
	r := one.keyRange
	if part.Op == expr.EQ {
		r.lower = s.prefix([]attr.Value{one.hash}, part.Values)
		r.upper = keys.SuccessorPrefix(r.lower)
	} else {
		r.narrow(one.collection, part)
	}
	if bytes.Compare(r.lower, one.lower) > 0 {
		one.lower = r.lower
	}
	if len(one.upper) == 0 || len(r.upper) > 0 && bytes.Compare(r.upper, one.upper) < 0 {
		one.upper = r.upper
	}
}

// checkStatementKey refuses values that a key attribute can never have.
func checkStatementKey(a table.KeyAttribute, values []attr.Value, bytesMax int) error {
	for _, v := range values {
		if v.Type() != a.Type {
			return api.NewValidationException("Key attribute's data type should match its data type in table's schema: Key " + a.Name)
		}
		if text := checkKeyValue(a, v, bytesMax); text != "" {
			return api.NewValidationException(text)
		}
	}
	return nil
}

// collections calls each for the stretches of one collection after the other.
func collections(all []stretch, each func(of []stretch)) {
	for len(all) > 0 {
		n := 1
		for n < len(all) && attr.Equal(all[n].hash, all[0].hash) {
			n++
		}
		each(all[:n])
		all = all[n:]
	}
}

func anyOpen(all []stretch) bool {
	return slices.ContainsFunc(all, func(one stretch) bool { return one.open })
}

// checkOverlaps refuses two stretches that share a place. Those of a collection with an open one will be merged.
func checkOverlaps(all []stretch) error {
	overlap := false
	collections(all, func(of []stretch) {
		var reach []byte
		for _, one := range of {
			if one.empty() || anyOpen(of) {
				continue
			}
			overlap = overlap || reach != nil && bytes.Compare(one.lower, reach) < 0
			reach = one.upper
		}
	})
	if overlap {
		return api.NewValidationException("Overlapping conditions with range keys are not supported in where clause")
	}
	return nil
}

// merged are the stretches with those of a collection made one that holds it all when one of them may overlap the others: what is found twice is shown once.
func merged(all []stretch) []stretch {
	var kept []stretch
	collections(all, func(of []stretch) {
		if len(of) == 1 || !anyOpen(of) {
			kept = append(kept, of...)
			return
		}
		whole := of[0]
		whole.lower, whole.upper, whole.open = whole.collection, keys.SuccessorPrefix(whole.collection), true
		kept = append(kept, whole)
	})
	return kept
}

// filtered tells whether not everything in the stretches meets the condition.
func filtered(all []stretch) bool {
	return slices.ContainsFunc(all, func(one stretch) bool { return one.open || len(one.rest) > 0 })
}

// arrange brings the stretches into the order that the statement asks for, and tells whether each is read from its end. An ORDER BY that does not
// name the sort key has it descending, whichever way it has the partition key: DynamoDB does so.
func (r *statementRead) arrange(key table.Key, all []stretch) (reverse bool) {
	hashReverse := false
	reverse = len(r.Order) > 0
	for _, o := range r.Order {
		if o.Name == key.Hash[0].Name {
			hashReverse = o.Descending
		} else {
			reverse = o.Descending
		}
	}
	if hashReverse {
		slices.Reverse(all)
	}
	if hashReverse != reverse {
		collections(all, func(of []stretch) { slices.Reverse(of) })
	}
	return reverse
}

// checkRest refuses conditions beside the key that an index could not tell, unless one of the branches has none of them (semantics §15.8). The last
// branch is the one that is named.
func (s source) checkRest(all []stretch) error {
	if s.index == nil || s.index.Projection.Kind == table.All {
		return nil
	}
	held := s.index.Projected(s.table)
	var missing []string
	for _, one := range all {
		missing = nil
		for _, name := range one.rest {
			if !slices.Contains(held, name) {
				missing = append(missing, name)
			}
		}
		if missing == nil {
			return nil
		}
	}
	if missing == nil {
		return nil
	}
	return api.NewValidationException("One or more parameter values were invalid: Secondary index " + s.index.Name +
		" does not project one or more filter attributes: [" + strings.Join(setOrder(missing), ", ") + "]")
}

// setOrder is the order in which the service lists a set of names, which is that of a Java HashSet: clients see it in messages.
func setOrder(names []string) []string {
	buckets := uint32(16)
	for len(names) > int(buckets)*3/4 {
		buckets *= 2
	}
	bucket := func(name string) uint32 {
		hash := uint32(0)
		for _, unit := range utf16.Encode([]rune(name)) {
			hash = 31*hash + uint32(unit)
		}
		return (hash ^ hash>>16) & (buckets - 1)
	}
	ordered := slices.Clone(names)
	slices.SortStableFunc(ordered, func(a, b string) int { return int(bucket(a)) - int(bucket(b)) })
	return ordered
}
