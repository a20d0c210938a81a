package expr

import (
	"slices"

	"stator/internal/model/attr"
)

// evaluate gives the value of a right-hand side, or the text of why it has none.
func (x *execution) evaluate(o operand) (attr.Value, string) {
	switch o.kind {
	case operandValue:
		return x.update.values[o.at], ""
	case operandPath:
		value, found := x.update.sources[o.at].find(x.before)
		if !found {
			return nil, textAttrMissing
		}
		return value, ""
	default:
		return x.evaluateCall(o.call)
	}
}

func (x *execution) evaluateCall(c *call) (attr.Value, string) {
	if c.name == "if_not_exists" {
		if value, found := x.update.sources[c.args[0].at].find(x.before); found {
			return value, ""
		}
		return x.evaluate(c.args[1])
	}
	wanted := attr.N
	if c.name == "list_append" {
		wanted = attr.L
	}
	var args [2]attr.Value
	for i := range args {
		value, text := x.evaluate(c.args[i])
		if text != "" {
			return nil, text
		}
		if value.Type() != wanted {
			return nil, textOperandType
		}
		args[i] = value
	}
	switch c.name {
	case "+":
		return number(args[0].Number().Add(args[1].Number()))
	case "-":
		return number(args[0].Number().Sub(args[1].Number()))
	default:
		return concatenate(args[0], args[1]), ""
	}
}

func number(n attr.Number, fault string) (attr.Value, string) {
	if fault != "" {
		return nil, fault
	}
	return attr.NumberValue(n), ""
}

func concatenate(a, b attr.Value) attr.Value {
	elements := make([]attr.Value, 0, a.Len()+b.Len())
	elements = slices.AppendSeq(elements, a.Elements())
	return attr.NewList(slices.AppendSeq(elements, b.Elements()))
}

// add sums numbers and unites sets. What is missing counts as zero or as the empty set. AttributeUpdates append lists too.
func (x *execution) add(a *action) (edit, string) {
	operand := x.update.values[a.value.at]
	old, found := a.target.find(x.before)
	switch {
	case !found:
		return edit{editSet, operand}, ""
	case old.Type() != operand.Type():
		return edit{}, x.mismatch()
	}
	switch operand.Type() {
	case attr.N:
		value, text := number(old.Number().Add(operand.Number()))
		return edit{editSet, value}, text
	case attr.L:
		return edit{editSet, concatenate(old, operand)}, ""
	}
	members := make([]attr.Value, 0, old.Len()+operand.Len())
	members = slices.AppendSeq(members, old.Elements())
	members = slices.AppendSeq(members, operand.Elements())
	return edit{editSet, attr.Set(old.Type(), members)}, ""
}

// subtract takes members out of a set. A set that loses its last member goes as a whole (semantics §6.4).
func (x *execution) subtract(a *action) (edit, string) {
	operand := x.update.values[a.value.at]
	old, found := a.target.find(x.before)
	switch {
	case !found:
		return edit{}, ""
	case old.Type() != operand.Type():
		return edit{}, x.mismatch()
	}
	// Both sets are sorted, so one walk over the two finds what is in both.
	taken := slices.Collect(operand.Elements())
	var kept []attr.Value
	for member := range old.Elements() {
		for len(taken) > 0 && attr.Compare(taken[0], member) < 0 {
			taken = taken[1:]
		}
		if len(taken) == 0 || !attr.Equal(taken[0], member) {
			kept = append(kept, member)
		}
	}
	switch {
	case len(kept) == 0:
		return edit{kind: editRemove}, ""
	case len(kept) == old.Len():
		return edit{}, ""
	}
	return edit{editSet, attr.Set(old.Type(), kept)}, ""
}

// mismatch is the text for a stored value of another type than the operand's.
func (x *execution) mismatch() string {
	if x.update.legacy {
		return textLegacyMismatch
	}
	return textOperandType
}
