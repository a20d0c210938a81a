package expr

import (
	"iter"

	"stator/internal/model/attr"
)

// Update is a parsed update bound to the names and values of a request. It is immutable. A nil update is one without any clause.
type Update struct {
	actions []action
	values  []attr.Value
	sources []Path // the paths right-hand sides read
	targets []Path // of the actions, in text order
	root    branch // of targets
	legacy  bool   // AttributeUpdates: ADD takes lists, and other texts
	built   bool   // by an UpdateBuilder
}

// action is an actionSyntax after binding.
type action struct {
	clause clause
	target Path
	path   int // where target stands in the paths that were bound
	value  operand
}

// ParseUpdate parses an UpdateExpression. Errors are *Error.
func ParseUpdate(text string, n *Names) (*Update, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	tree, fault := updateCache.parse(text, parseUpdate)
	if fault != "" {
		return nil, UpdateExpression.refuse(fault)
	}
	u, fault := bindUpdate(tree, n)
	if fault != "" {
		return nil, UpdateExpression.refuse(fault)
	}
	return u, nil
}

// CreatesItem tells whether the update creates a missing item: false when all it does is remove (semantics §8.26).
func (u *Update) CreatesItem() bool {
	if u == nil || len(u.actions) == 0 {
		return true
	}
	for i := range u.actions {
		if !u.actions[i].removes() {
			return true
		}
	}
	return false
}

func (a *action) removes() bool { return a.clause == clauseRemove || a.clause == clauseDelete }

// Attributes lists the top-level names the update writes, each once, in text order.
func (u *Update) Attributes() []string {
	if u == nil {
		return nil
	}
	return topNames(u.targets)
}

// Paths lists the document paths the update writes, in text order.
func (u *Update) Paths() []Path {
	if u == nil {
		return nil
	}
	return u.targets
}

// Sources lists the document paths that the update reads to make what it writes.
func (u *Update) Sources() []Path {
	if u == nil {
		return nil
	}
	return u.sources
}

// Types goes through the attributes that the update writes as a whole, where the request alone tells the type of what they are set to or of what is
// added to them.
func (u *Update) Types() iter.Seq2[string, attr.Type] {
	return func(yield func(string, attr.Type) bool) {
		if u == nil {
			return
		}
		for i := range u.actions {
			a := &u.actions[i]
			kind, told := u.typeOf(a)
			if told && len(a.target) == 1 && !yield(a.target[0].Name, kind) {
				return
			}
		}
	}
}

func (u *Update) typeOf(a *action) (attr.Type, bool) {
	switch {
	case a.removes():
		return 0, false
	case a.value.kind == operandValue:
		return u.values[a.value.at].Type(), true
	case a.value.kind != operandCall || a.value.call.name == "if_not_exists":
		return 0, false
	case a.value.call.name == "list_append":
		return attr.L, true
	default:
		return attr.N, true
	}
}

// Touched returns the fragments of an item (the one before or the one after) that the update names: what UPDATED_OLD and UPDATED_NEW answer. It is nil
// when none of them is present.
func (u *Update) Touched(item attr.Map) attr.Map {
	if u == nil {
		return nil
	}
	return u.root.choose(item)
}
