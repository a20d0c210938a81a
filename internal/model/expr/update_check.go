package expr

import "stator/internal/model/attr"

// bindUpdate fills in names and values and makes the checks that need them, in DynamoDB's order: undefined names, undefined values, paths that overlap,
// paths that conflict, operands of ADD and DELETE, operands of functions (semantics §8.5).
func bindUpdate(tree *updateTree, n *Names) (*Update, string) {
	b := tree.bind(n)
	if fault := tree.undefined(&b, n); fault != "" {
		return nil, fault
	}
	return newUpdate(tree.actions, &b)
}

// newUpdate makes an update of actions whose names and values are all known.
func newUpdate(actions []actionSyntax, b *bound) (*Update, string) {
	u := &Update{actions: make([]action, len(actions)), values: b.values, sources: b.paths, targets: make([]Path, len(actions))}
	for i, syntax := range actions {
		u.actions[i] = action{clause: syntax.clause, target: b.paths[syntax.path], path: syntax.path, value: syntax.value}
		u.targets[i] = u.actions[i].target
	}
	var fault string
	if u.root, fault = grow(u.targets); fault != "" {
		return nil, fault
	}
	for i := range u.actions {
		if fault := u.actions[i].checkOperand(b); fault != "" {
			return nil, fault
		}
	}
	for i := range u.actions {
		if fault := checkCalls(u.actions[i].value, b); fault != "" {
			return nil, fault
		}
	}
	return u, ""
}

func (t *updateTree) undefined(b *bound, n *Names) string {
	if b.whole {
		return ""
	}
	for at := range t.paths {
		if fault := t.undefinedName(at, n); fault != "" {
			return fault
		}
	}
	for at := range t.values {
		if fault := t.undefinedValue(at, b); fault != "" {
			return fault
		}
	}
	return ""
}

// typeWords are the types as the texts about ADD and DELETE spell them.
var typeWords = map[attr.Type]string{
	attr.S: "STRING", attr.N: "NUMBER", attr.B: "BINARY", attr.BOOL: "BOOL", attr.NULL: "NULL", attr.L: "LIST", attr.M: "MAP",
}

// checkOperand checks that ADD has a number or a set, DELETE a set. The text names ADD's types for both: DynamoDB's does.
func (a *action) checkOperand(b *bound) string {
	if a.clause != clauseAdd && a.clause != clauseDelete {
		return ""
	}
	t := b.values[a.value.at].Type()
	if isSet(t) || t == attr.N && a.clause == clauseAdd {
		return ""
	}
	return "Incorrect operand type for operator or function; operator: " + a.clause.String() + ", operand type: " + typeWords[t] +
		", typeSet: ALLOWED_FOR_ADD_OPERAND"
}

// checkCalls checks the functions of a right-hand side, innermost first.
func checkCalls(o operand, b *bound) string {
	if o.kind != operandCall {
		return ""
	}
	for _, arg := range o.call.args {
		if fault := checkCalls(arg, b); fault != "" {
			return fault
		}
	}
	if fault := checkCount(o.call.name, len(o.call.args)); fault != "" {
		return fault
	}
	wanted := attr.N
	switch o.call.name {
	case "if_not_exists":
		if o.call.args[0].kind != operandPath {
			return pathText(o.call.name)
		}
		return ""
	case "list_append":
		wanted = attr.L
	}
	for _, arg := range o.call.args {
		if t := b.staticType(arg); t != 0 && t != wanted {
			return operandTypeText(o.call.name, t.String())
		}
	}
	return ""
}
