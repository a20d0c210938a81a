package partiql

// insertion reads what follows INSERT.
func (p *parser) insertion() (*script, *Error) {
	if !p.accept("into") {
		return nil, illFormed("Unexpected keyword")
	}
	s := &script{verb: Insert}
	var err *Error
	if s.table, err = p.simplePath(); err != nil {
		return nil, err
	}
	if !p.accept("value") {
		p.note("Unsupported operation: INSERT without VALUE")
	}
	if s.value, err = p.term(precedenceNone); err != nil {
		return nil, err
	}
	if s.returning, err = p.returning(); err != nil {
		return nil, err
	}
	if s.returning.Given {
		p.note("RETURNING is not supported in INSERT")
	}
	return s, nil
}

// update reads what follows UPDATE.
func (p *parser) update() (*script, *Error) {
	return p.written(Update, p.intoChanges, p.intoWhere)
}

// fromFirst reads the form of an update that begins with FROM.
func (p *parser) fromFirst() (*script, *Error) {
	return p.written(Update, p.intoWhere, p.intoChanges)
}

// deletion reads what follows DELETE.
func (p *parser) deletion() (*script, *Error) {
	if err := p.expect("from", "Unexpected keyword"); err != nil {
		return nil, err
	}
	return p.written(Delete, p.intoWhere)
}

// written reads the table of a write, its clauses in the order that its form has them, and RETURNING.
func (p *parser) written(verb Verb, clauses ...func(*script) *Error) (*script, *Error) {
	s := &script{verb: verb}
	var err *Error
	if s.table, err = p.simplePath(); err != nil {
		return nil, err
	}
	p.alias()
	for _, clause := range clauses {
		if err := clause(s); err != nil {
			return nil, err
		}
	}
	s.returning, err = p.returning()
	return s, err
}

func (p *parser) intoChanges(s *script) (err *Error) {
	s.changes, err = p.changes()
	return err
}

func (p *parser) intoWhere(s *script) (err *Error) {
	s.where, err = p.where()
	return err
}

func (p *parser) simplePath() (*term, *Error) {
	if k := p.peek().kind; k != tokenName && k != tokenQuoted {
		return nil, illFormed("Expected identifier for simple path")
	}
	return p.path()
}

// changes reads SET and REMOVE clauses, at least one.
func (p *parser) changes() ([]change, *Error) {
	var changes []change
	for {
		var set bool
		switch {
		case p.accept("set"):
			set = true
		case p.accept("remove"):
		case len(changes) == 0:
			return nil, illFormed("Expected data manipulation")
		default:
			return changes, nil
		}
		for more := true; more; more = p.accept(",") {
			c, err := p.change(set)
			if err != nil {
				return nil, err
			}
			changes = append(changes, c)
		}
	}
}

func (p *parser) change(set bool) (change, *Error) {
	target, err := p.simplePath()
	if err != nil || !set {
		return change{target: target}, err
	}
	if err := p.expect("=", "Expected '=' for SET assignment"); err != nil {
		return change{}, err
	}
	value, err := p.term(precedenceNone)
	return change{target, value}, err
}

// returning reads RETURNING (ALL | MODIFIED) (OLD | NEW) *.
func (p *parser) returning() (Returning, *Error) {
	r := Returning{Given: p.accept("returning")}
	if !r.Given {
		return r, nil
	}
	const words = "Expected ( MODIFIED | ALL ) ( NEW | OLD ) in returning element"
	r.All = p.accept("all")
	if !r.All && !p.accept("modified") {
		return r, illFormed(words)
	}
	r.New = p.accept("new")
	if !r.New && !p.accept("old") {
		return r, illFormed(words)
	}
	return r, p.expect("*", "Expected * in returning element")
}
