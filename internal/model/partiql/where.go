package partiql

import (
	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// Where is the condition of a statement with its parameters. It is asked what it says of keys, and for what remains to be tested then.
type Where struct {
	root       *node
	parameters []attr.Value
	whole      *expr.Condition
}

// Condition is all of it; nil when there is none.
func (w *Where) Condition() *expr.Condition {
	if w == nil {
		return nil
	}
	return w.whole
}

// condition compiles the conjunction of nodes and, unless exists is empty, of the existence of the attribute it names.
func (w *Where) condition(nodes []*node, exists string) (*expr.Condition, error) {
	var b expr.ConditionBuilder
	var tests []expr.Test
	for _, n := range nodes {
		tests = append(tests, w.test(&b, n))
	}
	if exists != "" {
		tests = append(tests, b.Leaf("attribute_exists", b.Path(expr.Path{{Name: exists}})))
	}
	if len(tests) == 0 {
		return nil, nil
	}
	c, err := b.Condition(b.And(tests...))
	return c, refused(err)
}

func (w *Where) test(b *expr.ConditionBuilder, n *node) expr.Test {
	if n.op == nodeLeaf {
		args := make([]expr.Operand, len(n.args))
		for i, arg := range n.args {
			args[i] = w.operand(b, arg)
		}
		return b.Leaf(n.name, args...)
	}
	tests := make([]expr.Test, len(n.kids))
	for i, kid := range n.kids {
		tests[i] = w.test(b, kid)
	}
	switch n.op {
	case nodeAnd:
		return b.And(tests...)
	case nodeOr:
		return b.Or(tests...)
	default:
		return b.Not(tests[0])
	}
}

func (w *Where) operand(b *expr.ConditionBuilder, o operand) expr.Operand {
	switch o.kind {
	case operandPath:
		return b.Path(o.path)
	case operandTest:
		return b.Outcome(w.test(b, o.test))
	case operandCall:
		args := make([]expr.Operand, len(o.args))
		for i, arg := range o.args {
			args[i] = w.operand(b, arg)
		}
		return b.Call(o.name, args...)
	default:
		return b.Value(known(o, w.parameters))
	}
}

// conjunction lists what must hold together.
func (w *Where) conjunction() []*node {
	if w == nil {
		return nil
	}
	var nodes []*node
	var walk func(n *node)
	walk = func(n *node) {
		if n.op != nodeAnd {
			nodes = append(nodes, n)
			return
		}
		for _, kid := range n.kids {
			walk(kid)
		}
	}
	walk(w.root)
	return nodes
}

// equated gives the values that a condition asks a top-level attribute to be one of, none when it asks for anything else.
func (w *Where) equated(n *node) (name string, values []attr.Value) {
	if n.op != nodeLeaf {
		return "", nil
	}
	switch n.name {
	case "IN":
		if name = attribute(n.args[0]); name == "" {
			return "", nil
		}
		for _, arg := range n.args[1:] {
			value := known(arg, w.parameters)
			if value == nil {
				return "", nil
			}
			values = append(values, value)
		}
		return name, values
	case "=":
		for i, arg := range n.args {
			if name, value := attribute(arg), known(n.args[1-i], w.parameters); name != "" && value != nil {
				return name, []attr.Value{value}
			}
		}
	}
	return "", nil
}

// attribute is the top-level name an operand is, "" for any other operand.
func attribute(o operand) string {
	if o.kind != operandPath || len(o.path) > 1 {
		return ""
	}
	return o.path[0].Name
}
