package partiql

import (
	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// Statement is what a text means as far as the text alone says it: parameters are open, and so is what table there is. It is immutable and shared by all
// requests with the same text.
type Statement struct {
	Verb      Verb
	Table     string
	Index     string // "" when the statement names none
	Order     []Order
	Returning Returning

	text       string
	parameters int
	columns    *expr.Projection // nil shows whole items
	noColumn   *Error           // what is wrong with a column of a SELECT that is no path; there are no columns beside it
	where      *node            // nil when there is no condition
	item       []entry          // of an INSERT
	actions    []action         // of an UPDATE
}

// Order is one attribute that a SELECT asks to be ordered by.
type Order struct {
	Name       string
	Descending bool
}

// entry is one attribute of an item to insert.
type entry struct {
	name  string
	value operand
}

// action is one change of an update.
type action struct {
	kind   actionKind
	target expr.Path
	value  operand
	// first is the first argument of set_add or set_delete: its place is told when the second is no set.
	first token
}

type actionKind byte

const (
	actionSet actionKind = iota + 1
	actionRemove
	actionAdd
	actionDelete
)

// node is a condition: a connective over other conditions, or a comparison or function over operands.
type node struct {
	op   nodeOp
	name string // of a leaf, as package expr spells it
	kids []*node
	args []operand
}

type nodeOp byte

const (
	nodeLeaf nodeOp = iota
	nodeAnd
	nodeOr
	nodeNot
)

// operand is a part of a leaf, or what an update sets.
type operand struct {
	kind  operandKind
	path  expr.Path
	value attr.Value
	index int       // of a parameter
	name  string    // of a call
	args  []operand // of a call
	test  *node
}

type operandKind byte

const (
	operandPath operandKind = iota + 1
	operandValue
	operandParameter
	operandCall
	operandTest // whether a condition holds
)

func parse(text string) (*Statement, *Error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens}
	script, err := p.script()
	if err != nil {
		return nil, err
	}
	m := meaning{text: text}
	s, err := m.statement(script)
	if err != nil {
		return nil, err
	}
	s.text, s.parameters = text, p.parameters
	return s, nil
}

// meaning finds out what a script means to DynamoDB.
type meaning struct{ text string }

func (m *meaning) statement(from *script) (*Statement, *Error) {
	s := &Statement{Verb: from.verb, Returning: from.returning}
	if err := m.source(s, from.table); err != nil {
		return nil, err
	}
	steps := []func(*Statement, *script) *Error{m.columns, m.item, m.actions, m.condition, m.order}
	for _, step := range steps {
		if err := step(s, from); err != nil {
			return nil, err
		}
	}
	if r := s.Returning; s.Verb == Delete && r.Given && (!r.All || r.New) {
		return nil, &Error{"Invalid returning clause: RETURNING " + r.String() + ". Only RETURNING ALL OLD * is allowed in DELETE statements."}
	}
	return s, nil
}

// CheckColumns refuses a column that is no path. It stands apart from parsing because DynamoDB says so only when it knows that it may read
// what the statement names. Errors are *Error.
func (s *Statement) CheckColumns() error {
	if s.noColumn != nil {
		return s.noColumn
	}
	return nil
}

// source takes the table's name and the index's out of a path.
func (m *meaning) source(s *Statement, path *term) *Error {
	var names []string
	for _, step := range path.steps {
		if step.indexed || step.star {
			return m.flaw("Unexpected path component", step.token)
		}
		if step.token.text == "" {
			return &Error{"Path component cannot be an empty string"}
		}
		names = append(names, step.token.text)
	}
	switch {
	case len(names) > 1 && s.Verb == Insert:
		return &Error{"FROM clause may only contain a single table name"}
	case len(names) > 2:
		return &Error{"A path may contain at most 2 components in the FROM clause"}
	case len(names) > 1 && !s.Verb.Reads() && s.Verb != Exists:
		return &Error{"This operation is not supported on an index"}
	case len(names) > 1:
		s.Index = names[1]
	}
	s.Table = names[0]
	return nil
}

func (m *meaning) columns(s *Statement, from *script) *Error {
	if len(from.columns) == 0 || len(from.columns) == 1 && from.columns[0].kind == termStar {
		return nil
	}
	columns := make([]expr.Column, len(from.columns))
	seen := make(map[string]bool, len(columns))
	for i, column := range from.columns {
		if column.kind == termStar {
			return &Error{"Other attributes should not be present in the projection when '*' is used."}
		}
		if column.kind != termPath {
			flaw := m.flaw("Unexpected path component", column.token)
			if s.Verb != Select {
				return flaw
			}
			s.noColumn = flaw
			return nil
		}
		path, err := m.path(column)
		if err != nil {
			return err
		}
		columns[i] = expr.Column{Name: columnName(path), Path: path}
		if seen[columns[i].Name] {
			return &Error{"Duplicate identifiers in select clause: " + columns[i].Name}
		}
		seen[columns[i].Name] = true
	}
	s.columns = expr.Columns(columns)
	return nil
}

func (m *meaning) condition(s *Statement, from *script) *Error {
	if from.where == nil {
		return nil
	}
	var err *Error
	s.where, err = m.test(from.where)
	return err
}

func (m *meaning) order(s *Statement, from *script) *Error {
	for _, o := range from.order {
		if o.by.kind != termPath || len(o.by.steps) > 1 {
			return m.flaw("Unexpected path component", o.by.token)
		}
		s.Order = append(s.Order, Order{o.by.steps[0].token.text, o.descending})
	}
	return nil
}

// flaw is the refusal of something at a token.
func (m *meaning) flaw(text string, at token) *Error { return &Error{text + position(m.text, at)} }
