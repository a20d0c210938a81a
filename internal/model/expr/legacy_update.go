package expr

import "stator/internal/model/attr"

// LegacyUpdate is one entry of AttributeUpdates.
type LegacyUpdate struct {
	Attribute string
	Action    string     // "" when absent, which means PUT
	Value     attr.Value // len 0 when absent
}

// LegacyUpdates compiles AttributeUpdates. Entries are checked in their order. Errors are *Error.
func LegacyUpdates(updates []LegacyUpdate) (*Update, error) {
	u := &Update{legacy: true}
	for i := range updates {
		entry := &updates[i]
		if text := entry.check(); text != "" {
			return nil, &Error{text}
		}
		target := Path{{Name: entry.Attribute}}
		u.targets = append(u.targets, target)
		u.actions = append(u.actions, action{clause: entry.clause(), target: target, path: i, value: operand{kind: operandValue, at: len(u.values)}})
		u.values = append(u.values, entry.Value)
	}
	var text string
	if u.root, text = grow(u.targets); text != "" {
		return nil, &Error{text}
	}
	return u, nil
}

func (u *LegacyUpdate) clause() clause {
	switch {
	case u.Action == "ADD":
		return clauseAdd
	case u.Action != "DELETE":
		return clauseSet
	case len(u.Value) == 0:
		return clauseRemove
	}
	return clauseDelete
}

func (u *LegacyUpdate) check() string {
	if text := CheckName(u.Attribute); text != "" {
		return text
	}
	if len(u.Value) == 0 {
		if u.Action != "DELETE" {
			return textInvalid + "Only DELETE action is allowed when no attribute value is specified"
		}
		return ""
	}
	if text := u.Value.Fault(); text != "" {
		return text
	}
	switch t := u.Value.Type(); {
	case u.Action == "DELETE" && !isSet(t):
		return textInvalid + "DELETE action with value is not supported for the type " + t.String()
	case u.Action == "ADD" && !isSet(t) && t != attr.N && t != attr.L:
		return textInvalid + "ADD action is not supported for the type " + t.String()
	}
	return ""
}
