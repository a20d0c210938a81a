package model_test

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// pagesMax ends a walk whose pages do not end.
const pagesMax = 2000

// collect pages through a question, with a segment of a scan if there are any, and holds every page to its own rules.
func (m *model) collect(t *rapid.T, q *question, segment, segments int) (got []item, matched, examined int, err error) {
	operation := "Scan"
	if q.hash != nil {
		operation = "Query"
	}
	var start item
	for range pagesMax {
		request := q.request(m.table, start)
		if segments > 1 {
			request["Segment"], request["TotalSegments"] = segment, segments
		}
		r := m.db.must(t, operation, request)
		got = append(got, r.Items...)
		matched += r.Count
		examined += r.ScannedCount
		switch {
		case q.count && r.Items != nil, !q.count && len(r.Items) != r.Count, q.filter == nil && r.Count != r.ScannedCount:
			return got, 0, 0, fmt.Errorf("a page of %d items says %d of %d", len(r.Items), r.Count, r.ScannedCount)
		case q.limit > 0 && r.ScannedCount > q.limit:
			return got, 0, 0, fmt.Errorf("a page looked at %d items, the limit is %d", r.ScannedCount, q.limit)
		case r.LastEvaluatedKey != nil && q.limit > 0 && r.ScannedCount < q.limit && !m.table.heavy:
			return got, 0, 0, fmt.Errorf("a page ends after %d items, the limit is %d", r.ScannedCount, q.limit)
		case r.LastEvaluatedKey == nil:
			return got, matched, examined, nil
		}
		start = r.LastEvaluatedKey
		m.unrest(t)
	}
	return nil, 0, 0, fmt.Errorf("%d pages and no end", pagesMax)
}

// check asks a question and compares the answer with the model's.
func (m *model) check(t *rapid.T, q *question, segments int) error {
	var got []item
	matched, examined := 0, 0
	for segment := range max(segments, 1) {
		items, count, scanned, err := m.collect(t, q, segment, segments)
		if err != nil {
			return err
		}
		got = append(got, items...)
		matched += count
		examined += scanned
	}
	want, wantExamined := q.answer(m.items)
	if matched != len(want) || examined != wantExamined {
		return fmt.Errorf("%d items of %d looked at, want %d of %d\n got %v\nwant %v", matched, examined, len(want), wantExamined, got, want)
	}
	if q.count {
		return nil
	}
	if q.hash == nil {
		slices.SortFunc(want, byText)
		slices.SortFunc(got, byText)
	} else {
		q.sortTies(got)
		q.sortTies(want)
	}
	for i := range want {
		if want[i].String() != got[i].String() {
			return fmt.Errorf("item %d is %v, want %v\n got %v\nwant %v", i, got[i], want[i], got, want)
		}
	}
	return nil
}

func byText(a, b item) int { return strings.Compare(a.String(), b.String()) }

// sortTies puts neighbours of equal range keys in one order: an index says nothing of theirs.
func (q *question) sortTies(items []item) {
	from := 0
	for i := 1; i <= len(items); i++ {
		if i < len(items) && tied(q.index.rng, items[from], items[i]) {
			continue
		}
		slices.SortFunc(items[from:i], byText)
		from = i
	}
}

func tied(columns []column, a, b item) bool {
	for _, c := range columns {
		if a[c.name] != b[c.name] {
			return false
		}
	}
	return true
}

// ask checks a question: a global index may need a while.
func (m *model) ask(t *rapid.T, q *question, segments int) {
	if q.index.name == "" || q.index.local {
		if err := m.check(t, q, segments); err != nil {
			t.Fatalf("%v: %v", q.request(m.table, nil), err)
		}
		return
	}
	eventually(t, func() error {
		if err := m.check(t, q, segments); err != nil {
			return fmt.Errorf("%v: %w", q.request(m.table, nil), err)
		}
		return nil
	})
}

func (m *model) source(t *rapid.T) *index {
	sources := []*index{&m.table.self}
	for i := range m.table.indexes {
		sources = append(sources, &m.table.indexes[i])
	}
	return rapid.SampledFrom(sources).Draw(t, "source")
}

func (m *model) query(t *rapid.T) { m.ask(t, m.drawQuery(t, m.source(t)), 0) }

func (m *model) scan(t *rapid.T) {
	segments := rapid.SampledFrom([]int{0, 0, 2, 5}).Draw(t, "segments")
	m.ask(t, m.table.drawScan(t, m.source(t)), segments)
}

func (m *model) get(t *rapid.T) {
	key := m.drawKey(t)
	r := m.db.must(t, "GetItem", object{"TableName": m.table.name, "Key": key, "ConsistentRead": true})
	if have := m.items[key.String()]; have.String() != r.Item.String() {
		t.Fatalf("item %v is %v, want %v", key, r.Item, have)
	}
}

func (m *model) batchGet(t *rapid.T) {
	keys := map[string]item{}
	for range rapid.IntRange(1, 6).Draw(t, "keys") {
		key := m.drawKey(t)
		keys[key.String()] = key
	}
	var list, want []item
	for text, key := range keys {
		list = append(list, key)
		if have, ok := m.items[text]; ok {
			want = append(want, have)
		}
	}
	r := m.db.must(t, "BatchGetItem", object{"RequestItems": object{m.table.name: object{"Keys": list, "ConsistentRead": true}}})
	got := r.Responses[m.table.name]
	slices.SortFunc(want, byText)
	slices.SortFunc(got, byText)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("batch %v is %v, want %v", list, got, want)
	}
}
