package expr

import (
	"stator/internal/model/attr"
)

// Condition is a parsed condition bound to the names and values of a request. It is immutable.
type Condition struct {
	root   *node
	paths  []Path
	values []attr.Value
}

// ParseCondition parses a condition or filter; kind appears in messages. Errors are *Error.
func ParseCondition(kind Kind, text string, n *Names) (*Condition, error) {
	tree, b, err := bindCondition(kind, text, n)
	if err != nil {
		return nil, err
	}
	return &Condition{root: tree.root, paths: b.paths, values: b.values}, nil
}

func bindCondition(kind Kind, text string, n *Names) (*conditionTree, bound, error) {
	if err := n.Check(); err != nil {
		return nil, bound{}, err
	}
	tree, fault := conditionCache.parse(text, parseCondition)
	if fault == textTooLong && (kind == ConditionExpression || kind == FilterExpression) {
		return nil, bound{}, &TooLong{refusal: &Error{kind.says(fault)}, bytes: len(text)}
	}
	if fault != "" {
		return nil, bound{}, kind.refuse(fault)
	}
	b := tree.bind(n)
	for _, leaf := range tree.leaves {
		c := leafCheck{tables: &tree.tables, bound: &b, names: n}
		if fault := c.leaf(leaf); fault != "" {
			return nil, bound{}, kind.refuse(fault)
		}
	}
	return tree, b, nil
}

// Holds evaluates the condition over an item; nil is a missing item, which looks like an empty one. A nil condition holds.
func (c *Condition) Holds(item attr.Map) bool {
	if c == nil || c.root == nil {
		return true
	}
	return c.holds(c.root, item)
}

// Paths lists the document paths the condition mentions, in text order and with repetitions.
func (c *Condition) Paths() []Path {
	if c == nil {
		return nil
	}
	return c.paths
}

func (c *Condition) holds(n *node, item attr.Map) bool {
	switch n.op {
	case opAnd:
		for _, kid := range n.kids {
			if !c.holds(kid, item) {
				return false
			}
		}
		return true
	case opOr:
		for _, kid := range n.kids {
			if c.holds(kid, item) {
				return true
			}
		}
		return false
	case opNot:
		return !c.holds(n.kids[0], item)
	default:
		return c.test(n, item)
	}
}

// test evaluates a leaf. An operand without a value makes everything false but <> and attribute_not_exists (semantics §8.9).
func (c *Condition) test(n *node, item attr.Map) bool {
	x := c.evaluate(n.args[0], item)
	switch n.op {
	case opExists:
		return x != nil
	case opNotExists:
		return x == nil
	case opIn:
		return c.in(x, n.args[1:], item)
	}
	y := c.evaluate(n.args[1], item)
	if n.op == opNE {
		return x == nil || y == nil || !attr.Equal(x, y)
	}
	if x == nil || y == nil {
		return false
	}
	switch n.op {
	case opEQ:
		return attr.Equal(x, y)
	case opLT, opLE, opGT, opGE:
		return ordered(n.op, x, y)
	case opBetween:
		z := c.evaluate(n.args[2], item)
		return z != nil && ordered(opGE, x, y) && ordered(opLE, x, z)
	case opType:
		return string(y.Str()) == x.Type().String()
	case opBeginsWith:
		return beginsWith(x, y)
	case opContains:
		return contains(x, y)
	}
	return false
}

func (c *Condition) in(x attr.Value, candidates []operand, item attr.Map) bool {
	if x == nil {
		return false
	}
	for _, candidate := range candidates {
		if y := c.evaluate(candidate, item); y != nil && attr.Equal(x, y) {
			return true
		}
	}
	return false
}

// evaluate gives an operand's value, nil when the item has none.
func (c *Condition) evaluate(o operand, item attr.Map) attr.Value {
	switch o.kind {
	case operandValue:
		return c.values[o.at]
	case operandPath:
		value, found := c.paths[o.at].find(item)
		if !found {
			return nil
		}
		return value
	case operandTest:
		return attr.Bool(c.holds(o.test, item))
	default:
		return size(c.evaluate(o.call.args[0], item))
	}
}
