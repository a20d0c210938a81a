package expr

import (
	"slices"

	"stator/internal/model/attr"
)

// The parameters from before there were expressions (semantics §9) are translated to what expressions are compiled to. Their names are top-level names
// whatever they look like, and they have checks and texts of their own.

// LegacyCondition is one entry of Expected, QueryFilter, ScanFilter or KeyConditions.
type LegacyCondition struct {
	Attribute string
	Operator  string       // ComparisonOperator, "" when absent
	Values    []attr.Value // AttributeValueList; meaningful when HasValues
	HasValues bool
	Value     attr.Value // Expected only; len 0 when absent
	Exists    *bool      // Expected only
}

// LegacyExpected compiles Expected with its ConditionalOperator ("" when absent). Entries are checked in their order. Errors are *Error.
func LegacyExpected(expected []LegacyCondition, operator string) (*Condition, error) {
	if err := checkOperator(len(expected), operator); err != nil || len(expected) == 0 {
		return nil, err
	}
	builder := legacyBuilder{}
	for i := range expected {
		if text := expected[i].checkExpected(); text != "" {
			return nil, &Error{text}
		}
		builder.add(expected[i].normal())
	}
	return builder.condition(operator), nil
}

// LegacyFilter compiles QueryFilter or ScanFilter with its ConditionalOperator ("" when absent). Entries are checked in their order. Errors are *Error.
func LegacyFilter(filter []LegacyCondition, operator string) (*Condition, error) {
	if err := checkOperator(len(filter), operator); err != nil || len(filter) == 0 {
		return nil, err
	}
	builder := legacyBuilder{}
	for i := range filter {
		if text := filter[i].check(filterTypes); text != "" {
			return nil, &Error{text}
		}
		builder.add(&filter[i])
	}
	return builder.condition(operator), nil
}

// checkOperator refuses a ConditionalOperator that has nothing to join.
func checkOperator(conditions int, operator string) error {
	switch {
	case operator == "" || conditions > 1:
		return nil
	case conditions == 1:
		return &Error{"ConditionalOperator can only be used when Filter or Expected has two or more elements"}
	}
	return &Error{"ConditionalOperator cannot be used without Filter or Expected"}
}

// LegacyKeyConditions compiles KeyConditions, of which a key of several attributes takes more than two. An operator that cannot find keys stays in its
// part: whether the part is about a key at all is asked first. Errors are *Error.
func LegacyKeyConditions(conditions []LegacyCondition) (*KeyCondition, error) {
	k := &KeyCondition{}
	for i := range conditions {
		c := &conditions[i]
		if text := c.check(keyTypes); text != "" {
			return nil, &Error{text}
		}
		k.Parts = append(k.Parts, KeyPart{Name: c.Attribute, Op: keyOps[legacyRules[c.Operator].op], Values: c.Values})
	}
	return k, nil
}

// LegacyProjection compiles AttributesToGet. Errors are *Error.
func LegacyProjection(attributes []string) (*Projection, error) {
	paths := make([]Path, len(attributes))
	for i, name := range attributes {
		if text := CheckName(name); text != "" {
			return nil, &Error{text}
		}
		if slices.Contains(attributes[:i], name) {
			return nil, &Error{"One or more parameter values were invalid: Duplicate value in attribute name: " + name}
		}
		paths[i] = Path{{Name: name}}
	}
	p, text := newProjection(paths)
	if text != "" {
		return nil, &Error{text}
	}
	return p, nil
}

// legacyBuilder grows a condition entry by entry.
type legacyBuilder struct {
	paths  []Path
	values []attr.Value
	leaves []*node
}

// add appends one entry's node. NOT_CONTAINS is no mere negation: it is false for a missing attribute, as CONTAINS is.
func (b *legacyBuilder) add(c *LegacyCondition) {
	path := operand{kind: operandPath, at: len(b.paths)}
	b.paths = append(b.paths, Path{{Name: c.Attribute}})
	rule := legacyRules[c.Operator]
	leaf := &node{op: rule.op, name: c.Operator, args: []operand{path}}
	for _, value := range c.Values {
		leaf.args = append(leaf.args, operand{kind: operandValue, at: len(b.values)})
		b.values = append(b.values, value)
	}
	if c.Operator == "NOT_CONTAINS" {
		exists := &node{op: opExists, args: []operand{path}}
		leaf = &node{op: opAnd, kids: []*node{exists, {op: opNot, kids: []*node{leaf}}}}
	}
	b.leaves = append(b.leaves, leaf)
}

func (b *legacyBuilder) condition(operator string) *Condition {
	root := &node{op: opAnd, kids: b.leaves}
	if operator == "OR" {
		root.op = opOr
	}
	return &Condition{root: root, paths: b.paths, values: b.values}
}
