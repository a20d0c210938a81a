package partiql

import "strings"

// A term is an expression as it is written, before anyone asks whether DynamoDB gives it a meaning: the grammar is that of PartiQL as a whole, and what a
// text lacks in grammar is told before what it lacks in meaning.

type termKind byte

const (
	termPath termKind = iota + 1
	termString
	termNumber // text has the sign
	termBool   // text is true or false
	termNull
	termMissing
	termParameter
	termList
	termBag
	termTuple    // kids are keys and values in turn
	termCall     // text is the name in lower case
	termOperator // text is the operator in upper case
	termStar
)

type term struct {
	kind    termKind
	token   token // where messages point to
	text    string
	kids    []*term
	steps   []step // of a path
	index   int    // of a parameter, from zero
	typed   string // what follows IS
	grouped bool   // stands in parentheses
}

// step is one component of a path.
type step struct {
	token    token
	indexed  bool
	negative bool // an index with a minus
	star     bool
}

// nestingMax bounds how deep terms may lie in each other: what walks them may recurse.
const nestingMax = 300

// The precedences of operators, the loosest first.
const (
	precedenceNone = iota
	precedenceOr
	precedenceAnd
	precedenceNot
	precedenceEqual
	precedenceCompare
	precedenceAdd
	precedenceMultiply
)

var precedences = map[string]int{
	"or": precedenceOr, "and": precedenceAnd,
	"=": precedenceEqual, "<>": precedenceEqual, "is": precedenceEqual, "in": precedenceEqual,
	"<": precedenceCompare, "<=": precedenceCompare, ">": precedenceCompare, ">=": precedenceCompare, "between": precedenceCompare,
	"like": precedenceCompare,
	"+":    precedenceAdd, "-": precedenceAdd, "||": precedenceAdd,
	"*": precedenceMultiply, "/": precedenceMultiply, "%": precedenceMultiply,
}

