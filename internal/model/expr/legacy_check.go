package expr

import (
	"slices"

	"stator/internal/model/attr"
)

const textInvalid = "One or more parameter values were invalid: "

// legacyRule is what a ComparisonOperator means and takes (semantics §9.2).
type legacyRule struct {
	op       op
	min, max int // values
	types    typeRule
}

// typeRule is a family of operand types.
type typeRule byte

const (
	typesAny     typeRule = iota // what EQ and NE take
	typesScalar                  // S, N, B
	typesPrefix                  // S, B
	typesElement                 // what CONTAINS looks for
)

var legacyRules = map[string]legacyRule{
	"EQ":           {opEQ, 1, 1, typesAny},
	"NE":           {opNE, 1, 1, typesAny},
	"LE":           {opLE, 1, 1, typesScalar},
	"LT":           {opLT, 1, 1, typesScalar},
	"GE":           {opGE, 1, 1, typesScalar},
	"GT":           {opGT, 1, 1, typesScalar},
	"CONTAINS":     {opContains, 1, 1, typesElement},
	"NOT_CONTAINS": {opContains, 1, 1, typesElement},
	"BEGINS_WITH":  {opBeginsWith, 1, 1, typesPrefix},
	"IN":           {opIn, 1, legacyInOperandsMax, typesScalar},
	"BETWEEN":      {opBetween, 2, 2, typesScalar},
	"NULL":         {opNotExists, 0, 0, typesAny},
	"NOT_NULL":     {opExists, 0, 0, typesAny},
}

// typeSet tells which types a family holds in one parameter.
type typeSet func(family typeRule, t attr.Type) bool

// filterTypes are the types of Expected, QueryFilter and ScanFilter. Documents and BOOL are compared by EQ and NE, and looked for by CONTAINS, though
// they came after these parameters.
func filterTypes(family typeRule, t attr.Type) bool {
	switch family {
	case typesScalar:
		return hasOrder(t)
	case typesPrefix:
		return t == attr.S || t == attr.B
	case typesElement:
		return hasOrder(t) || t == attr.BOOL || t == attr.NULL
	case typesAny:
	}
	return true
}

// keyTypes are the types of KeyConditions. Sets pass here although no key is a set: the key schema's own check refuses them with a text of its own.
func keyTypes(family typeRule, t attr.Type) bool {
	if family == typesAny {
		return hasOrder(t) || isSet(t)
	}
	return filterTypes(family, t)
}

// check checks an entry with an operator and a list of values.
func (c *LegacyCondition) check(types typeSet) string {
	for _, value := range c.Values {
		if text := value.Fault(); text != "" {
			return text
		}
	}
	rule := legacyRules[c.Operator]
	if text := rule.checkCount(c.Operator, len(c.Values)); text != "" {
		return text
	}
	if text := first(checkSameType(c.Values), rule.checkTypes(c.Operator, c.Values, types)); text != "" {
		return text
	}
	return c.checkBounds()
}

func (r legacyRule) checkCount(operator string, count int) string {
	if count >= r.min && count <= r.max {
		return ""
	}
	return textInvalid + "Invalid number of argument(s) for the " + operator + " ComparisonOperator"
}

func checkSameType(values []attr.Value) string {
	for _, value := range values {
		if value.Type() != values[0].Type() {
			return textInvalid + "AttributeValues inside AttributeValueList must be of same type"
		}
	}
	return ""
}

func (r legacyRule) checkTypes(operator string, values []attr.Value, types typeSet) string {
	for _, value := range values {
		if t := value.Type(); !types(r.types, t) {
			return textInvalid + "ComparisonOperator " + operator + " is not valid for " + t.String() + " AttributeValue type"
		}
	}
	return ""
}

func (c *LegacyCondition) checkBounds() string {
	if c.Operator != "BETWEEN" || attr.Compare(c.Values[0], c.Values[1]) <= 0 {
		return ""
	}
	return "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
}

// checkExpected checks an entry of Expected, which has two forms: an operator with values, or Value and Exists.
func (c *LegacyCondition) checkExpected() string {
	hasValue := len(c.Value) > 0
	of := " for Attribute: " + c.Attribute
	switch {
	case c.HasValues && hasValue:
		return textInvalid + "Value and AttributeValueList cannot be used together" + of
	case c.Operator != "" && c.Exists != nil:
		return textInvalid + "Exists and ComparisonOperator cannot be used together" + of
	case c.Operator != "" && legacyRules[c.Operator].max > 0 && !c.HasValues && !hasValue:
		return textInvalid + "Value or AttributeValueList must be used with ComparisonOperator: " + c.Operator + of
	case c.Operator != "":
		return c.normal().check(filterTypes)
	case c.HasValues:
		return textInvalid + "AttributeValueList can only be used with a ComparisonOperator" + of
	case c.Exists == nil && !hasValue:
		return textInvalid + "Value must be provided when Exists is null" + of
	case c.Exists != nil && *c.Exists && !hasValue:
		return textInvalid + "Value must be provided when Exists is true" + of
	case c.Exists != nil && !*c.Exists && hasValue:
		return textInvalid + "Value cannot be used when Exists is false" + of
	}
	return c.Value.Fault()
}

// normal gives the entry as an operator with a list of values.
func (c *LegacyCondition) normal() *LegacyCondition {
	n := &LegacyCondition{Attribute: c.Attribute, Operator: c.Operator, Values: slices.Clone(c.Values)}
	if len(c.Value) > 0 {
		n.Values = []attr.Value{c.Value}
	}
	switch {
	case c.Operator != "":
	case c.Exists != nil && !*c.Exists:
		n.Operator = "NULL"
	default:
		n.Operator = "EQ"
	}
	return n
}
