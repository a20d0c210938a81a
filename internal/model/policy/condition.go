package policy

import (
	"slices"
	"strings"
)

// condition compares the values that a request has for a key with those of the document, of which one must match.
type condition struct {
	written  string // the operator as it was written
	operator *operator
	quantity quantity
	// ifExists lets a request pass that has no value.
	ifExists bool
	name     string // the key as it was written
	key      Key
	tag      string // the tag that the key is about, "" if it is about none
	values   []value
}

// quantity is how many of a request's values must pass.
type quantity byte

const (
	single quantity = iota
	forAll
	forAny
)

// value is one value of the document.
type value struct {
	text    string
	matches func(text string, f Facts) bool
}

func (c *condition) holds(f Facts) bool {
	values := c.asked(f)
	if c.operator.absence {
		return c.absent() == (len(values) == 0)
	}
	switch {
	case c.quantity == forAll:
		// Of no values all pass: a statement that allows an action without a partition key, as Scan is, must not rely on
		// ForAllValues alone.
		for _, v := range values {
			if !c.passes(v, f) {
				return false
			}
		}
		return true
	case len(values) == 0:
		return c.ifExists || c.quantity == single && c.operator.negated
	}
	for _, v := range values {
		if c.passes(v, f) {
			return true
		}
	}
	return false
}

// asked are the values that the request has for the key. The case of a tag's name does not matter, as that of no key does.
func (c *condition) asked(f Facts) []string {
	if !c.key.ofTag() {
		return f.Values(c.key)
	}
	var values []string
	for name, text := range f.Tags(c.key) {
		if strings.EqualFold(name, c.tag) {
			values = append(values, text)
		}
	}
	return values
}

// passes tells whether one value of a request matches one of the document's, or with a negated operator none of them.
func (c *condition) passes(text string, f Facts) bool {
	for i := range c.values {
		if c.values[i].matches(text, f) {
			return !c.operator.negated
		}
	}
	return c.operator.negated
}

// absent is what a Null condition asks for.
func (c *condition) absent() bool {
	return c.values[0].matches("true", nil)
}

// narrows tells whether the condition leaves a bounded set of callers, whoever the statement speaks of.
func (c *condition) narrows() bool {
	if c.operator.negated || c.operator.absence || c.ifExists || c.quantity == forAll {
		return false
	}
	if c.key != PrincipalARN && c.key != PrincipalAccount && c.key != SourceIP {
		return false
	}
	return !slices.ContainsFunc(c.values, func(v value) bool { return v.text == "*" || strings.HasSuffix(v.text, "/0") })
}
