package expr

import "stator/internal/model/attr"

// The builders make conditions and updates out of parts instead of text, for languages with a grammar of their own. What they make is what the parsers
// make, checked by the same code in the same order, so that two languages cannot come to disagree. The tempting alternative is to print the text of an
// expression and to parse it: but no text says everything another language says, every value would need a name, and its faults would be told in the
// wrong words.

// Operand is a part of a condition or update that has a value. It belongs to the builder that made it.
type Operand struct{ operand }

// Test is a condition that is part of another one. It belongs to the builder that made it.
type Test struct{ node *node }

// Operands makes operands.
type Operands struct {
	paths  []Path
	values []attr.Value
}

// Path is the value at a document path.
func (o *Operands) Path(p Path) Operand {
	o.paths = append(o.paths, p)
	return Operand{operand{kind: operandPath, at: len(o.paths) - 1}}
}

// Value is a value that is known.
func (o *Operands) Value(v attr.Value) Operand {
	o.values = append(o.values, v)
	return Operand{operand{kind: operandValue, at: len(o.values) - 1}}
}

// Call is what a function makes of its arguments: size in conditions, + - and list_append in updates.
func (o *Operands) Call(name string, args ...Operand) Operand {
	return Operand{operand{kind: operandCall, call: &call{name: name, args: plain(args)}}}
}

func (o *Operands) bound() *bound { return &bound{paths: o.paths, values: o.values, whole: true} }

func plain(args []Operand) []operand {
	operands := make([]operand, len(args))
	for i, arg := range args {
		operands[i] = arg.operand
	}
	return operands
}

// ConditionBuilder makes one condition.
type ConditionBuilder struct {
	Operands

	leaves []*node
}

// Leaf is a comparison (=, <>, <, <=, >, >=, BETWEEN, IN) or a function that holds or does not, by its name in expressions.
func (b *ConditionBuilder) Leaf(name string, args ...Operand) Test {
	leaf := &node{op: leafOps[name], name: name, args: plain(args)}
	b.leaves = append(b.leaves, leaf)
	return Test{leaf}
}

// leafOps are the operators and functions that stand alone in a condition.
var leafOps = func() map[string]op {
	ops := map[string]op{"BETWEEN": opBetween, "IN": opIn}
	for name, op := range comparators {
		ops[name] = op
	}
	for name, op := range conditionGrammar.functions {
		if op != opUnknown {
			ops[name] = op
		}
	}
	return ops
}()

// And holds when all tests do.
func (b *ConditionBuilder) And(tests ...Test) Test { return join(opAnd, tests) }

// Or holds when one of the tests does.
func (b *ConditionBuilder) Or(tests ...Test) Test { return join(opOr, tests) }

// Not holds when the test does not.
func (b *ConditionBuilder) Not(test Test) Test { return join(opNot, []Test{test}) }

func join(by op, tests []Test) Test {
	n := &node{op: by, kids: make([]*node, len(tests))}
	for i, test := range tests {
		n.kids[i] = test.node
	}
	return Test{n}
}

// Outcome is whether a test holds, as a BOOL to compare with.
func (b *ConditionBuilder) Outcome(test Test) Operand {
	return Operand{operand{kind: operandTest, test: test.node}}
}

// Condition checks all leaves in the order they were made in. Errors are *Error.
func (b *ConditionBuilder) Condition(root Test) (*Condition, error) {
	c := leafCheck{bound: b.bound()}
	for _, leaf := range b.leaves {
		if fault := c.leaf(leaf); fault != "" {
			return nil, &Error{fault}
		}
	}
	return &Condition{root: root.node, paths: b.paths, values: b.values}, nil
}

// UpdateBuilder makes one update. Of what it writes only the finished item is measured (semantics §2.5).
type UpdateBuilder struct {
	Operands

	actions []actionSyntax
}

// Set makes value the value at target.
func (b *UpdateBuilder) Set(target Path, value Operand) { b.act(clauseSet, target, value) }

// Remove takes away what is at target.
func (b *UpdateBuilder) Remove(target Path) { b.act(clauseRemove, target, Operand{}) }

// Add unites the set at target with another.
func (b *UpdateBuilder) Add(target Path, value attr.Value) { b.act(clauseAdd, target, b.Value(value)) }

// Delete takes the members of a set out of the one at target.
func (b *UpdateBuilder) Delete(target Path, value attr.Value) {
	b.act(clauseDelete, target, b.Value(value))
}

func (b *UpdateBuilder) act(clause clause, target Path, value Operand) {
	b.paths = append(b.paths, target)
	b.actions = append(b.actions, actionSyntax{clause: clause, path: len(b.paths) - 1, value: value.operand})
}

// Update checks all actions. Errors are *Error.
func (b *UpdateBuilder) Update() (*Update, error) {
	u, fault := newUpdate(b.actions, b.bound())
	if fault != "" {
		return nil, &Error{fault}
	}
	u.built = true
	return u, nil
}

// Column is a document path whose value is shown under a name of its own.
type Column struct {
	Name string
	Path Path
}

// Columns projects to columns. Names are different from each other; paths need not be.
func Columns(columns []Column) *Projection {
	p := &Projection{paths: make([]Path, len(columns)), flat: columns}
	names := make([]string, len(columns))
	whole := len(columns) <= flatNamesMax
	for i, c := range columns {
		p.paths[i], names[i] = c.Path, c.Name
		whole = whole && len(c.Path) == 1 && c.Path[0].Name == c.Name
	}
	if whole {
		p.top = names
	}
	return p
}

func chooseColumns(columns []Column, item attr.Map) attr.Map {
	entries := make([]attr.Entry, 0, len(columns))
	for _, c := range columns {
		if value, found := c.Path.find(item); found {
			entries = append(entries, attr.Entry{Name: c.Name, Value: value})
		}
	}
	return attr.NewMap(entries)
}
