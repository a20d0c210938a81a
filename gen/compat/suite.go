package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// testCase is one test in a report of test/suite/reporter.mjs.
type testCase struct {
	File, Name string
	State      string // passed, failed or skipped
	Errors     []struct{ Message, Expected, Actual string }
}

// results is what docs/compatibility.json holds.
type results struct {
	Suite    string  `json:"suite"`
	Revision string  `json:"revision"`
	Tiers    []tally `json:"tiers"`
	// Built sums up the tests of what this server has set out to do so far.
	Built tally `json:"built"`
	// Failed and Reworded are tests by "file: name", Skipped the tests that the suite did not run, by file.
	Failed   []string       `json:"failed"`
	Reworded []string       `json:"reworded"`
	Skipped  map[string]int `json:"skipped"`
}

// tally counts tests. Reworded ones count as passed; what was skipped or failed did not.
type tally struct {
	Name     string `json:"name"`
	Total    int    `json:"total"`
	Passed   int    `json:"passed"`
	Reworded int    `json:"reworded"`
	Failed   int    `json:"failed"`
	Skipped  int    `json:"skipped"`
}

const suiteName = "nubo-db/dynamodb-conformance"

// later are the features that this server does not have yet; a test is theirs by its file or name.
var later = regexp.MustCompile(`(?i)transact|streams|ttl|partiql`)

// sumUp makes the results of a report.
func sumUp(report []byte, revision string) (*results, error) {
	var read struct{ Tests []testCase }
	if err := json.Unmarshal(report, &read); err != nil {
		return nil, err
	}
	if len(read.Tests) == 0 {
		return nil, fmt.Errorf("the report holds no test")
	}
	r := &results{
		Suite: suiteName, Revision: revision, Failed: []string{}, Reworded: []string{}, Skipped: map[string]int{},
		Built: tally{Name: "all tiers without transactions, streams, TTL and PartiQL"},
	}
	for _, test := range read.Tests {
		state := test.State
		if test.differsInWordsOnly() {
			state = "reworded"
		}
		tier, _, _ := strings.Cut(test.File, "/")
		r.tier(tier).count(state)
		if !later.MatchString(test.File + test.Name) {
			r.Built.count(state)
		}
		switch full := test.File + ": " + test.Name; state {
		case "passed":
		case "reworded":
			r.Reworded = append(r.Reworded, full)
		case "failed":
			r.Failed = append(r.Failed, full)
		default:
			r.Skipped[test.File]++
		}
	}
	slices.Sort(r.Failed)
	slices.Sort(r.Reworded)
	slices.SortFunc(r.Tiers, func(a, b tally) int { return strings.Compare(a.Name, b.Name) })
	return r, nil
}

func (r *results) tier(name string) *tally {
	at := slices.IndexFunc(r.Tiers, func(t tally) bool { return t.Name == name })
	if at < 0 {
		at = len(r.Tiers)
		r.Tiers = append(r.Tiers, tally{Name: name})
	}
	return &r.Tiers[at]
}

func (t *tally) count(state string) {
	t.Total++
	switch state {
	case "passed":
		t.Passed++
	case "reworded":
		t.Reworded++
	case "failed":
		t.Failed++
	default:
		t.Skipped++
	}
}

// differsInWordsOnly tells whether all that a failed test holds against the server is the wording of June 2026.
func (t *testCase) differsInWordsOnly() bool {
	if t.State != "failed" || len(t.Errors) == 0 {
		return false
	}
	for _, e := range t.Errors {
		if !reworded(e.Expected, e.Actual) {
			return false
		}
	}
	return true
}

// reasons says why tests fail that are expected to, by "file: name".
var reasons = map[string]string{
	"tier2/tags/basic.test.ts: Tags — validation > rejects ListTagsOfResource with a non-existent ARN": "the account in the ARN is " +
		"another than the suite's on AWS, and the server's own here: that the table is not there is what its owner is told",
	"tier3/validation-ordering/updateItem.test.ts: UpdateItem — validation ordering > reports invalid ReturnValues and invalid ReturnConsumedCapacity together": "since " +
		"June 2026 UpdateItem tells of the first of them alone, as the suite's later revisions have it",
}

// emptyBatch is what BatchGetItem says of a request for nothing, before and since August 2026.
var emptyBatch = [2]string{
	"The requestItems parameter is required for BatchGetItem",
	"1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: Member must have length greater than or equal to 1",
}

// envelope opens the messages of PutItem and UpdateItem about expressions and attribute values since June 2026.
const envelope = "1 validation error detected: "

var (
	// collection is a set as the old texts write it.
	collection = regexp.MustCompile(`\[[^\[\]"]+\]`)
	// withoutUse is the head of a text whose tail the new wording leaves out.
	withoutUse = regexp.MustCompile(`^(.* can only be specified when using expressions): .* is null$`)
)

// reworded tells whether actual says what expected does in the words of June 2026 (docs/decisions/0007-error-wording.md):
// with the envelope, with the members of a set in quotes, without the tail that names an absent expression.
func reworded(expected, actual string) bool {
	bare, ok := strings.CutPrefix(actual, envelope)
	if !ok || expected == "" {
		return false
	}
	if actual == emptyBatch[1] && (expected == emptyBatch[0] || expected == "requestItems") {
		return true
	}
	quoted := collection.ReplaceAllStringFunc(expected, func(set string) string {
		return `["` + strings.ReplaceAll(strings.Trim(set, "[]"), ", ", `", "`) + `"]`
	})
	return bare == expected || bare == quoted || bare == withoutUse.ReplaceAllString(expected, "$1")
}

func (r *results) encode() []byte {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("results cannot be encoded: %v", err))
	}
	return append(text, '\n')
}

func loadResults(path string) (*results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &results{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, nil
}
