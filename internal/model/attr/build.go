package attr

import (
	"slices"
	"strconv"
	"strings"

	"stator/internal/base/must"
)

// String gives s, which must be UTF-8, as an S.
func String(s string) Value {
	dst := make([]byte, 0, len(s)+6)
	return append(appendLength(append(dst, byte(S)), len(s)), s...)
}

// Binary gives b as a B.
func Binary(b []byte) Value {
	dst := make([]byte, 0, len(b)+6)
	return append(appendLength(append(dst, byte(B)), len(b)), b...)
}

// Bool gives is as a BOOL.
func Bool(is bool) Value {
	if is {
		return Value{tagTrue}
	}
	return Value{tagFalse}
}

// Null gives the NULL.
func Null() Value { return Value{tagNull} }

// NumberValue gives n as an N.
func NumberValue(n Number) Value {
	dst := make([]byte, 0, len(n)+2)
	return append(append(dst, byte(N), byte(len(n))), n...)
}

// Int gives i as an N.
func Int(i int64) Value {
	n, f := appendNumber([]byte{byte(N), 0}, strconv.FormatInt(i, 10))
	must.That(f == noFault, "integer of %d bytes is no number", len(n))
	return sealText(n, 0)
}

// NewList gives the elements as an L. It is faulty when one of them is.
func NewList(elements []Value) Value {
	dst := []byte{byte(L), 0, 0}
	blamed := lawful
	for i, element := range elements {
		dst = append(dst, element...)
		if blamed == lawful && element.faulty() {
			blamed = i
		}
	}
	return sealValue(dst, 0, len(elements), blamed)
}

// Set gives the members as a set of type t, SS, NS or BS, in order and each once; absent when there are none, as
// DynamoDB has no empty sets. Every member has the type that t is a set of.
func Set(t Type, members []Value) Value {
	if len(members) == 0 {
		return nil
	}
	sorted := slices.Clone(members)
	for _, member := range sorted {
		must.That(member.Type() == t.element() && t.element() != 0, "member of type %v in a set of type %v", member.Type(), t)
	}
	slices.SortFunc(sorted, Compare)
	sorted = slices.CompactFunc(sorted, Equal)
	dst := []byte{byte(t), 0, 0}
	for _, member := range sorted {
		dst = append(dst, member...)
	}
	return sealValue(dst, 0, len(sorted), lawful)
}

// Entry is one attribute of a map that is to be built.
type Entry struct {
	Name  string
	Value Value
}

// NewMap gives the entries as a map; of equal names the last counts. It is faulty when a value in it is, and then blames
// the first in the order of entries. The entries are left as they are.
func NewMap(entries []Entry) Map {
	sorted := make([]int, len(entries))
	for i := range entries {
		sorted[i] = i
	}
	slices.SortStableFunc(sorted, func(i, j int) int { return strings.Compare(entries[i].Name, entries[j].Name) })
	dst := make([]byte, 1, 256)
	count, blamed, first := 0, lawful, len(entries)
	for k, i := range sorted {
		e := entries[i]
		if k+1 < len(sorted) && entries[sorted[k+1]].Name == e.Name {
			continue
		}
		if i < first && e.Value.faulty() {
			blamed, first = count, i
		}
		dst = appendEntry(dst, e.Name, e.Value)
		count++
	}
	return sealMap(dst, 0, count, blamed)
}

func appendEntry(dst []byte, name string, v Value) []byte {
	dst = appendLength(dst, len(name))
	dst = append(dst, name...)
	return append(dst, v...)
}

// Value gives the map as an M; an absent map as an empty one.
func (m Map) Value() Value {
	if len(m) == 0 {
		m = EmptyMap
	}
	dst := make([]byte, 0, len(m)+6)
	return append(appendLength(append(dst, byte(M)), len(m)), m...)
}

// With gives a copy of m in which the attribute called name is v.
func (m Map) With(name string, v Value) Map {
	count, blamed, at := readHead(m)
	if blamed != lawful || v.faulty() {
		return NewMap(append(m.entries(), Entry{name, v}))
	}
	from, to, found := m.place(name)
	if !found {
		count++
	}
	dst := make([]byte, 0, len(m)+len(name)+len(v)+8)
	dst = appendHead(dst, count, lawful)
	dst = append(dst, m[at:from]...)
	dst = appendEntry(dst, name, v)
	return append(dst, m[to:]...)
}

// Without gives m without the attribute called name: m itself when it has none.
func (m Map) Without(name string) Map {
	count, blamed, at := readHead(m)
	from, to, found := m.place(name)
	if !found {
		return m
	}
	if blamed != lawful {
		return NewMap(slices.DeleteFunc(m.entries(), func(e Entry) bool { return e.Name == name }))
	}
	dst := make([]byte, 0, len(m))
	dst = appendHead(dst, count-1, lawful)
	dst = append(dst, m[at:from]...)
	return append(dst, m[to:]...)
}

// place gives the bounds of the entry called name, or, when there is none, the place where it belongs as both.
func (m Map) place(name string) (from, to int, found bool) {
	count, _, at := readHead(m)
	for range count {
		start, value, end := readEntry(m, at)
		switch strings.Compare(alias(m[start:value]), name) {
		case 0:
			return at, end, true
		case 1:
			return at, at, false
		}
		at = end
	}
	return at, at, false
}

// onlyBytesUsual is room for a key, which is what Only mostly gives, and not for an item.
const onlyBytesUsual = 128

// Only gives a map of those attributes of m that are named; names m does not have add nothing.
func (m Map) Only(names ...string) Map {
	count, blamed, at := readHead(m)
	if blamed != lawful {
		return NewMap(slices.DeleteFunc(m.entries(), func(e Entry) bool { return !slices.Contains(names, e.Name) }))
	}
	dst := make([]byte, 1, min(len(m)+1, onlyBytesUsual))
	kept := 0
	for range count {
		start, value, end := readEntry(m, at)
		if slices.Contains(names, alias(m[start:value])) {
			dst = append(dst, m[at:end]...)
			kept++
		}
		at = end
	}
	return sealMap(dst, 0, kept, lawful)
}

// entries gives the attributes of a faulty map with the one to blame first, so that rebuilding the map blames it again.
func (m Map) entries() []Entry {
	_, blamed, _ := readHead(m)
	var list []Entry
	for name, v := range m.All() {
		list = append(list, Entry{name, v})
	}
	if blamed > 0 {
		first := list[blamed]
		list = slices.Insert(slices.Delete(list, blamed, blamed+1), 0, first)
	}
	return list
}
