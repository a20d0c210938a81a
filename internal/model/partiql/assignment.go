package partiql

import (
	"slices"
	"strings"
)

// actions gives the meaning of SET and REMOVE clauses.
func (m *meaning) actions(s *Statement, from *script) *Error {
	for _, c := range from.changes {
		target, err := m.path(c.target)
		if err != nil {
			return err
		}
		a := action{kind: actionRemove, target: target}
		switch {
		case c.value == nil:
		case c.value.kind == termCall && (c.value.text == "set_add" || c.value.text == "set_delete"):
			a, err = m.setFunction(a, c.value)
		default:
			a.kind = actionSet
			a.value, err = m.assigned(c.value)
		}
		if err != nil {
			return err
		}
		s.actions = append(s.actions, a)
	}
	return nil
}

// setFunction gives the meaning of set_add and set_delete. They change a set in its place, so that their first argument must be what is assigned to.
func (m *meaning) setFunction(a action, call *term) (action, *Error) {
	name := strings.ToUpper(call.text)
	if len(call.kids) != 2 {
		return a, m.flaw(name+" must have exactly two arguments", call.token)
	}
	if call.kids[0].kind != termPath {
		return a, m.flaw("The first argument to "+name+" must equal the assignment value", call.token)
	}
	first, err := m.path(call.kids[0])
	if err != nil {
		return a, err
	}
	if !slices.Equal(first, a.target) {
		return a, m.flaw("The first argument to "+name+" must equal the assignment value", call.token)
	}
	a.kind, a.first = actionAdd, call.kids[0].token
	if call.text == "set_delete" {
		a.kind = actionDelete
	}
	switch second := call.kids[1]; second.kind {
	case termBag:
		a.value.kind = operandValue
		a.value.value, err = m.literal(second)
	case termParameter:
		a.value = operand{kind: operandParameter, index: second.index}
	default:
		err = m.notSet(a)
	}
	return a, err
}

// notSet is the refusal of a second argument that is no set. It points to the first one.
func (m *meaning) notSet(a action) *Error {
	name := "SET_ADD"
	if a.kind == actionDelete {
		name = "SET_DELETE"
	}
	return m.flaw("The second argument to "+name+" must be a value with type SET", a.first)
}

// assigned gives the meaning of what is set.
func (m *meaning) assigned(t *term) (operand, *Error) {
	switch {
	case t.kind == termOperator && (t.text == "+" || t.text == "-") && len(t.kids) == 2:
		return m.computed(t)
	case t.kind == termCall && t.text == "list_append":
		return m.computed(t)
	case t.kind == termCall:
		return operand{}, m.flaw("Unrecognized function: "+t.text, t.token)
	case t.kind == termOperator, t.kind == termStar:
		return operand{}, &Error{"Unsupported operator in Update Expression. Operator: " + t.text}
	}
	return m.operand(t)
}

func (m *meaning) computed(t *term) (operand, *Error) {
	o := operand{kind: operandCall, name: t.text, args: make([]operand, len(t.kids))}
	for i, kid := range t.kids {
		var err *Error
		if o.args[i], err = m.assigned(kid); err != nil {
			return o, err
		}
	}
	return o, nil
}
