package model_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// question is a query, or a scan if it names no hash values, with the answer's rules.
type question struct {
	index *index
	hash  []value
	// terms hold range attributes, in the order of the index.
	terms  []term
	filter func(item) bool
	// shown lists the attributes of the answer; nil is all.
	shown   []string
	limit   int
	count   bool
	reverse bool

	expressions    []string
	names, values  object
	filterText     string
	projectionText string
}

// term is one part of a key condition on a range attribute.
type term struct {
	column column
	holds  func(value) bool
}

// name and value make placeholders of an expression.
func (q *question) name(name string) string {
	key := fmt.Sprint("#", len(q.names))
	q.names[key] = name
	return key
}

func (q *question) value(v value) string {
	key := fmt.Sprint(":", len(q.values))
	q.values[key] = v
	return key
}

func newQuestion(t *rapid.T, ix *index) *question {
	q := &question{index: ix, shown: ix.shown, names: object{}, values: object{}}
	q.limit = rapid.SampledFrom([]int{0, 0, 1, 2, 5}).Draw(t, "limit")
	return q
}

// drawQuery makes up a query of the table or an index, mostly for hash values that some item has.
func (m *model) drawQuery(t *rapid.T, ix *index) *question {
	q := newQuestion(t, ix)
	q.reverse = rapid.Bool().Draw(t, "reverse")
	var known []value
	if len(m.items) > 0 && rapid.IntRange(0, 3).Draw(t, "known") > 0 {
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(m.items))).Draw(t, "known item")
		known, _ = m.items[key].tuple(ix.hash)
	}
	for i, c := range ix.hash {
		v := anyOf(t, c.kind, 3, "hash")
		if known != nil {
			v = known[i]
		}
		q.hash = append(q.hash, v)
		q.expressions = append(q.expressions, q.name(c.name)+" = "+q.value(v))
	}
	equal := 0
	if len(ix.rng) > 1 {
		equal = rapid.IntRange(0, len(ix.rng)).Draw(t, "equal range attributes")
	}
	for _, c := range ix.rng[:equal] {
		q.restrict(t, c, "=")
	}
	if equal < len(ix.rng) {
		c := ix.rng[equal]
		operators := []string{"", "=", "<", "<=", ">", ">=", "BETWEEN"}
		if c.kind != "N" {
			operators = append(operators, "begins_with")
		}
		q.restrict(t, c, rapid.SampledFrom(operators).Draw(t, "operator"))
	}
	m.table.drawRest(t, q)
	return q
}

// drawScan makes up a scan.
func (tb *table) drawScan(t *rapid.T, ix *index) *question {
	q := newQuestion(t, ix)
	tb.drawRest(t, q)
	return q
}

func (q *question) restrict(t *rapid.T, c column, operator string) {
	if operator == "" {
		return
	}
	v := anyOf(t, c.kind, 10, "bound")
	name, bound := q.name(c.name), q.value(v)
	text := name + " " + operator + " " + bound
	holds := map[string]func(value) bool{
		"=":           func(have value) bool { return have == v },
		"<":           func(have value) bool { return compare(have, v) < 0 },
		"<=":          func(have value) bool { return compare(have, v) <= 0 },
		">":           func(have value) bool { return compare(have, v) > 0 },
		">=":          func(have value) bool { return compare(have, v) >= 0 },
		"begins_with": func(have value) bool { return strings.HasPrefix(have.text, v.text) },
	}[operator]
	switch operator {
	case "begins_with":
		text = "begins_with(" + name + ", " + bound + ")"
	case "BETWEEN":
		upper := anyOf(t, c.kind, 10, "upper bound")
		if compare(v, upper) > 0 {
			upper = v
		}
		text += " AND " + q.value(upper)
		holds = func(have value) bool { return compare(have, v) >= 0 && compare(have, upper) <= 0 }
	}
	q.expressions = append(q.expressions, text)
	q.terms = append(q.terms, term{c, holds})
}

