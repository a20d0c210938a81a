package expr_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/go-faster/jx"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// script is the state a golden file builds up: the commands item, names and values set it, all others are asked once a line. What is evaluated went to
// bytes and back: a golden answer holds for the node that compiled an expression, and for the one that was sent it.
type script struct {
	t      *testing.T
	item   attr.Map
	names  map[string]string
	values attr.Map
}

func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		s := &script{t: t}
		datadriven.RunTest(t, path, s.run)
	})
}

func (s *script) run(_ *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "item":
		s.item = s.decode(d.Input)
		return ""
	case "names":
		s.names = nil
		if d.Input != "" {
			s.unmarshal(d.Input, &s.names)
		}
		return ""
	case "values":
		s.values = s.decode(d.Input)
		return ""
	}
	var out strings.Builder
	for line := range strings.SplitSeq(d.Input, "\n") {
		fmt.Fprintf(&out, "%s\n", s.answer(d, line))
	}
	return out.String()
}

// answer runs one line of a command.
func (s *script) answer(d *datadriven.TestData, line string) string {
	n := expr.NewNames(s.names, s.values)
	switch d.Cmd {
	case "condition":
		return s.condition(d, line, n)
	case "projection":
		p, err := expr.ParseProjection(line, n)
		if err != nil {
			return err.Error()
		}
		return text(throughProjection(s.t, p).Apply(s.item))
	case "update":
		u, err := expr.ParseUpdate(line, n)
		if err != nil {
			return err.Error()
		}
		return s.apply(u, d.HasArg("touched"))
	case "key":
		k, err := expr.ParseKeyCondition(line, n)
		if err == nil {
			err = k.Check()
		}
		return keyParts(k, err)
	case "search":
		k, err := expr.ParseSearchCondition(line, n)
		return keyParts(k, err)
	case "unused":
		if _, err := expr.ParseCondition(expr.ConditionExpression, line, n); err != nil {
			return err.Error()
		}
		return outcome(n.Unused())
	}
	return s.legacy(d, line)
}

func (s *script) condition(d *datadriven.TestData, line string, n *expr.Names) string {
	kind := expr.FilterExpression
	if d.HasArg("kind") {
		var name string
		d.ScanArgs(s.t, "kind", &name)
		kind = expr.Kind(name)
	}
	c, err := expr.ParseCondition(kind, line, n)
	switch {
	case err != nil:
		return err.Error()
	case d.HasArg("parse"):
		return "ok"
	}
	return fmt.Sprint(throughCondition(s.t, c).Holds(s.item))
}

func (s *script) apply(u *expr.Update, touched bool) string {
	u = throughUpdate(s.t, u)
	after, err := u.Apply(s.item, attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("k")}}))
	switch {
	case err != nil:
		return err.Error()
	case touched:
		return "old " + text(u.Touched(s.item)) + " new " + text(u.Touched(after))
	case s.item == nil:
		return text(after)
	}
	return changes(s.item, after)
}

// changes shows what differs between two items, so that a script need not repeat what stayed.
func changes(before, after attr.Map) string {
	var parts []string
	for name, value := range after.All() {
		if old, found := before.Get(name); !found || !attr.Equal(old, value) {
			parts = append(parts, name+"="+string(value.AppendJSON(nil)))
		}
	}
	for name := range before.All() {
		if _, found := after.Get(name); !found {
			parts = append(parts, "-"+name)
		}
	}
	if parts == nil {
		return "no change"
	}
	return strings.Join(parts, " ")
}

type legacyEntry struct {
	Attribute string
	Op        string
	Values    []json.RawMessage
	Value     json.RawMessage
	Exists    *bool
	Action    string
}

// legacy runs a line that holds a JSON list of entries.
func (s *script) legacy(d *datadriven.TestData, line string) string {
	operator, _, _ := strings.Cut(line, "[")
	var entries []legacyEntry
	s.unmarshal(line[len(operator):], &entries)
	operator = strings.TrimSpace(operator)
	var conditions []expr.LegacyCondition
	var updates []expr.LegacyUpdate
	for _, e := range entries {
		c := expr.LegacyCondition{Attribute: e.Attribute, Operator: e.Op, HasValues: e.Values != nil, Exists: e.Exists, Value: s.value(e.Value)}
		for _, value := range e.Values {
			c.Values = append(c.Values, s.value(value))
		}
		conditions = append(conditions, c)
		updates = append(updates, expr.LegacyUpdate{Attribute: e.Attribute, Action: e.Action, Value: s.value(e.Value)})
	}
	switch d.Cmd {
	case "legacy-key":
		k, err := expr.LegacyKeyConditions(conditions)
		return keyParts(k, err)
	case "legacy-update":
		u, err := expr.LegacyUpdates(updates)
		if err != nil {
			return err.Error()
		}
		return s.apply(u, false)
	}
	compile := expr.LegacyFilter
	if d.Cmd == "expected" {
		compile = expr.LegacyExpected
	}
	c, err := compile(conditions, operator)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(throughCondition(s.t, c).Holds(s.item))
}

func keyParts(k *expr.KeyCondition, err error) string {
	if err != nil {
		return err.Error()
	}
	ops := []string{"unindexable", "EQ", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH"}
	parts := make([]string, 0, len(k.Parts))
	for _, part := range k.Parts {
		values := make([]string, 0, len(part.Values))
		for _, value := range part.Values {
			values = append(values, value.Text())
		}
		parts = append(parts, part.Name+" "+ops[part.Op]+" "+strings.Join(values, " "))
	}
	return strings.Join(parts, "; ")
}

func outcome(err error) string {
	if err != nil {
		return err.Error()
	}
	return "ok"
}

func text(m attr.Map) string {
	if m == nil {
		return "none"
	}
	return string(m.AppendJSON(nil))
}

func (s *script) decode(input string) attr.Map {
	if input == "" || input == "none" {
		return nil
	}
	m, err := attr.DecodeMap(jx.DecodeStr(input), nil)
	if err != nil {
		s.t.Fatalf("%s: %v", input, err)
	}
	return m
}

func (s *script) value(input json.RawMessage) attr.Value {
	if input == nil {
		return nil
	}
	v, err := attr.DecodeValue(jx.DecodeBytes(slices.Clone(input)), nil)
	if err != nil {
		s.t.Fatalf("%s: %v", input, err)
	}
	return v
}

func (s *script) unmarshal(input string, into any) {
	if err := json.Unmarshal([]byte(input), into); err != nil {
		s.t.Fatalf("%s: %v", input, err)
	}
}
