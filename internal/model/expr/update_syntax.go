package expr

import "slices"

var updateGrammar = grammar{
	kind:      "an update",
	keywords:  []string{"SET", "REMOVE", "ADD", "DELETE"},
	functions: map[string]op{"if_not_exists": opUnknown, "list_append": opUnknown},
	nestable:  func(name string) bool { return name != "list_append" },
}

// parseUpdate gives the tree of an update, or the fault DynamoDB names first: grammar, then the number of operators, parentheses, reserved words,
// functions that do not exist, functions out of place, repeated sections, paths that are too long (semantics §8.5).
func parseUpdate(text string) (*updateTree, string) {
	e := &expression{parser: newParser(text), grammar: &updateGrammar, base: levelSum}
	tree := &updateTree{}
	var seen []clause
	for {
		section, ok := e.section()
		if !ok {
			return nil, e.syntaxError()
		}
		if slices.Contains(seen, section) {
			note(&e.faults.section, `The "`+section.String()+`" section can only be used once in an update expression;`)
		}
		seen = append(seen, section)
		if !e.actions(section, tree) {
			return nil, e.syntaxError()
		}
		if e.peek().kind == tokenEnd {
			break
		}
	}
	if fault := first(e.tooMany(), e.redundant(), e.step, e.unknown, e.misused, e.faults.section, e.tooDeep()); fault != "" {
		return nil, fault
	}
	tree.tables = e.seal()
	return tree, ""
}

// section reads the keyword that begins one.
func (e *expression) section() (clause, bool) {
	for c := clauseSet; c <= clauseDelete; c++ {
		if e.keyword(c.String()) {
			e.at++
			return c, true
		}
	}
	return 0, false
}

// actions reads the comma-separated actions of a section.
func (e *expression) actions(section clause, tree *updateTree) bool {
	for {
		action, ok := e.action(section)
		if !ok {
			return false
		}
		tree.actions = append(tree.actions, action)
		if !e.is(',') {
			return true
		}
		e.at++
	}
}

func (e *expression) action(section clause) (actionSyntax, bool) {
	action := actionSyntax{clause: section}
	var ok bool
	if action.path, ok = e.path(e.grammar.keywords); !ok {
		return action, false
	}
	switch section {
	case clauseSet:
		t := e.peek()
		if t.kind != tokenCompare || e.spelling(t) != "=" {
			return action, false
		}
		e.at++
		value, ok := e.read()
		action.value = value.operand
		return action, ok
	case clauseAdd, clauseDelete:
		t := e.peek()
		if t.kind != tokenValue {
			return action, false
		}
		e.at++
		action.value = operand{kind: operandValue, at: e.addValue(e.spelling(t))}
	case clauseRemove:
	}
	return action, true
}