// term reads the longest term whose operators bind tighter than a precedence.
func (p *parser) term(above int) (*term, *Error) {
	if p.depth++; p.depth > nestingMax {
		return nil, illFormed("Expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	left, err := p.prefix()
	for err == nil {
		operator, negated := p.infix()
		binds := precedences[operator]
		if binds <= above {
			return left, nil
		}
		left, err = p.operation(left, operator, negated)
	}
	return nil, err
}

// infix is the operator the next tokens are, "" when they are none. NOT may precede some.
func (p *parser) infix() (operator string, negated bool) {
	t := p.peek()
	if t.is("not") {
		if after := p.tokens[p.at+1]; after.is("in") || after.is("between") || after.is("like") {
			return after.text, true
		}
		return "", false
	}
	if t.kind != tokenPunct && t.kind != tokenKeyword {
		return "", false
	}
	if _, known := precedences[t.text]; !known {
		return "", false
	}
	return t.text, false
}

// operation reads an operator and what stands to its right.
func (p *parser) operation(left *term, operator string, negated bool) (*term, *Error) {
	first := p.take()
	if negated {
		p.take()
	}
	if operator == "is" {
		return p.typeTest(left, first)
	}
	if p.peek().kind == tokenEnd {
		return nil, illFormed("Missing right-hand side expression of infix operator")
	}
	right, err := p.term(precedences[operator])
	if err != nil {
		return nil, err
	}
	t := &term{kind: termOperator, token: first, text: strings.ToUpper(operator), kids: []*term{left, right}}
	if operator == "between" {
		if err := p.expect("and", "Expected AND after BETWEEN"); err != nil {
			return nil, err
		}
		upper, err := p.term(precedenceCompare)
		if err != nil {
			return nil, err
		}
		t.kids = append(t.kids, upper)
	}
	if negated {
		t = &term{kind: termOperator, token: first, text: "NOT", kids: []*term{t}}
	}
	return t, nil
}

// typeTest reads what follows IS.
func (p *parser) typeTest(left *term, first token) (*term, *Error) {
	t := &term{kind: termOperator, token: first, text: "IS", kids: []*term{left}}
	negated := p.accept("not")
	name := strings.ToLower(p.peek().text)
	if p.at+1 < len(p.tokens) {
		if double := name + " " + strings.ToLower(p.tokens[p.at+1].text); typeKnown(double) {
			p.take()
			name = double
		}
	}
	if k := p.peek().kind; !typeKnown(name) || k != tokenName && k != tokenKeyword {
		return nil, illFormed("Expected type name")
	}
	p.take()
	t.typed = name
	if negated {
		t = &term{kind: termOperator, token: first, text: "NOT", kids: []*term{t}}
	}
	return t, nil
}

func typeKnown(name string) bool {
	_, known := typeNames[name]
	return known
}

// prefix reads a term that no operator joins to another.
func (p *parser) prefix() (*term, *Error) {
	t := p.peek()
	switch t.kind {
	case tokenName, tokenQuoted:
		if t.kind == tokenName && p.tokens[p.at+1].is("(") {
			return p.call()
		}
		return p.path()
	case tokenString:
		return p.scalar(termString), nil
	case tokenNumber:
		return p.scalar(termNumber), nil
	case tokenParameter:
		parameter := p.scalar(termParameter)
		parameter.index = p.parameters
		p.parameters++
		return parameter, nil
	case tokenKeyword:
		return p.keyword()
	case tokenPunct:
		return p.punct()
	}
	return nil, illFormed("Unexpected term")
}

func (p *parser) scalar(kind termKind) *term {
	t := p.take()
	return &term{kind: kind, token: t, text: t.text}
}

func (p *parser) keyword() (*term, *Error) {
	t := p.peek()
	switch t.text {
	case "true", "false":
		return p.scalar(termBool), nil
	case "null":
		return p.scalar(termNull), nil
	case "missing":
		return p.scalar(termMissing), nil
	case "not":
		p.take()
		kid, err := p.term(precedenceNot)
		if err != nil {
			return nil, err
		}
		return &term{kind: termOperator, token: t, text: "NOT", kids: []*term{kid}}, nil
	case "from":
		return p.manipulation()
	}
	switch _, operator := precedences[t.text]; {
	case operator:
		return nil, illFormed("Unexpected operator")
	case callable[t.text] && p.tokens[p.at+1].is("("):
		return p.call()
	}
	return nil, illFormed("Unexpected keyword")
}

// manipulation reads an update that begins with FROM. The grammar has it wherever a term may stand: a misspelt SELECT is told of by what its FROM lacks.
func (p *parser) manipulation() (*term, *Error) {
	from := p.take()
	if _, err := p.fromFirst(); err != nil {
		return nil, err
	}
	p.note("Unsupported token in expression: " + p.text[from.start:from.end] + position(p.text, from))
	return &term{kind: termNull, token: from}, nil
}

func (p *parser) punct() (*term, *Error) {
	t := p.peek()
	switch t.text {
	case "(":
		return p.group()
	case "[":
		return p.sequence(termList, "]", "Expected RIGHT_BRACKET")
	case "<<":
		return p.sequence(termBag, ">>", "Expected RIGHT_DOUBLE_ANGLE_BRACKET")
	case "{":
		return p.tuple()
	case "-", "+":
		return p.signed()
	case "*":
		return p.scalar(termStar), nil
	}
	if _, operator := precedences[t.text]; operator {
		return nil, illFormed("Unexpected operator")
	}
	return nil, illFormed("Unexpected term")
}

// signed reads a sign and what it belongs to. Only a number can have one.
func (p *parser) signed() (*term, *Error) {
	sign := p.take()
	kid, err := p.term(precedenceMultiply)
	if err != nil {
		return nil, err
	}
	if kid.kind != termNumber || kid.grouped {
		return &term{kind: termOperator, token: sign, text: sign.text, kids: []*term{kid}}, nil
	}
	if sign.text == "-" {
		if text, negative := strings.CutPrefix(kid.text, "-"); negative {
			kid.text = text
		} else {
			kid.text = "-" + kid.text
		}
	}
	return kid, nil
}

// group reads parentheses: around one term they only group, around several they are a list.
func (p *parser) group() (*term, *Error) {
	t, err := p.sequence(termList, ")", "Expected RIGHT_PAREN")
	if err != nil || len(t.kids) != 1 {
		return t, err
	}
	t.kids[0].grouped = true
	return t.kids[0], nil
}

func (p *parser) sequence(kind termKind, end, missing string) (*term, *Error) {
	t := p.scalar(kind)
	if p.accept(end) {
		return t, nil
	}
	for {
		kid, err := p.term(precedenceNone)
		if err != nil {
			return nil, err
		}
		t.kids = append(t.kids, kid)
		if !p.accept(",") {
			return t, p.expect(end, missing)
		}
	}
}

func (p *parser) tuple() (*term, *Error) {
	t := p.scalar(termTuple)
	if p.accept("}") {
		return t, nil
	}
	for {
		key, err := p.term(precedenceNone)
		if err != nil {
			return nil, err
		}
		if err := p.expect(":", "Expected COLON"); err != nil {
			return nil, err
		}
		value, err := p.term(precedenceNone)
		if err != nil {
			return nil, err
		}
		t.kids = append(t.kids, key, value)
		if !p.accept(",") {
			return t, p.expect("}", "Expected RIGHT_CURLY")
		}
	}
}

func (p *parser) call() (*term, *Error) {
	name := p.take()
	t, err := p.sequence(termList, ")", "Expected RIGHT_PAREN")
	if err != nil {
		return nil, err
	}
	t.kind, t.token, t.text = termCall, name, strings.ToLower(name.text)
	return t, nil
}

// path reads name { "." name | "[" index "]" }; the next token is a name.
func (p *parser) path() (*term, *Error) {
	t := p.scalar(termPath)
	t.steps = []step{{token: t.token}}
	for {
		switch {
		case p.accept("."):
			s := step{token: p.peek(), star: p.peek().is("*")}
			if k := s.token.kind; k != tokenName && k != tokenQuoted && !s.star {
				return nil, illFormed("Invalid path dot component")
			}
			p.take()
			t.steps = append(t.steps, s)
		case p.accept("["):
			s := step{token: p.peek(), star: p.peek().is("*")}
			if !s.star {
				index, err := p.term(precedenceNone)
				if err != nil {
					return nil, err
				}
				s = step{token: index.token, indexed: index.kind == termNumber, negative: strings.HasPrefix(index.text, "-")}
				if !s.indexed && index.kind != termString {
					return nil, illFormed("Invalid path component")
				}
			} else {
				p.take()
			}
			if err := p.expect("]", "Expected RIGHT_BRACKET"); err != nil {
				return nil, err
			}
			t.steps = append(t.steps, s)
		default:
			return t, nil
		}
	}
}
