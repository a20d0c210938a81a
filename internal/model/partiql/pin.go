package partiql

import (
	"slices"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// Pin is the one item that a condition is about.
type Pin struct {
	// Key has the value that the condition equates with each key attribute; an attribute that it says nothing of is missing.
	Key attr.Map
	// Conflict names a key attribute that the condition equates with a second value, "" when there is none.
	Conflict string

	where *Where
	rest  []*node
}

// Pin finds the item. Key names the table's key attributes.
func (w *Where) Pin(key []string) Pin { return w.pin(key, false) }

// Lookup is Pin for reads of one item: they may ask with an IN of one value too. It tells whether the condition names a key and says nothing else.
func (w *Where) Lookup(key []string) (attr.Map, bool) {
	pin := w.pin(key, true)
	return pin.Key, pin.Conflict == "" && len(pin.rest) == 0 && pin.Key.Len() == len(key)
}

func (w *Where) pin(key []string, in bool) Pin {
	pin := Pin{Key: attr.EmptyMap, where: w}
	for _, n := range w.conjunction() {
		name, values := w.equated(n)
		if !slices.Contains(key, name) || len(values) != 1 || n.name == "IN" && !in {
			pin.rest = append(pin.rest, n)
			continue
		}
		switch value, found := pin.Key.Get(name); {
		case !found:
			pin.Key = pin.Key.With(name, values[0])
		case !attr.Equal(value, values[0]):
			// What the item cannot satisfy stays in the condition.
			pin.Conflict = name
			pin.rest = append(pin.rest, n)
		}
	}
	return pin
}

// Bare tells that the condition says nothing beside the key.
func (p Pin) Bare() bool { return len(p.rest) == 0 }

// Condition is what the condition says beside the key; with exists, also that there is an item, told by the attribute of that name. nil asks for nothing.
// Errors are *Error.
func (p Pin) Condition(exists string) (*expr.Condition, error) {
	return p.where.condition(p.rest, exists)
}
