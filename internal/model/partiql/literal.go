package partiql

import (
	"slices"
	"strconv"
	"strings"

	"stator/internal/model/attr"
)

// literal gives a term's value. Messages about a part of it say where in the value it is, from "root".
func (m *meaning) literal(t *term) (attr.Value, *Error) { return m.value(t, "root", 0) }

func (m *meaning) value(t *term, at string, level int) (attr.Value, *Error) {
	if level >= attr.DepthMax {
		return nil, &Error{"Nesting Levels have exceeded supported limits under " + at}
	}
	switch t.kind {
	case termString:
		return attr.String(t.text), nil
	case termNumber:
		return number(t, at)
	case termBool:
		return attr.Bool(t.text == "true"), nil
	case termNull:
		return attr.Null(), nil
	case termList:
		return m.list(t, at, level)
	case termBag:
		return bag(t, at)
	case termTuple:
		return m.tuple(t, at, level)
	}
	return nil, m.flaw("Unsupported data type: "+dataType(t)+" under key "+at, t.token)
}

// dataType is what messages call a term that is no value.
func dataType(t *term) string {
	switch t.kind {
	case termParameter:
		return "Parameter"
	case termMissing:
		return "Missing"
	case termPath:
		return "Id"
	}
	return t.text
}

func number(t *term, at string) (attr.Value, *Error) {
	n, fault := attr.ParseNumber(t.text)
	if fault != "" {
		return nil, &Error{fault + " under " + at}
	}
	return attr.NumberValue(n), nil
}

func (m *meaning) list(t *term, at string, level int) (attr.Value, *Error) {
	elements := make([]attr.Value, len(t.kids))
	for i, kid := range t.kids {
		var err *Error
		if elements[i], err = m.value(kid, at+"["+strconv.Itoa(i)+"]", level+1); err != nil {
			return nil, err
		}
	}
	return attr.NewList(elements), nil
}

func (m *meaning) tuple(t *term, at string, level int) (attr.Value, *Error) {
	var entries []attr.Entry
	seen := make(map[string]bool, len(t.kids)/2)
	for pair := range slices.Chunk(t.kids, 2) {
		name, err := m.key(pair[0], seen, at)
		if err != nil {
			return nil, err
		}
		value, err := m.value(pair[1], at+"."+name, level+1)
		if err != nil {
			return nil, err
		}
		entries = append(entries, attr.Entry{Name: name, Value: value})
	}
	return attr.NewMap(entries).Value(), nil
}

// key gives the name that a tuple has a value for.
func (m *meaning) key(t *term, seen map[string]bool, at string) (string, *Error) {
	if t.kind != termString {
		return "", m.flaw("Unsupported data type: "+dataType(t)+" under key "+at, t.token)
	}
	if seen[t.text] {
		return "", &Error{"Duplicate keys in tuple. Key: " + t.text + " under " + at}
	}
	seen[t.text] = true
	return t.text, nil
}

// bag gives a set. DynamoDB has bags of strings or of numbers, each of which stands in it once.
func bag(t *term, at string) (attr.Value, *Error) {
	if len(t.kids) == 0 {
		return nil, &Error{"Empty bags are not supported"}
	}
	kind := t.kids[0].kind
	members := make([]attr.Value, len(t.kids))
	texts := make([]string, len(t.kids))
	for i, kid := range t.kids {
		texts[i] = kid.text
		switch {
		case kid.kind == kind && kind == termString:
			members[i] = attr.String(kid.text)
		case kid.kind == kind && kind == termNumber:
			var err *Error
			if members[i], err = number(kid, at); err != nil {
				return nil, err
			}
		default:
			return nil, &Error{"Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"}
		}
	}
	set := attr.Set(setTypes[kind], members)
	if set.Len() == len(members) {
		return set, nil
	}
	twins := "One or more parameter values were invalid: Input collection [" + strings.Join(texts, ", ") + "] contains duplicates"
	if kind == termNumber {
		return nil, &Error{twins + "! under " + at}
	}
	return nil, &Error{twins + "."}
}

var setTypes = map[termKind]attr.Type{termString: attr.SS, termNumber: attr.NS}

// item gives the attributes of an INSERT: values, or parameters that stand for whole values.
func (m *meaning) item(s *Statement, from *script) *Error {
	if from.value == nil {
		return nil
	}
	if from.value.kind != termTuple {
		return m.flaw("Unsupported data type: "+dataType(from.value)+" under key root", from.value.token)
	}
	seen := make(map[string]bool, len(from.value.kids)/2)
	for pair := range slices.Chunk(from.value.kids, 2) {
		name, err := m.key(pair[0], seen, "root")
		if err != nil {
			return err
		}
		e := entry{name: name, value: operand{kind: operandParameter, index: pair[1].index}}
		if pair[1].kind != termParameter {
			e.value.kind = operandValue
			if e.value.value, err = m.literal(pair[1]); err != nil {
				return err
			}
		}
		s.item = append(s.item, e)
	}
	return nil
}
