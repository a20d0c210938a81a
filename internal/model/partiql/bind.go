package partiql

import (
	"errors"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// Bound is a statement with its parameters. It is immutable.
type Bound struct {
	*Statement

	// Columns is what a SELECT shows; nil is whole items.
	Columns *expr.Projection
	// Where is the condition; nil when the statement has none.
	Where *Where
	// Item is what an INSERT puts.
	Item attr.Map
	// Changes is what an UPDATE does.
	Changes *expr.Update

	parameters []attr.Value
}

// Bind fills parameters in and checks all that needs only the statement. Errors are *Error.
func (s *Statement) Bind(parameters []attr.Value) (*Bound, error) {
	if len(parameters) != s.parameters {
		return nil, &Error{"Number of parameters in request and statement don't match."}
	}
	b := &Bound{Statement: s, Columns: s.columns, parameters: parameters}
	var err error
	switch s.Verb {
	case Insert:
		err = b.bindItem()
	case Update:
		err = b.bindChanges()
	case Select, Delete, Exists:
	}
	if err != nil || s.where == nil {
		return b, err
	}
	b.Where = &Where{root: s.where, parameters: parameters}
	b.Where.whole, err = b.Where.condition([]*node{s.where}, "")
	return b, err
}

func (b *Bound) bindItem() error {
	entries := make([]attr.Entry, len(b.item))
	for i, e := range b.item {
		entries[i] = attr.Entry{Name: e.name, Value: known(e.value, b.parameters)}
	}
	b.Item = attr.NewMap(entries)
	if b.Item.Depth() > attr.DepthMax {
		return &Error{"Nesting Levels have exceeded supported limits"}
	}
	return nil
}

func (b *Bound) bindChanges() error {
	var builder expr.UpdateBuilder
	for _, a := range b.actions {
		switch a.kind {
		case actionSet:
			builder.Set(a.target, b.assigned(&builder, a.value))
		case actionRemove:
			builder.Remove(a.target)
		case actionAdd, actionDelete:
			set := known(a.value, b.parameters)
			if t := set.Type(); t != attr.SS && t != attr.NS && t != attr.BS {
				m := meaning{b.text}
				return m.notSet(a)
			}
			if a.kind == actionAdd {
				builder.Add(a.target, set)
			} else {
				builder.Delete(a.target, set)
			}
		}
	}
	var err error
	b.Changes, err = builder.Update()
	return refused(err)
}

func (b *Bound) assigned(builder *expr.UpdateBuilder, o operand) expr.Operand {
	switch o.kind {
	case operandPath:
		return builder.Path(o.path)
	case operandCall:
		args := make([]expr.Operand, len(o.args))
		for i, arg := range o.args {
			args[i] = b.assigned(builder, arg)
		}
		return builder.Call(o.name, args...)
	default:
		return builder.Value(known(o, b.parameters))
	}
}

// known is the value of an operand that has one whatever the item, nil for any other.
func known(o operand, parameters []attr.Value) attr.Value {
	switch o.kind {
	case operandValue:
		return o.value
	case operandParameter:
		return parameters[o.index]
	}
	return nil
}

// refused makes a refusal of package expr one of a statement.
func refused(err error) error {
	if fault, ok := errors.AsType[*expr.Error](err); ok {
		return &Error{fault.Text}
	}
	return err
}
