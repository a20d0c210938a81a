package partiql

import (
	"strconv"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// path gives a term's document path.
func (m *meaning) path(t *term) (expr.Path, *Error) {
	path := make(expr.Path, len(t.steps))
	for i, s := range t.steps {
		switch {
		case s.star:
			return nil, m.flaw("Unexpected path component", s.token)
		case s.indexed:
			index, err := m.index(s)
			if err != nil {
				return nil, err
			}
			path[i] = expr.Element{Index: index, Indexed: true}
		case s.token.text == "":
			return nil, &Error{"Path component cannot be an empty string"}
		default:
			path[i] = expr.Element{Name: s.token.text}
		}
	}
	return path, nil
}

func (m *meaning) index(s step) (int, *Error) {
	index, err := strconv.ParseInt(s.token.text, 10, 32)
	if err == nil && (!s.negative || index == 0) {
		return int(index), nil
	}
	text := s.token.text
	if s.negative {
		text = "-" + text
	}
	return 0, m.flaw("List index is not within the allowable range; index: ["+text+"]", s.token)
}

// columnName is the name under which a SELECT shows what it finds at a path: the path's last name with the indexes behind it.
func columnName(path expr.Path) string {
	last := len(path) - 1
	for path[last].Indexed {
		last--
	}
	name := path[last].Name
	for _, element := range path[last+1:] {
		name += "[" + strconv.Itoa(element.Index) + "]"
	}
	return name
}

// operand gives the meaning of a term that stands in a comparison or a function of a condition.
func (m *meaning) operand(t *term) (operand, *Error) {
	switch t.kind {
	case termPath:
		path, err := m.path(t)
		return operand{kind: operandPath, path: path}, err
	case termParameter:
		return operand{kind: operandParameter, index: t.index}, nil
	case termString, termNumber, termBool, termNull, termMissing, termList, termBag, termTuple:
		value, err := m.literal(t)
		return operand{kind: operandValue, value: value}, err
	case termCall:
		if t.text == "size" {
			args, err := m.operands(t.kids)
			return operand{kind: operandCall, name: t.text, args: args}, err
		}
	case termOperator, termStar:
	}
	test, err := m.test(t)
	return operand{kind: operandTest, test: test}, err
}

func (m *meaning) operands(terms []*term) ([]operand, *Error) {
	args := make([]operand, len(terms))
	for i, t := range terms {
		var err *Error
		if args[i], err = m.operand(t); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// inOperandsMax bounds what IN compares with (semantics §4).
const inOperandsMax = 100

// test gives the meaning of a term that holds or does not.
func (m *meaning) test(t *term) (*node, *Error) {
	switch t.kind {
	case termOperator:
		return m.operator(t)
	case termCall:
		if !functions[t.text] {
			return nil, m.flaw("Unrecognized function: "+t.text, t.token)
		}
		return m.leaf(t.text, t.kids)
	}
	return nil, m.flaw("Unsupported token in expression: "+m.text[t.token.start:t.token.end], t.token)
}

// functions are those that hold or do not.
var functions = map[string]bool{
	"attribute_exists": true, "attribute_not_exists": true, "attribute_type": true, "begins_with": true, "contains": true,
}

func (m *meaning) operator(t *term) (*node, *Error) {
	switch t.text {
	case "AND":
		return m.connective(nodeAnd, t)
	case "OR":
		return m.connective(nodeOr, t)
	case "NOT":
		return m.connective(nodeNot, t)
	case "IS":
		return m.typeTest(t)
	case "IN":
		return m.in(t)
	case "=", "<>", "<", "<=", ">", ">=", "BETWEEN":
		return m.leaf(t.text, t.kids)
	}
	return nil, &Error{"Unsupported operator in Condition Expression. Operator: " + t.text}
}

func (m *meaning) leaf(name string, terms []*term) (*node, *Error) {
	args, err := m.operands(terms)
	return &node{name: name, args: args}, err
}

// connective flattens what one operator joins: a long chain of ANDs is one node.
func (m *meaning) connective(op nodeOp, t *term) (*node, *Error) {
	n := &node{op: op}
	// The grammar leans chains to the left. They are walked with a stack of their own, as a chain is as long as a statement allows.
	var chain []*term
	for ; t.kind == termOperator && t.text == connectives[op] && op != nodeNot; t = t.kids[0] {
		chain = append(chain, t.kids[1])
	}
	if op == nodeNot {
		t = t.kids[0]
	}
	for first := t; ; {
		kid, err := m.test(first)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kid)
		if len(chain) == 0 {
			return n, nil
		}
		first = chain[len(chain)-1]
		chain = chain[:len(chain)-1]
	}
}

var connectives = map[nodeOp]string{nodeAnd: "AND", nodeOr: "OR"}

func (m *meaning) in(t *term) (*node, *Error) {
	candidates := t.kids[1:]
	if right := t.kids[1]; right.kind == termList && !right.grouped {
		candidates = right.kids
	} else if !right.grouped {
		return nil, m.flaw("Unsupported token in expression: "+m.text[right.token.start:right.token.end], right.token)
	}
	if len(candidates) > inOperandsMax {
		return nil, &Error{"The IN operator is provided with too many operands; number of operands: " + strconv.Itoa(len(candidates))}
	}
	if len(candidates) == 0 {
		return nil, &Error{"Incorrect number of operands for operator or function; operator or function: IN, number of operands: 0"}
	}
	return m.leaf("IN", append([]*term{t.kids[0]}, candidates...))
}

func (m *meaning) typeTest(t *term) (*node, *Error) {
	kid, err := m.operand(t.kids[0])
	if err != nil {
		return nil, err
	}
	if t.typed == "missing" {
		return &node{name: "attribute_not_exists", args: []operand{kid}}, nil
	}
	letter := typeNames[t.typed]
	if letter == "" {
		return nil, &Error{"Unsupported data type for IS operator: " + t.typed +
			". Supported data types are [MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]"}
	}
	return &node{name: "attribute_type", args: []operand{kid, {kind: operandValue, value: attr.String(letter)}}}, nil
}
