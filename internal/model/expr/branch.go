package expr

import (
	"slices"

	"stator/internal/model/attr"
)

// branch is a set of document paths, none of which overlaps another, as a tree: the step that leads here, and below it either more steps or the end of
// one path. Projections walk it beside an item to choose, updates to change. Invariant: the steps below a branch are all names or all indexes, ascending
// as the entries of an encoded map and the elements of a list are.
type branch struct {
	step Element
	path int // the path that ends here, into the paths the tree was grown from; inner if none does
	kids []branch
}

const inner = -1

// grow makes the tree of the paths. The text is the fault of paths that overlap or conflict.
func grow(paths []Path) (root branch, fault string) {
	root, alone := growAlone(paths)
	if !alone {
		return branch{}, checkPaths(paths)
	}
	return root, ""
}

// growAlone is grow without a word on which paths are at fault. Sorted paths overlap or conflict only if two neighbours do.
func growAlone(paths []Path) (root branch, alone bool) {
	root.path = inner
	if len(paths) == 1 {
		root.add(paths[0], 0)
		return root, true
	}
	order := make([]int, len(paths))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return paths[i].compare(paths[j]) })
	for at := 1; at < len(order); at++ {
		if relate(paths[order[at-1]], paths[order[at]]) != apart {
			return branch{}, false
		}
	}
	for _, i := range order {
		root.add(paths[i], i)
	}
	return root, true
}

// add enters a path that sorts after all that the tree has.
func (b *branch) add(p Path, at int) {
	for depth, step := range p {
		last := len(b.kids) - 1
		if last < 0 || b.kids[last].step != step {
			b.kids = append(b.kids, branch{step: step, path: inner})
			last++
		}
		b = &b.kids[last]
		if depth == len(p)-1 {
			b.path = at
		}
	}
}

// flat tells whether every path is a top-level name.
func (b *branch) flat() bool {
	for i := range b.kids {
		if b.kids[i].path == inner {
			return false
		}
	}
	return true
}

// choose copies what the tree names out of a map. nil means that it names nothing that is there.
func (b *branch) choose(m attr.Map) attr.Map {
	var entries []attr.Entry
	next := 0
	for name, value := range m.All() {
		for next < len(b.kids) && b.kids[next].step.Name < name {
			next++
		}
		if next == len(b.kids) {
			break
		}
		if b.kids[next].step.Name != name {
			continue
		}
		if chosen := b.kids[next].chooseFrom(value); chosen != nil {
			entries = append(entries, attr.Entry{Name: name, Value: chosen})
		}
	}
	if entries == nil {
		return nil
	}
	return attr.NewMap(entries)
}

// chooseFrom copies what the tree below a step names out of the value at the step. Chosen list elements close up (semantics §8.18).
func (b *branch) chooseFrom(value attr.Value) attr.Value {
	if b.path != inner {
		return value
	}
	switch indexed := b.kids[0].step.Indexed; {
	case !indexed && value.Type() == attr.M:
		if chosen := b.choose(value.Map()); chosen != nil {
			return chosen.Value()
		}
	case indexed && value.Type() == attr.L:
		return b.chooseElements(value)
	}
	return nil
}

func (b *branch) chooseElements(list attr.Value) attr.Value {
	var elements []attr.Value
	next, index := 0, 0
	for element := range list.Elements() {
		if next == len(b.kids) {
			break
		}
		if b.kids[next].step.Index == index {
			if chosen := b.kids[next].chooseFrom(element); chosen != nil {
				elements = append(elements, chosen)
			}
			next++
		}
		index++
	}
	if elements == nil {
		return nil
	}
	return attr.NewList(elements)
}

// topNames lists the first names of paths, each once, in the order of the paths.
func topNames(paths []Path) []string {
	names := make([]string, 0, len(paths))
	seen := make(map[string]struct{}, len(paths))
	for _, path := range paths {
		if _, found := seen[path[0].Name]; !found {
			seen[path[0].Name] = struct{}{}
			names = append(names, path[0].Name)
		}
	}
	return names
}
