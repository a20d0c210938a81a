package expr

// A condition, or the right side of a SET, is parsed with a stack of its own rather than by recursion: the depth of a text of 4,096 parentheses, NOTs or
// nested calls is then a matter of heap, and the parser reads it to its end and finds the fault DynamoDB names.

// level says what may stand at a place of the text.
type level byte

const (
	levelOperand   level = iota // a path, a placeholder or a function call
	levelSum                    // an operand, or two of them joined by + or -
	levelCondition              // anything a condition is made of
)

// grammar is what conditions and updates differ in.
type grammar struct {
	kind      string // as messages call it, with its article
	keywords  []string
	functions map[string]op
	regroup   bool // a path in parentheses may go on: (a.b).c
	nestable  func(name string) bool
}

// term is what has been read last and waits to be used: a condition, or an operand that may yet become part of one.
type term struct {
	node    *node // nil for an operand
	operand operand
	grouped bool // stands in parentheses
	sum     bool // came from + or -
}

type frameKind byte

const (
	frameGroup frameKind = iota + 1
	frameCall
	frameIn
	frameCompare
	frameBetween // waits for the lower bound
	frameUpper   // waits for the upper bound
	frameSum
	frameNot
	frameAnd
	frameOr
)

// frame is something begun: it waits for a term.
type frame struct {
	kind  frameKind
	level level // of a group: what it may hold
	op    op
	name  string
	args  []operand
	kids  []*node
}

type expression struct {
	*parser
	grammar *grammar
	base    level
	frames  []frame
	leaves  []*node
}

// read parses the longest expression at the parser's place. False means that the next token does not fit.
func (e *expression) read() (term, bool) {
	for {
		t, ok := e.begin()
		if !ok {
			return term{}, false
		}
		t, next := e.fold(t)
		switch next {
		case foldDone:
			return t, true
		case foldFail:
			return term{}, false
		case foldBegin:
		}
	}
}

func (e *expression) push(f frame) { e.frames = append(e.frames, f) }

func (e *expression) pop() { e.frames = e.frames[:len(e.frames)-1] }

func (e *expression) top() *frame {
	if len(e.frames) == 0 {
		return nil
	}
	return &e.frames[len(e.frames)-1]
}

// level tells what may stand where the parser is.
func (e *expression) level() level {
	top := e.top()
	switch {
	case top == nil:
		return e.base
	case top.kind == frameGroup:
		return top.level
	case top.kind >= frameNot:
		return levelCondition
	}
	return levelOperand
}

// begin reads to the end of the next path or placeholder and pushes what opens before it.
func (e *expression) begin() (term, bool) {
	for {
		t := e.peek()
		switch {
		case e.is('('):
			e.push(frame{kind: frameGroup, level: e.level()})
			e.at++
		case e.level() == levelCondition && e.keyword("NOT"):
			e.push(frame{kind: frameNot})
			e.operator()
			e.at++
		case t.kind == tokenValue:
			e.at++
			return term{operand: operand{kind: operandValue, at: e.addValue(e.spelling(t))}}, true
		case t.kind == tokenWord && e.opensCall():
			e.push(frame{kind: frameCall, name: e.spelling(t)})
			e.at += 2
		default:
			at, ok := e.path(e.grammar.keywords)
			return term{operand: operand{kind: operandPath, at: at}}, ok
		}
	}
}

func (e *expression) opensCall() bool {
	if e.anyKeyword(e.grammar.keywords) {
		return false
	}
	after := e.tokens[e.at+1]
	return after.kind == tokenPunct && e.text[after.start] == '('
}

// outcome is what folding a term led to.
type outcome byte

const (
	foldBegin outcome = iota // another term must follow
	foldDone                 // the expression is complete
	foldFail                 // the next token does not fit
)

// fold gives the term to the frames that wait for one until another must be read.
func (e *expression) fold(t term) (term, outcome) {
	for {
		if next, taken := e.infix(t); taken {
			return term{}, next
		}
		top := e.top()
		if top == nil {
			return t, foldDone
		}
		var next outcome
		var closed bool
		if top.kind >= frameNot {
			t, closed, next = e.closeConnective(top, t)
		} else {
			t, closed, next = e.closeOperand(top, t)
		}
		if !closed {
			return term{}, next
		}
	}
}

// infix begins a comparison, a sum or a connective whose left side is the term.
func (e *expression) infix(t term) (next outcome, taken bool) {
	switch e.level() {
	case levelSum:
		if !t.sum && (e.is('+') || e.is('-')) {
			e.pushInfix(frame{kind: frameSum, args: []operand{t.operand}})
			return foldBegin, true
		}
	case levelCondition:
		if t.node == nil {
			if next, taken := e.comparison(t); taken {
				return next, true
			}
		}
		return e.connective(t)
	case levelOperand:
	}
	return foldBegin, false
}

func (e *expression) pushInfix(f frame) {
	f.name = e.spelling(e.peek())
	e.push(f)
	e.operator()
	e.at++
}

var comparators = map[string]op{"=": opEQ, "<>": opNE, "<": opLT, "<=": opLE, ">": opGT, ">=": opGE}

