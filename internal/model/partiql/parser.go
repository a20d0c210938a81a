package partiql

// Verb is what a statement does.
type Verb byte

// The verbs. Exists is a condition on one item, as a statement of its own.
const (
	Select Verb = iota + 1
	Insert
	Update
	Delete
	Exists
)

// Reads tells whether the verb leaves everything as it is.
func (v Verb) Reads() bool { return v == Select }

// Returning is what a write shows of its item.
type Returning struct {
	Given bool
	All   bool // the whole item, or else only what was changed of it
	New   bool // as it is after the write, or else as it was before
}

// String spells the clause.
func (r Returning) String() string {
	text := "MODIFIED "
	if r.All {
		text = "ALL "
	}
	if r.New {
		return text + "NEW *"
	}
	return text + "OLD *"
}

// script is a statement as it is written: a parse without a meaning yet.
type script struct {
	verb      Verb
	table     *term // a path
	columns   []*term
	where     *term
	order     []orderTerm
	value     *term // of an INSERT
	changes   []change
	returning Returning
}

type orderTerm struct {
	by         *term
	descending bool
}

// change is one assignment or, without a value, removal.
type change struct {
	target *term
	value  *term
}

// parser reads a script out of tokens.
type parser struct {
	text       string
	tokens     []token
	at         int
	depth      int
	parameters int
	// flaw is the first thing that has a parse but no meaning, found on the way: it is told only if all the rest has a parse.
	flaw *Error
}

func (p *parser) peek() token { return p.tokens[p.at] }

// take reads one token; behind the last one is the last one again.
func (p *parser) take() token {
	t := p.tokens[p.at]
	if p.at+1 < len(p.tokens) {
		p.at++
	}
	return t
}

func (p *parser) accept(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.take()
	return true
}

func (p *parser) expect(text, missing string) *Error {
	if !p.accept(text) {
		return illFormed(missing)
	}
	return nil
}

func (p *parser) note(text string) {
	if p.flaw == nil {
		p.flaw = &Error{text}
	}
}

func (p *parser) script() (*script, *Error) {
	s, err := p.statement()
	if err != nil {
		return nil, err
	}
	missing := "Unexpected token after expression"
	if p.accept(";") {
		missing = "Unexpected token after semicolon. (Only one query is allowed.)"
	}
	if p.peek().kind != tokenEnd {
		return nil, illFormed(missing)
	}
	return s, p.flaw
}

func (p *parser) statement() (*script, *Error) {
	switch {
	case p.accept("select"):
		return p.selection()
	case p.accept("insert"):
		return p.insertion()
	case p.accept("update"):
		return p.update()
	case p.accept("delete"):
		return p.deletion()
	case p.accept("from"):
		return p.fromFirst()
	case p.peek().is("exists") && p.tokens[p.at+1].is("("):
		return p.existence()
	}
	return p.expression()
}

// expression reads a statement that only says what something is. It has a parse, but DynamoDB performs none.
func (p *parser) expression() (*script, *Error) {
	t, err := p.term(precedenceNone)
	if err != nil {
		return nil, err
	}
	p.note("Unsupported operation: " + t.operation())
	return &script{}, nil
}

func (p *parser) selection() (*script, *Error) {
	s := &script{verb: Select}
	for _, clause := range []string{"distinct", "value"} {
		if p.peek().is(clause) {
			p.unsupported(p.take())
		}
	}
	if p.peek().is("from") {
		return nil, illFormed("Cannot have empty SELECT list")
	}
	for more := true; more; more = p.accept(",") {
		column, err := p.term(precedenceNone)
		if err != nil {
			return nil, err
		}
		s.columns = append(s.columns, column)
		p.alias()
	}
	if err := p.expect("from", "Expected FROM after SELECT list"); err != nil {
		return nil, err
	}
	var err *Error
	if s.table, err = p.source(); err != nil {
		return nil, err
	}
	if s.where, err = p.where(); err != nil {
		return nil, err
	}
	if s.order, err = p.orderBy(); err != nil {
		return nil, err
	}
	return s, p.clauses()
}

// source reads what stands behind the FROM of a SELECT.
func (p *parser) source() (*term, *Error) {
	table, err := p.prefix()
	if err != nil {
		return nil, err
	}
	if table.kind != termPath {
		p.note("Unsupported source in the FROM clause" + position(p.text, table.token))
	}
	p.alias()
	return table, nil
}

// alias reads a name that something is given. DynamoDB has none.
func (p *parser) alias() {
	if p.accept("as") || p.peek().kind == tokenName || p.peek().kind == tokenQuoted {
		p.note("Aliasing is not supported")
		if k := p.peek().kind; k == tokenName || k == tokenQuoted {
			p.take()
		}
	}
}

// clauses refuses what other databases have behind a SELECT.
func (p *parser) clauses() *Error {
	switch t := p.peek(); t.text {
	case "limit", "group", "having", "join", "inner", "left", "right", "full", "cross", "union", "intersect", "except", "let":
		if t.kind == tokenKeyword {
			p.unsupported(t)
			return p.flaw
		}
	}
	return nil
}

func (p *parser) unsupported(clause token) {
	p.note("Unsupported clause: " + p.text[clause.start:clause.end] + position(p.text, clause))
}

func (p *parser) where() (*term, *Error) {
	if !p.accept("where") {
		return nil, nil
	}
	return p.term(precedenceNone)
}

func (p *parser) orderBy() ([]orderTerm, *Error) {
	if !p.peek().is("order") || !p.tokens[p.at+1].is("by") {
		return nil, nil
	}
	p.take()
	p.take()
	var terms []orderTerm
	for {
		by, err := p.term(precedenceNone)
		if err != nil {
			return nil, err
		}
		descending := p.accept("desc")
		if !descending {
			p.accept("asc")
		}
		terms = append(terms, orderTerm{by, descending})
		if !p.accept(",") {
			return terms, nil
		}
	}
}

// existence reads EXISTS ( select ).
func (p *parser) existence() (*script, *Error) {
	p.take()
	p.take()
	if err := p.expect("select", "Expected SELECT"); err != nil {
		return nil, err
	}
	s, err := p.selection()
	if err != nil {
		return nil, err
	}
	s.verb = Exists
	return s, p.expect(")", "Expected RIGHT_PAREN")
}
