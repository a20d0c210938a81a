package expr

import (
	"slices"
	"strconv"

	"stator/internal/model/attr"
)

// leafCheck checks one comparison or function after binding. DynamoDB goes leaf by leaf in text order, and in each leaf reports undefined names and
// values, then operand counts, then an operand compared with itself, then operand types (semantics §8.5).
type leafCheck struct {
	tables *tables
	bound  *bound
	names  *Names
}

func (c *leafCheck) leaf(n *node) string {
	if !c.bound.whole {
		if fault := c.undefined(n.args); fault != "" {
			return fault
		}
	}
	if fault := c.counts(n); fault != "" {
		return fault
	}
	return first(c.distinct(n), c.types(n))
}

func (c *leafCheck) undefined(args []operand) string {
	for _, arg := range args {
		var fault string
		switch arg.kind {
		case operandPath:
			fault = c.tables.undefinedName(arg.at, c.names)
		case operandValue:
			fault = c.tables.undefinedValue(arg.at, c.bound)
		case operandCall:
			fault = c.undefined(arg.call.args)
		}
		if fault != "" {
			return fault
		}
	}
	return ""
}

func (c *leafCheck) counts(n *node) string {
	if fault := nestedCounts(n.args); fault != "" {
		return fault
	}
	switch {
	case n.op >= opExists:
		return checkCount(n.name, len(n.args))
	case n.op == opIn && len(n.args)-1 > inOperandsMax:
		return "The IN operator is provided with too many operands; number of operands: " + strconv.Itoa(len(n.args)-1)
	}
	return ""
}

func nestedCounts(args []operand) string {
	for _, arg := range args {
		if arg.kind != operandCall {
			continue
		}
		if fault := first(nestedCounts(arg.call.args), checkCount(arg.call.name, len(arg.call.args))); fault != "" {
			return fault
		}
	}
	return ""
}

func checkCount(name string, count int) string {
	if arities[name] == count {
		return ""
	}
	return "Incorrect number of operands for operator or function; operator or function: " + name + ", number of operands: " + strconv.Itoa(count)
}

func (c *leafCheck) distinct(n *node) string {
	if n.args[0].kind != operandPath {
		return ""
	}
	left := c.bound.paths[n.args[0].at]
	for _, arg := range n.args[1:] {
		if arg.kind == operandPath && slices.Equal(left, c.bound.paths[arg.at]) {
			return "The first operand must be distinct from the remaining operands for this operator or function; operator: " + n.name +
				", first operand: " + left.String()
		}
	}
	return ""
}

func (c *leafCheck) types(n *node) string {
	for _, arg := range n.args {
		if arg.kind == operandCall {
			if fault := c.sizeTypes(arg.call); fault != "" {
				return fault
			}
		}
	}
	switch n.op {
	case opExists, opNotExists:
		if n.args[0].kind != operandPath {
			return pathText(n.name)
		}
	case opType:
		return c.typeName(n)
	case opBeginsWith:
		return c.allowed(n, func(t attr.Type) bool { return t == attr.S || t == attr.B })
	case opLT, opLE, opGT, opGE:
		return c.allowed(n, hasOrder)
	case opBetween:
		if fault := c.allowed(n, hasOrder); fault != "" {
			return fault
		}
		return c.bounds(n)
	}
	return ""
}

func pathText(function string) string {
	return "Operator or function requires a document path; operator or function: " + function
}

// sizeTypes checks size(), innermost first.
func (c *leafCheck) sizeTypes(size *call) string {
	arg := size.args[0]
	if arg.kind == operandCall {
		if fault := c.sizeTypes(arg.call); fault != "" {
			return fault
		}
	}
	switch t := c.bound.staticType(arg); t {
	case attr.N, attr.BOOL, attr.NULL:
		return operandTypeText(size.name, t.String())
	}
	return ""
}

// allowed finds an operand whose type is known beforehand and will not do.
func (c *leafCheck) allowed(n *node, fits func(attr.Type) bool) string {
	for _, arg := range n.args {
		if t := c.bound.staticType(arg); t != 0 && !fits(t) {
			return operandTypeText(n.name, t.String())
		}
	}
	return ""
}

// typeName checks the second operand of attribute_type, which must be known beforehand.
func (c *leafCheck) typeName(n *node) string {
	arg := n.args[1]
	if arg.kind == operandPath {
		return operandTypeText(n.name, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	if t := c.bound.staticType(arg); t != attr.S {
		return operandTypeText(n.name, t.String())
	}
	name := string(c.bound.values[arg.at].Str())
	for t := attr.S; t <= attr.NULL; t++ {
		if t.String() == name {
			return ""
		}
	}
	return "Invalid attribute type name found; type: " + name + ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
}

// bounds compares the bounds of BETWEEN when both are placeholders.
func (c *leafCheck) bounds(n *node) string {
	if n.args[1].kind != operandValue || n.args[2].kind != operandValue {
		return ""
	}
	lower, upper := c.bound.values[n.args[1].at], c.bound.values[n.args[2].at]
	rule := ""
	switch {
	case lower.Type() != upper.Type():
		rule = "same data type for lower and upper bounds"
	case attr.Compare(lower, upper) > 0:
		rule = "upper bound to be greater than or equal to lower bound"
	default:
		return ""
	}
	return "The BETWEEN operator requires " + rule + "; lower bound operand: AttributeValue: " + lower.Text() +
		", upper bound operand: AttributeValue: " + upper.Text()
}
