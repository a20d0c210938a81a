package policy

import (
	"slices"

	"github.com/go-faster/jx"
)

// written is a statement as it was written, before the document's version says what it means.
type written struct {
	sid, effect string
	principal   *principal
	actions     writtenChoice
	resources   writtenChoice
	conditions  []writtenCondition
}

// writtenChoice is a member such as Action, or its opposite, NotAction.
type writtenChoice struct {
	not   bool
	texts []string
}

// writtenCondition is one key below one operator.
type writtenCondition struct {
	operator, key string
	values        []string
}

func (w *written) read(d *jx.Decoder) error {
	return members(d, map[string]func(*jx.Decoder) error{
		"Sid":          func(d *jx.Decoder) error { return text(d, "Sid", &w.sid) },
		"Effect":       func(d *jx.Decoder) error { return text(d, "Effect", &w.effect) },
		"Principal":    func(d *jx.Decoder) error { return w.readPrincipal(d, false) },
		"NotPrincipal": func(d *jx.Decoder) error { return w.readPrincipal(d, true) },
		"Action":       func(d *jx.Decoder) error { return w.actions.read(d, "Action", false) },
		"NotAction":    func(d *jx.Decoder) error { return w.actions.read(d, "Action", true) },
		"Resource":     func(d *jx.Decoder) error { return w.resources.read(d, "Resource", false) },
		"NotResource":  func(d *jx.Decoder) error { return w.resources.read(d, "Resource", true) },
		"Condition":    w.readConditions,
	})
}

func (w *written) readPrincipal(d *jx.Decoder, not bool) error {
	if w.principal != nil {
		return both("Principal")
	}
	w.principal = &principal{not: not}
	if d.Next() == jx.String {
		everyone, err := d.Str()
		if err == nil && everyone != "*" {
			return &Error{Text: invalidPrefix + invalidPrincipal}
		}
		w.principal.everyone = true
		return err
	}
	return pairs(d, "Principal", func(d *jx.Decoder, kind string) error {
		values, err := list(d, "Principal")
		w.principal.groups = append(w.principal.groups, principalGroup{kind: kind, values: values})
		return err
	})
}

func (w *written) readConditions(d *jx.Decoder) error {
	return pairs(d, "Condition", func(d *jx.Decoder, operator string) error {
		return pairs(d, operator, func(d *jx.Decoder, key string) error {
			values, err := list(d, key)
			w.conditions = append(w.conditions, writtenCondition{operator: operator, key: key, values: values})
			return err
		})
	})
}

func (c *writtenChoice) read(d *jx.Decoder, name string, not bool) (err error) {
	if c.texts != nil {
		return both(name)
	}
	c.not = not
	c.texts, err = list(d, name)
	return err
}

func both(name string) error {
	return refuse(unreadable + "A statement has both " + name + " and Not" + name)
}

// members reads an object of which all members are known. A member that stands twice is refused: one of the two would be
// ignored.
func members(d *jx.Decoder, known map[string]func(*jx.Decoder) error) error {
	return pairs(d, "the document", func(d *jx.Decoder, name string) error {
		read, ok := known[name]
		if !ok {
			return refuse(unreadable + "Unknown field " + name)
		}
		return read(d)
	})
}

// pairs reads an object, whose names must differ.
func pairs(d *jx.Decoder, where string, pair func(d *jx.Decoder, name string) error) error {
	if d.Next() != jx.Object {
		return refuse(unreadable + "An object is missing: " + where)
	}
	var names []string
	return d.Obj(func(d *jx.Decoder, name string) error {
		if slices.Contains(names, name) {
			return refuse(unreadable + "Duplicate field " + name)
		}
		names = append(names, name)
		return pair(d, name)
	})
}

// each reads one value of a type, or a list of such.
func each(d *jx.Decoder, kind jx.Type, read func(*jx.Decoder) error) error {
	if d.Next() != jx.Array {
		return read(d)
	}
	return d.Arr(func(d *jx.Decoder) error {
		if d.Next() != kind {
			return refuse(unreadable + "A list holds a value of the wrong type")
		}
		return read(d)
	})
}

// list reads a text, or a list of texts. A number or truth value counts as its text, as conditions write them.
func list(d *jx.Decoder, name string) ([]string, error) {
	values := []string{}
	add := func(d *jx.Decoder) error {
		value, err := scalar(d, name)
		values = append(values, value)
		return err
	}
	if d.Next() == jx.Array {
		return values, d.Arr(add)
	}
	err := add(d)
	return values, err
}

func scalar(d *jx.Decoder, name string) (string, error) {
	switch d.Next() {
	case jx.String:
		return d.Str()
	case jx.Number:
		n, err := d.Num()
		return n.String(), err
	case jx.Bool:
		is, err := d.Bool()
		if is {
			return "true", err
		}
		return "false", err
	default:
		return "", refuse(unreadable + "Neither a text nor a list of texts: " + name)
	}
}

func text(d *jx.Decoder, name string, to *string) (err error) {
	if d.Next() != jx.String {
		return refuse(unreadable + "Not a text: " + name)
	}
	*to, err = d.Str()
	return err
}
