package expr

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"stator/internal/model/attr"
)

// Path is a resolved document path. Its first element always is a name.
type Path []Element

// Element is one step of a path: a map key, or a list index when Indexed.
type Element struct {
	Name    string
	Index   int
	Indexed bool
}

// aliased tells an unresolved #alias from a name: the grammar lets no bare name begin with #.
func (e Element) aliased() bool { return !e.Indexed && len(e.Name) > 0 && e.Name[0] == '#' }

// String writes the path the way messages show it: [a, b, [0]].
func (p Path) String() string {
	var text strings.Builder
	text.WriteByte('[')
	for i, element := range p {
		if i > 0 {
			text.WriteString(", ")
		}
		if element.Indexed {
			text.WriteString("[" + strconv.Itoa(element.Index) + "]")
		} else {
			text.WriteString(element.Name)
		}
	}
	text.WriteByte(']')
	return text.String()
}

// find walks an item down the path.
func (p Path) find(item attr.Map) (attr.Value, bool) {
	value, found := item.Get(p[0].Name)
	for _, element := range p[1:] {
		if !found {
			return nil, false
		}
		value, found = element.step(value)
	}
	return value, found
}

// step goes from a container to one of its children.
func (e Element) step(container attr.Value) (attr.Value, bool) {
	switch {
	case e.Indexed && container.Type() == attr.L:
		return container.Index(e.Index)
	case !e.Indexed && container.Type() == attr.M:
		return container.Map().Get(e.Name)
	}
	return nil, false
}

// relation is how two paths lie to each other.
type relation byte

const (
	apart    relation = iota
	overlap           // equal, or one below the other
	conflict          // one container used as a map and as a list
)

func relate(a, b Path) relation {
	for i := range min(len(a), len(b)) {
		if a[i].Indexed != b[i].Indexed {
			return conflict
		}
		if a[i] != b[i] {
			return apart
		}
	}
	return overlap
}

// compare orders paths so that one above another stands right before all that lies below it, and names before indexes.
func (p Path) compare(q Path) int {
	return slices.CompareFunc(p, q, func(a, b Element) int {
		switch {
		case a.Indexed != b.Indexed && a.Indexed:
			return 1
		case a.Indexed != b.Indexed:
			return -1
		case a.Indexed:
			return cmp.Compare(a.Index, b.Index)
		}
		return strings.Compare(a.Name, b.Name)
	})
}

// checkPaths finds the first two paths that overlap, else the first two that conflict (semantics §8.17). DynamoDB names the two in text order, which
// takes a look at every pair.
func checkPaths(paths []Path) string {
	firstConflict := ""
	for j := range paths {
		for i := range j {
			switch relate(paths[i], paths[j]) {
			case overlap:
				return pathsText("overlap", paths[i], paths[j])
			case conflict:
				note(&firstConflict, pathsText("conflict", paths[i], paths[j]))
			case apart:
			}
		}
	}
	return firstConflict
}

func pathsText(how string, one, two Path) string {
	return "Two document paths " + how + " with each other; must remove or rewrite one of these paths; path one: " +
		one.String() + ", path two: " + two.String()
}
