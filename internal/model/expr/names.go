package expr

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"stator/internal/model/attr"
)

// Bounds of ExpressionAttributeNames (semantics §4): what an alias stands for, and an alias with its # or colon.
const (
	nameBytesMax  = 65535
	aliasBytesMax = 255
)

// Names holds ExpressionAttributeNames and ExpressionAttributeValues of one request and remembers which of them were used. It belongs to one goroutine.
type Names struct {
	names  map[string]string
	values attr.Map

	checked bool
	fault   string // what Check found

	usedNames, usedValues []string // with repetitions only across expressions
}

// NewNames takes the two maps of a request; nil means absent.
func NewNames(names map[string]string, values attr.Map) *Names {
	return &Names{names: names, values: values}
}

// Check finds an empty map, a malformed key or a faulty value in either map (semantics §8.2). It comes before any expression: the parsers call it first.
func (n *Names) Check() error {
	if !n.checked {
		n.checked = true
		n.fault = first(n.checkNames(), n.checkValues())
	}
	if n.fault != "" {
		return &Error{n.fault}
	}
	return nil
}

func (n *Names) checkNames() string {
	if n.names == nil {
		return ""
	}
	if len(n.names) == 0 {
		return "ExpressionAttributeNames must not be empty"
	}
	lawful := true
	for alias, name := range n.names {
		lawful = lawful && isAlias(alias, '#') && CheckName(name) == ""
	}
	if lawful {
		return ""
	}
	// A Go map has no order. The alphabet's makes the first fault the same one every time.
	keys := slices.Sorted(maps.Keys(n.names))
	for _, key := range keys {
		if !isAlias(key, '#') {
			return invalidAlias("ExpressionAttributeNames", key, " size of key: "+strconv.Itoa(len(key)))
		}
	}
	for _, key := range keys {
		if text := CheckName(n.names[key]); text != "" {
			return "ExpressionAttributeNames contains invalid value: " + text + " for key " + key
		}
	}
	return ""
}

// CheckName is what is said of a name that no attribute can have, "" of any other.
func CheckName(name string) string {
	switch {
	case name == "":
		return "Empty attribute name"
	case len(name) > nameBytesMax:
		return "Attribute name is too large, must be less than 65536 bytes"
	}
	return ""
}

func (n *Names) checkValues() string {
	if len(n.values) == 0 {
		return ""
	}
	if n.values.Len() == 0 {
		return "ExpressionAttributeValues must not be empty"
	}
	for key := range n.values.All() {
		if !isAlias(key, ':') {
			return invalidAlias("ExpressionAttributeValues", key, "")
		}
	}
	if key, text := n.values.OlderFaultAt(); text != "" {
		return "ExpressionAttributeValues contains invalid value: " + text + " for key " + key
	}
	return ""
}

func isAlias(key string, sign byte) bool {
	return len(key) >= 2 && len(key) <= aliasBytesMax && key[0] == sign && wordEnd(key, 1) == len(key)
}

// invalidAlias is what is said of a key that isAlias refuses. Its length is looked at before what it is made of. DynamoDB says the size of a name's key
// and keeps silent about that of a value's.
func invalidAlias(parameter, key, size string) string {
	if len(key) > aliasBytesMax {
		return parameter + " contains invalid key: The expression attribute map contains a key that is too long;" + size
	}
	return parameter + ` contains invalid key: Syntax error; key: "` + key + `"`
}

// name resolves an alias and notes its use.
func (n *Names) name(alias string) (string, bool) {
	name, found := n.names[alias]
	if found {
		n.usedNames = append(n.usedNames, alias)
	}
	return name, found
}

// fill resolves the placeholders of a text and notes their use. False means that some are not defined. Both sides are sorted and walked together: a
// request may define very many values, and looking each placeholder up would walk them once for each.
func (n *Names) fill(t *tables, values []attr.Value) bool {
	n.usedValues = slices.Grow(n.usedValues, len(t.values))
	next, found := 0, 0
	for name, value := range n.values.All() {
		for next < len(t.sorted) && t.values[t.sorted[next]] < name {
			next++
		}
		if next == len(t.sorted) {
			break
		}
		if at := t.sorted[next]; t.values[at] == name {
			values[at] = value
			n.usedValues = append(n.usedValues, t.values[at])
			found++
		}
	}
	return found == len(t.values)
}

// Unused reports names, then values, that no expression parsed with n mentioned. It is called after all expressions were parsed.
func (n *Names) Unused() error {
	var idle []string
	used := newKeySet(n.usedNames, len(n.names))
	for alias := range n.names {
		if !used.has(alias) {
			idle = append(idle, alias)
		}
	}
	if idle != nil {
		return unusedError("ExpressionAttributeNames", idle)
	}
	used = newKeySet(n.usedValues, n.values.Len())
	for alias := range n.values.All() {
		if !used.has(alias) {
			idle = append(idle, alias)
		}
	}
	if idle != nil {
		return unusedError("ExpressionAttributeValues", idle)
	}
	return nil
}

func unusedError(parameter string, keys []string) error {
	slices.Sort(keys)
	return &Error{"Value provided in " + parameter + " unused in expressions: keys: {" + strings.Join(keys, ", ") + "}"}
}

// keySet tells whether a key was used. A few keys are compared one by one.
type keySet struct {
	list []string
	set  map[string]struct{} // instead of list when there are many
}

// comparisonsMax is how many comparisons of keys are cheaper than a map of them.
const comparisonsMax = 256

func newKeySet(keys []string, lookups int) keySet {
	if len(keys)*lookups <= comparisonsMax {
		return keySet{list: keys}
	}
	set := make(map[string]struct{}, len(keys))
	for _, key := range keys {
		set[key] = struct{}{}
	}
	return keySet{set: set}
}

func (s keySet) has(key string) bool {
	if s.set == nil {
		return slices.Contains(s.list, key)
	}
	_, found := s.set[key]
	return found
}
