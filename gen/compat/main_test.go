package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"stator/internal/model/api"
	"stator/internal/ops"
)

const docs = "../../docs"

// The committed page is what the registry, the tables of ops and the committed results make of it.
func TestPageIsCurrent(t *testing.T) {
	r, err := loadResults(filepath.Join(docs, resultsName))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(docs, pageName))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, page(r)) {
		t.Errorf("docs/%s is not current: run go run ./gen/compat", pageName)
	}
}

// Every built operation is one of the registry, or the page would pass over it.
func TestBuiltOperationsAreRegistered(t *testing.T) {
	if len(ops.Built()) == 0 {
		t.Fatal("no operation is built")
	}
	for _, name := range ops.Built() {
		if !slices.ContainsFunc(api.Operations, func(o api.Operation) bool { return o.Name == name && isBuilt(o) }) {
			t.Errorf("%s is not in the registry", name)
		}
	}
}

func TestReworded(t *testing.T) {
	const put = "ExpressionAttributeValues can only be specified when using expressions"
	for _, test := range []struct {
		expected, actual string
		want             bool
	}{
		{"Invalid UpdateExpression: a", envelope + "Invalid UpdateExpression: a", true},
		{"Invalid UpdateExpression: a", envelope + "Invalid UpdateExpression: b", false},
		{"Invalid UpdateExpression: a", "Invalid UpdateExpression: a.", false},
		{"Input collection [a, a] contains duplicates.", envelope + `Input collection ["a", "a"] contains duplicates.`, true},
		{"Input collection [a, a] contains duplicates.", envelope + `Input collection ["a", "b"] contains duplicates.`, false},
		{put + ": ConditionExpression is null", envelope + put, true},
		{put + ": something else", envelope + put, false},
		{"", envelope, false},
		{emptyBatch[0], emptyBatch[1], true},
		{"another", emptyBatch[1], false},
	} {
		if got := reworded(test.expected, test.actual); got != test.want {
			t.Errorf("%q for %q: %v, want %v", test.actual, test.expected, got, test.want)
		}
	}
}

// A test that fails for two reasons, one of them the words, fails.
func TestSumUp(t *testing.T) {
	const words = `{"expected": "a", "actual": "1 validation error detected: a"}`
	report := `{"tests": [
		{"file": "tier1/putItem/a.test.ts", "name": "one", "state": "passed"},
		{"file": "tier1/putItem/a.test.ts", "name": "two", "state": "failed", "errors": [` + words + `]},
		{"file": "tier1/putItem/a.test.ts", "name": "three", "state": "failed", "errors": [` + words + `, {"expected": "1", "actual": "2"}]},
		{"file": "tier2/streams/a.test.ts", "name": "four", "state": "skipped"},
		{"file": "tier3/limits/a.test.ts", "name": "TransactWriteItems > five", "state": "failed", "errors": [{"message": "no"}]}
	]}`
	got, err := sumUp([]byte(report), "r")
	if err != nil {
		t.Fatal(err)
	}
	want := &results{
		Suite: suiteName, Revision: "r",
		Tiers: []tally{
			{Name: "tier1", Total: 3, Passed: 1, Reworded: 1, Failed: 1},
			{Name: "tier2", Total: 1, Skipped: 1},
			{Name: "tier3", Total: 1, Failed: 1},
		},
		Built:    tally{Name: got.Built.Name, Total: 3, Passed: 1, Reworded: 1, Failed: 1},
		Failed:   []string{"tier1/putItem/a.test.ts: three", "tier3/limits/a.test.ts: TransactWriteItems > five"},
		Reworded: []string{"tier1/putItem/a.test.ts: two"},
		Skipped:  map[string]int{"tier2/streams/a.test.ts": 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\nwant %s", got.encode(), want.encode())
	}
	if text := string(page(got)); !strings.Contains(text, "| tier1 | 3 | 1 | 1 | 1 | 0 | 66.7 % |") {
		t.Errorf("the page has no such row:\n%s", text)
	}
	if _, err := sumUp([]byte(`{"tests": []}`), ""); err == nil {
		t.Error("a report without a test is summed up")
	}
}
