package table

import "slices"

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
