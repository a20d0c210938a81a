package main

import (
	"fmt"
	"slices"
	"strings"
)

// rules generates the variables that the checks of a service refer to.
func (v *validator) rules(reachable map[string]bool) {
	if v.m == v.models[0] {
		v.tableNameRules()
	}
	v.out.f("var (")
	for _, name := range v.m.Shapes.names {
		s := v.m.shape(name)
		if !reachable[name] && !v.keyOfReachable(name, reachable) {
			continue
		}
		if len(s.Enum) > 0 && v.owner[name] == v.m {
			v.out.f("enum%s = enumRule{%s}", name, quoted(v.enumOrder(s)))
		}
		if v.shapeRule(name) != "" {
			v.out.f("%s = textRule{%s}", v.ruleName(name), v.ruleFields(s))
		}
	}
	v.out.f(")")
}

// tableNameRules generates the rules for names of tables, which the model does not have.
func (v *validator) tableNameRules() {
	names := v.overlay.TableNames
	common := fmt.Sprintf("max: %d, pattern: &%s, echoEmpty: true, arn: true, alone: true", names.Max, v.patternName(names.Pattern))
	v.out.f("var (")
	v.out.f("ruleTableName = textRule{min: %d, %s}", names.Min, common)
	v.out.f("ruleTableNameFromOne = textRule{min: 1, %s}", common)
	v.out.f(")\n")
}

func (v *validator) keyOfReachable(name string, reachable map[string]bool) bool {
	for _, other := range v.m.Shapes.names {
		s := v.m.shape(other)
		if s.Type == "map" && s.Key.Shape == name && reachable[other] && v.m.wireKind(other) == "map" {
			return true
		}
	}
	return false
}

func (v *validator) ruleFields(s *shape) string {
	low, high := "unbounded", "unbounded"
	if s.Min != nil {
		low = fmt.Sprint(*s.Min)
	}
	if s.Max != nil {
		high = fmt.Sprint(*s.Max)
	}
	fields := []string{"min: " + low, "max: " + high}
	if s.Pattern != "" {
		fields = append(fields, "pattern: &"+v.patternName(s.Pattern))
	}
	if v.overlay.EchoEmpty[s.name] {
		fields = append(fields, "echoEmpty: true")
	}
	return strings.Join(fields, ", ")
}

// enumOrder gives the values in the service's order. An overlay that does not name the model's values is an error.
func (v *validator) enumOrder(s *shape) []string {
	order, ok := v.overlay.Enums[s.name]
	if !ok {
		return s.Enum
	}
	have, want := slices.Sorted(slices.Values(order)), slices.Sorted(slices.Values(s.Enum))
	if !slices.Equal(have, want) {
		panic(fmt.Sprintf("overlay enum %s has %v, the model %v", s.name, have, want))
	}
	return order
}

func quoted(values []string) string {
	var out []string
	for _, value := range values {
		out = append(out, fmt.Sprintf("%q", value))
	}
	return strings.Join(out, ", ")
}

// patternName is the variable of a model's regular expression. One that the overlay does not translate is an error.
func (g *generator) patternName(java string) string {
	for _, p := range g.overlay.Patterns {
		if p.Java == java {
			return "pattern" + exported(p.Name)
		}
	}
	panic(fmt.Sprintf("overlay patterns do not translate %q", java))
}

// patternsFile generates the patterns.
func (g *generator) patternsFile() *source {
	out := newSource()
	out.f("var (")
	for _, p := range g.overlay.Patterns {
		if p.Match != "" {
			out.f("%s = pattern{java: %q, match: %s}", g.patternName(p.Java), p.Java, p.Match)
			continue
		}
		out.f("%s = pattern{java: %q, match: matcher(%q)}", g.patternName(p.Java), p.Java, "^(?:"+p.Go+")$")
	}
	out.f(")")
	return out
}