func (e *expression) comparison(t term) (outcome, bool) {
	left := []operand{t.operand}
	switch {
	case e.peek().kind == tokenCompare:
		e.pushInfix(frame{kind: frameCompare, op: comparators[e.spelling(e.peek())], args: left})
	case e.keyword("BETWEEN"):
		e.pushInfix(frame{kind: frameBetween, op: opBetween, args: left})
		e.top().name = "BETWEEN"
	case e.keyword("IN"):
		e.pushInfix(frame{kind: frameIn, op: opIn, args: left})
		e.top().name = "IN"
		if !e.is('(') {
			return foldFail, true
		}
		e.at++
	default:
		return foldBegin, false
	}
	return foldBegin, true
}

// connective begins AND or OR unless a tighter or equal one is open already, which closeConnective then continues or ends.
func (e *expression) connective(t term) (outcome, bool) {
	top := e.top()
	and, or := e.keyword("AND"), e.keyword("OR")
	switch {
	case !and && !or, top != nil && (top.kind == frameNot || top.kind == frameAnd), top != nil && top.kind == frameOr && or:
		return foldBegin, false
	}
	n, ok := e.condition(t)
	if !ok {
		return foldFail, true
	}
	kind := frameOr
	if and {
		kind = frameAnd
	}
	e.pushInfix(frame{kind: kind, kids: []*node{n}})
	return foldBegin, true
}

// condition takes a term for a condition. A call becomes one; a path or a placeholder does not.
func (e *expression) condition(t term) (*node, bool) {
	if t.node != nil {
		return t.node, true
	}
	if t.operand.kind != operandCall {
		return nil, false
	}
	call := t.operand.call
	kind, known := e.grammar.functions[call.name]
	if !known || kind == opUnknown {
		kind = opUnknown
		note(&e.misused, misusedText(call.name))
	}
	return e.leaf(kind, call.name, call.args), true
}

func (e *expression) leaf(kind op, name string, args []operand) *node {
	n := &node{op: kind, name: name, args: args}
	e.leaves = append(e.leaves, n)
	return n
}

// closeConnective gives the term to an open NOT, AND or OR.
func (e *expression) closeConnective(top *frame, t term) (after term, closed bool, next outcome) {
	n, ok := e.condition(t)
	if !ok {
		return term{}, false, foldFail
	}
	switch top.kind {
	case frameNot:
		n = &node{op: opNot, kids: []*node{n}}
	case frameAnd, frameOr:
		top.kids = append(top.kids, n)
		if top.kind == frameAnd && e.keyword("AND") || top.kind == frameOr && e.keyword("OR") {
			e.operator()
			e.at++
			return term{}, false, foldBegin
		}
		n = &node{op: opOr, kids: top.kids}
		if top.kind == frameAnd {
			n.op = opAnd
		}
	}
	e.pop()
	return term{node: n}, true, foldBegin
}

// closeOperand gives the term to what waits for an operand, or ends a group.
func (e *expression) closeOperand(top *frame, t term) (after term, closed bool, next outcome) {
	if top.kind == frameGroup {
		return e.closeGroup(t)
	}
	top.args = append(top.args, t.operand)
	switch top.kind {
	case frameBetween:
		if !e.keyword("AND") {
			return term{}, false, foldFail
		}
		top.kind = frameUpper
		e.at++
		return term{}, false, foldBegin
	case frameIn, frameCall:
		switch {
		case e.is(','):
			e.at++
			return term{}, false, foldBegin
		case !e.is(')'):
			return term{}, false, foldFail
		}
		e.at++
	}
	done := *top
	e.pop()
	return e.complete(done), true, foldBegin
}

// complete makes the term a frame stands for once it has all its operands.
func (e *expression) complete(f frame) term {
	if f.kind == frameCall {
		note(&e.unknown, e.grammar.unknown(f.name))
	}
	if f.kind != frameSum {
		e.checkNested(f.args)
	}
	switch f.kind {
	case frameCall, frameSum:
		return term{operand: operand{kind: operandCall, call: &call{name: f.name, args: f.args}}, sum: f.kind == frameSum}
	default:
		return term{node: e.leaf(f.op, f.name, f.args)}
	}
}

// unknown is the message about a function that the grammar does not have: the other one may.
func (g *grammar) unknown(function string) string {
	if _, known := g.functions[function]; known {
		return ""
	}
	if _, known := arities[function]; known {
		return "The function is not allowed in " + g.kind + " expression; function: " + function
	}
	return "Invalid function name; function: " + function
}

func (e *expression) checkNested(args []operand) {
	for _, arg := range args {
		if arg.kind == operandCall && !e.grammar.nestable(arg.call.name) {
			note(&e.misused, misusedText(arg.call.name))
		}
	}
}

func misusedText(function string) string {
	return "The function is not allowed to be used this way in an expression; function: " + function
}

func (e *expression) closeGroup(t term) (after term, closed bool, next outcome) {
	if !e.is(')') {
		return term{}, false, foldFail
	}
	e.at++
	e.pop()
	e.parens = e.parens || t.grouped
	t.grouped = true
	if t.node == nil && t.operand.kind == operandPath && e.grammar.regroup && (e.is('.') || e.is('[')) {
		whole, ok := e.steps(e.paths[t.operand.at], e.grammar.keywords)
		if !ok {
			return term{}, false, foldFail
		}
		e.paths = e.paths[:t.operand.at]
		t = term{operand: operand{kind: operandPath, at: e.addPath(whole)}}
	}
	return t, true, foldBegin
}
