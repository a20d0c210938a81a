package table

import (
	"slices"
	"strings"
)

// WithGlobal is t with one more global index, which is lawful and has no id yet. Of the request's definitions it takes those that the
// index needs and t lacks: a stored definition keeps its type, and an unused one is dropped (semantics §7.6).
func (t *Table) WithGlobal(w *IndexWish, sent Definitions) *Table {
	c := t.Clone()
	for _, e := range w.Schema {
		if _, known := Definitions(c.Definitions).typeOf(e.Name); known {
			continue
		}
		if kind, ok := sent.typeOf(e.Name); ok {
			c.Definitions = append(c.Definitions, KeyAttribute{Name: e.Name, Type: kind})
		}
	}
	ix := w.index(c.Definitions, t.Billing)
	ix.Added = true
	c.Global = append(c.Global, ix)
	return c
}

// CheckRedefined refuses an index whose key gives an attribute another type than it has in another index's key. One of t's own key keeps
// its type whatever is sent (semantics §7.6). The definitions that were sent have all that the index needs.
func (t *Table) CheckRedefined(w *IndexWish, sent Definitions) string {
	for _, e := range w.Schema {
		wanted, _ := sent.typeOf(e.Name)
		for _, ix := range slices.Concat(t.Local, t.Global) {
			if a, known := ix.Key.Attribute(e.Name); known && a.Type != wanted && !t.Key.Has(e.Name) {
				return invalid + "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined." +
					" Existing schema: " + schemaText(ix.Key) + " New schema: " + schemaText(sent.key(w.Schema))
			}
		}
	}
	return ""
}

func schemaText(k Key) string {
	var elements []string
	add := func(attributes []KeyAttribute, kind string) {
		for _, a := range attributes {
			elements = append(elements, "SchemaElement: key{"+a.Name+":"+a.Type.String()+":"+kind+"}")
		}
	}
	add(k.Hash, "HASH")
	add(k.Range, "RANGE")
	return "Schema:[" + strings.Join(elements, ", ") + "]"
}

// WithoutGlobal is t without one of its global indexes, and without the definitions that nothing uses any more (semantics §7.6).
func (t *Table) WithoutGlobal(name string) *Table {
	c := t.Clone()
	c.Global = slices.DeleteFunc(c.Global, func(ix Index) bool { return ix.Name == name })
	c.Definitions = slices.DeleteFunc(c.Definitions, func(a KeyAttribute) bool { return !c.uses(a.Name) })
	return c
}

// uses reports whether an attribute is part of any key.
func (t *Table) uses(name string) bool {
	if t.Key.Has(name) {
		return true
	}
	inKey := func(ix Index) bool { return ix.Key.Has(name) }
	return slices.ContainsFunc(t.Local, inKey) || slices.ContainsFunc(t.Global, inKey)
}

// CheckNonKey bounds the NonKeyAttributes of t's indexes together with added more.
func (t *Table) CheckNonKey(added int) string {
	for _, ix := range slices.Concat(t.Local, t.Global) {
		added += len(ix.Projection.NonKey)
	}
	return checkNonKey(added)
}