// drawRest adds a filter, a projection or a count.
func (tb *table) drawRest(t *rapid.T, q *question) {
	key := names(q.index.hash, q.index.rng)
	candidates := slices.DeleteFunc([]string{counter, note, "a", "b", "c"}, func(name string) bool {
		return slices.Contains(key, name) || q.shown != nil && !slices.Contains(q.shown, name)
	})
	if len(candidates) > 0 && rapid.IntRange(0, 2).Draw(t, "filtered") == 0 {
		q.drawFilter(t, tb, rapid.SampledFrom(candidates).Draw(t, "filter attribute"))
	}
	switch rapid.IntRange(0, 5).Draw(t, "shown") {
	case 0:
		q.count = true
	case 1:
		if q.index.local {
			q.shown = nil // ALL_ATTRIBUTES: brought from the table
		}
	case 2:
		if q.index.name == "" {
			q.shown = append(names(tb.self.hash, tb.self.rng), note)
			var parts []string
			for _, name := range q.shown {
				parts = append(parts, q.name(name))
			}
			q.projectionText = strings.Join(parts, ", ")
		}
	}
}

func (q *question) drawFilter(t *rapid.T, tb *table, name string) {
	switch {
	case name == counter:
		bound := number(rapid.Int64Range(-2, 3).Draw(t, "counter bound"))
		q.filterText = q.name(name) + " > " + q.value(bound)
		q.filter = func(i item) bool { v, ok := i[name]; return ok && v.kind == "N" && compare(v, bound) > 0 }
	case rapid.Bool().Draw(t, "exists"):
		q.filterText = "attribute_exists(" + q.name(name) + ")"
		q.filter = func(i item) bool { _, ok := i[name]; return ok }
	default:
		kind := "S"
		for _, c := range tb.columns {
			if c.name == name {
				kind = c.kind
			}
		}
		v := anyOf(t, kind, 4, "filter value")
		q.filterText = q.name(name) + " = " + q.value(v)
		q.filter = func(i item) bool { return i[name] == v }
	}
}

// request is the question on the wire, for the page after a key.
func (q *question) request(tb *table, start item) object {
	r := object{"TableName": tb.name}
	if q.index.name != "" {
		r["IndexName"] = q.index.name
	}
	if q.index.name == "" || q.index.local {
		r["ConsistentRead"] = true
	}
	if q.hash != nil {
		r["KeyConditionExpression"] = strings.Join(q.expressions, " AND ")
		r["ScanIndexForward"] = !q.reverse
	}
	if q.filterText != "" {
		r["FilterExpression"] = q.filterText
	}
	if len(q.names) > 0 {
		r["ExpressionAttributeNames"] = q.names
	}
	if len(q.values) > 0 {
		r["ExpressionAttributeValues"] = q.values
	}
	switch {
	case q.count:
		r["Select"] = "COUNT"
	case q.projectionText != "":
		r["ProjectionExpression"] = q.projectionText
	case q.index.local && q.shown == nil && q.index.shown != nil:
		r["Select"] = "ALL_ATTRIBUTES"
	}
	if q.count && q.projectionText != "" {
		delete(r, "ProjectionExpression")
	}
	if q.limit > 0 {
		r["Limit"] = q.limit
	}
	if start != nil {
		r["ExclusiveStartKey"] = start
	}
	return r
}

// answer is what the model answers: the items in order, and how many had to be looked at.
func (q *question) answer(items map[string]item) (matched []item, examined int) {
	type row struct {
		order []value
		whole item
	}
	var rows []row
	for _, whole := range items {
		hash, in := whole.tuple(q.index.hash)
		rng, also := whole.tuple(q.index.rng)
		if !in || !also || q.hash != nil && compareTuples(hash, q.hash) != 0 {
			continue
		}
		if slices.ContainsFunc(q.terms, func(part term) bool { return !part.holds(whole[part.column.name]) }) {
			continue
		}
		rows = append(rows, row{rng, whole})
	}
	slices.SortFunc(rows, func(a, b row) int {
		order := compareTuples(a.order, b.order)
		if q.reverse {
			order = -order
		}
		if order == 0 {
			order = strings.Compare(a.whole.String(), b.whole.String())
		}
		return order
	})
	for _, r := range rows {
		entry := r.whole
		if q.index.shown != nil && q.shown != nil {
			entry = entry.only(q.index.shown)
		}
		if q.filter != nil && !q.filter(entry) {
			continue
		}
		if q.shown != nil {
			entry = entry.only(q.shown)
		}
		matched = append(matched, entry)
	}
	return matched, len(rows)
}
