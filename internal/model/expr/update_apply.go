package expr

import "stator/internal/model/attr"

// Texts of updates that are refused when they meet an item.
const (
	textPathInvalid    = "The document path provided in the update expression is invalid for update"
	textAttrMissing    = "The provided expression refers to an attribute that does not exist in the item"
	textOperandType    = "An operand in the update expression has an incorrect data type"
	textLegacyMismatch = "Type mismatch for attribute to update"
	textNestingShort   = "Nesting Levels have exceeded supported limits"
	textNesting        = textNestingShort + ": Attributes in the item have nested levels beyond supported limit"
)

// Apply performs the update. A nil before is a missing item: the update then starts from key, the item's key attributes. Every right-hand side reads the
// item as it was before. The result is canonical. A nil after says that the item stays missing (see CreatesItem). Errors are *Error with execution texts.
func (u *Update) Apply(before attr.Map, key attr.Map) (after attr.Map, err error) {
	missing := len(before) == 0
	if missing {
		if !u.CreatesItem() {
			return nil, nil
		}
		before = key
	}
	if len(before) == 0 {
		before = attr.EmptyMap
	}
	if u == nil || len(u.actions) == 0 {
		return before, nil
	}
	x := execution{update: u, before: before, missing: missing}
	if text := x.decide(); text != "" {
		return nil, &Error{text}
	}
	after, text := x.editMap(&u.root, before)
	if text == "" && x.nests && after.Depth() > attr.DepthMax {
		text = u.nestingText()
	}
	if text != "" {
		return nil, &Error{text}
	}
	return after, nil
}

// nestingText is what an update is told whose item is too deep.
func (u *Update) nestingText() string {
	if u.built {
		return textNestingShort
	}
	return textNesting
}

// execution is one application of an update.
type execution struct {
	update  *Update
	before  attr.Map
	missing bool // there was no item; before is its key
	nests   bool // a value went below the top level, where it may be too deep
	edits   []edit
}

// edit is what an action does at its path once right-hand sides are known.
type edit struct {
	kind  editKind
	value attr.Value // of editSet
}

type editKind byte

const (
	editNone   editKind = iota // the path is checked, nothing changes
	editSet                    // the path gets a value
	editRemove                 // what is at the path goes
)

// decide turns actions to edits. All of them see the item before (semantics §8.21).
func (x *execution) decide() string {
	x.edits = make([]edit, len(x.update.actions))
	for i := range x.update.actions {
		a := &x.update.actions[i]
		x.nests = x.nests || len(a.target) > 1 && !a.removes()
		if a.clause != clauseSet {
			continue
		}
		value, text := x.evaluate(a.value)
		if text != "" {
			return text
		}
		x.edits[i] = edit{editSet, value}
	}
	for i := range x.update.actions {
		a := &x.update.actions[i]
		var text string
		switch a.clause {
		case clauseRemove:
			x.edits[i].kind = editRemove
		case clauseAdd:
			x.edits[i], text = x.add(a)
		case clauseDelete:
			x.edits[i], text = x.subtract(a)
		case clauseSet:
		}
		if text != "" {
			return text
		}
	}
	return ""
}

// editMap gives the map with all that the tree names in it changed.
func (x *execution) editMap(b *branch, m attr.Map) (attr.Map, string) {
	if len(b.kids) > spliceMax {
		return x.mergeMap(b, m)
	}
	for i := range b.kids {
		kid := &b.kids[i]
		old, found := m.Get(kid.step.Name)
		next, text := x.editChild(kid, old, found)
		switch {
		case text != "":
			return nil, text
		case next.kind == editSet:
			m = m.With(kid.step.Name, next.value)
		case next.kind == editRemove:
			m = m.Without(kid.step.Name)
		}
	}
	return m, ""
}

// spliceMax is how many changes to a map are made one after the other, each of which copies the encoded map around one entry. A map of more changes is
// built anew, entry by entry.
const spliceMax = 4

// mergeMap is editMap for many changes: entries and kids are both sorted by name, and are walked together.
func (x *execution) mergeMap(b *branch, m attr.Map) (attr.Map, string) {
	entries := make([]attr.Entry, 0, m.Len()+len(b.kids))
	kids := b.kids
	for name, value := range m.All() {
		for len(kids) > 0 && kids[0].step.Name < name {
			next, text := x.editChild(&kids[0], nil, false)
			if text != "" {
				return nil, text
			}
			if next.kind == editSet {
				entries = append(entries, attr.Entry{Name: kids[0].step.Name, Value: next.value})
			}
			kids = kids[1:]
		}
		next := edit{}
		if len(kids) > 0 && kids[0].step.Name == name {
			var text string
			if next, text = x.editChild(&kids[0], value, true); text != "" {
				return nil, text
			}
			kids = kids[1:]
		}
		switch next.kind {
		case editSet:
			value = next.value
		case editRemove:
			continue
		case editNone:
		}
		entries = append(entries, attr.Entry{Name: name, Value: value})
	}
	for i := range kids {
		next, text := x.editChild(&kids[i], nil, false)
		if text != "" {
			return nil, text
		}
		if next.kind == editSet {
			entries = append(entries, attr.Entry{Name: kids[i].step.Name, Value: next.value})
		}
	}
	return attr.NewMap(entries), ""
}

// editChild says what becomes of one child of a container: at the end of a path what its action wants, above it the child itself changed inside.
func (x *execution) editChild(b *branch, old attr.Value, found bool) (edit, string) {
	if b.path != inner {
		return x.edits[b.path], ""
	}
	indexed := b.kids[0].step.Indexed
	switch {
	case found && !indexed && old.Type() == attr.M:
		m, text := x.editMap(b, old.Map())
		if text != "" {
			return edit{}, text
		}
		return edit{editSet, m.Value()}, ""
	case found && indexed && old.Type() == attr.L:
		return x.editList(b, old)
	case x.missing && x.onlyRemoves(b):
		// Removing below a parent that is not there is refused, unless the whole item is not there (semantics §8.23).
		return edit{}, ""
	}
	return edit{}, textPathInvalid
}

func (x *execution) onlyRemoves(b *branch) bool {
	if b.path != inner {
		return x.update.actions[b.path].removes()
	}
	for i := range b.kids {
		if !x.onlyRemoves(&b.kids[i]) {
			return false
		}
	}
	return true
}

// editList changes elements by their index in the list before. What is set past the end is appended in the order of the indexes (semantics §8.22).
func (x *execution) editList(b *branch, list attr.Value) (edit, string) {
	elements := make([]attr.Value, 0, list.Len()+len(b.kids))
	kids := b.kids
	index := 0
	for element := range list.Elements() {
		next := edit{}
		if len(kids) > 0 && kids[0].step.Index == index {
			var text string
			if next, text = x.editChild(&kids[0], element, true); text != "" {
				return edit{}, text
			}
			kids = kids[1:]
		}
		index++
		switch next.kind {
		case editSet:
			element = next.value
		case editRemove:
			continue
		case editNone:
		}
		elements = append(elements, element)
	}
	for i := range kids {
		next, text := x.editChild(&kids[i], nil, false)
		if text != "" {
			return edit{}, text
		}
		if next.kind == editSet {
			elements = append(elements, next.value)
		}
	}
	return edit{editSet, attr.NewList(elements)}, ""
}
