package expr

import (
	"slices"

	"stator/internal/model/attr"
)

// bound is a syntax tree's tables with a request's names and values filled in.
type bound struct {
	paths  []Path
	values []attr.Value // nil where undefined
	whole  bool         // nothing is undefined
}

// bind resolves the tables. A tree without aliases lends its own paths, as they never change.
func (t *tables) bind(n *Names) bound {
	b := bound{paths: t.paths, whole: true}
	if len(t.aliases) > 0 {
		b.paths, b.whole = t.resolve(n)
	}
	if len(t.values) > 0 {
		b.values = make([]attr.Value, len(t.values))
		b.whole = n.fill(t, b.values) && b.whole
	}
	return b
}

func (t *tables) resolve(n *Names) ([]Path, bool) {
	n.usedNames = slices.Grow(n.usedNames, len(t.aliases))
	names := make([]string, len(t.aliases))
	whole := true
	for i, alias := range t.aliases {
		name, found := n.name(alias)
		names[i] = name
		whole = whole && found
	}
	elements := 0
	for _, path := range t.paths {
		elements += len(path)
	}
	backing := make([]Element, 0, elements)
	paths := make([]Path, len(t.paths))
	for i, path := range t.paths {
		from := len(backing)
		for _, element := range path {
			if element.aliased() {
				element = Element{Name: names[element.Index]}
			}
			backing = append(backing, element)
		}
		paths[i] = backing[from:len(backing):len(backing)]
	}
	return paths, whole
}

// undefinedName finds the first alias of a path that the request does not define.
func (t *tables) undefinedName(at int, n *Names) string {
	for _, element := range t.paths[at] {
		if !element.aliased() {
			continue
		}
		if _, found := n.names[element.Name]; !found {
			return "An expression attribute name used in the document path is not defined; attribute name: " + element.Name
		}
	}
	return ""
}

func (t *tables) undefinedValue(at int, b *bound) string {
	if b.values[at] != nil {
		return ""
	}
	return "An expression attribute value used in expression is not defined; attribute value: " + t.values[at]
}

// staticType is the type an operand has whatever the item holds, 0 when that is open.
func (b *bound) staticType(o operand) attr.Type {
	switch {
	case o.kind == operandValue:
		return b.values[o.at].Type()
	case o.kind == operandTest:
		return attr.BOOL
	case o.kind != operandCall:
		return 0
	}
	switch o.call.name {
	case "size", "+", "-":
		return attr.N
	case "list_append":
		return attr.L
	}
	return 0
}

func operandTypeText(function, operandType string) string {
	return "Incorrect operand type for operator or function; operator or function: " + function + ", operand type: " + operandType
}
