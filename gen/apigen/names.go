package main

import (
	"strings"
	"unicode"
)

// exported makes a wire member name a Go field name: eventID becomes EventID.
func exported(name string) string {
	return strings.ToUpper(name[:1]) + name[1:]
}

// camel joins the words of an enum value: ALL_OLD becomes AllOld, dynamodb:table:ReadCapacityUnits becomes
// DynamodbTableReadCapacityUnits. A word that mixes cases already keeps them.
func camel(value string) string {
	var out strings.Builder
	separator := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for _, word := range strings.FieldsFunc(value, separator) {
		if word == strings.ToUpper(word) {
			word = strings.ToLower(word)
		}
		out.WriteString(exported(word))
	}
	return out.String()
}

// article gives "a" or "an".
func article(noun string) string {
	if strings.ContainsRune("AEIOU", rune(noun[0])) {
		return "an"
	}
	return "a"
}

// goType is the Go type of a shape as an element of a list or map. Attribute values and maps of them are kept in
// model/attr's encoded form.
func (m *model) goType(name string) string {
	s := m.shape(name)
	switch s.Type {
	case "string":
		return "string"
	case "integer", "long":
		return "int64"
	case "double", "timestamp":
		return "float64"
	case "boolean":
		return "bool"
	case "list":
		return "[]" + m.goType(s.Member.Shape)
	case "map":
		if s.Value.Shape == attributeValue {
			return "attr.Map"
		}
		return "map[string]" + m.goType(s.Value.Shape)
	case "structure":
		if name == attributeValue {
			return "attr.Value"
		}
		return name
	}
	panic("model " + m.file + " uses " + s.Type + " outside of " + attributeValue)
}

// fieldType is the Go type of a shape as a member of a structure, where absence must be told from the zero value.
func (m *model) fieldType(name string) string {
	if m.pointed(name) {
		return "*" + m.goType(name)
	}
	return m.goType(name)
}

// pointed tells whether a member of this shape is a pointer; the others are absent when nil themselves.
func (m *model) pointed(name string) bool {
	t := m.goType(name)
	return !strings.HasPrefix(t, "[]") && !strings.HasPrefix(t, "map[") && !strings.HasPrefix(t, "attr.")
}

// attributeValue is the one shape that is not generated: model/attr owns it.
const attributeValue = "AttributeValue"

// prefix sets a service's own lists, maps and rules apart: the services constrain shapes of one name differently.
func (m *model) prefix() string {
	switch m.file {
	case "dynamodb":
		return ""
	case "dynamodb-streams":
		return "Streams"
	}
	return "Scaling"
}

// wireKind classifies a shape by how it is read, checked and written: a scalar by its type, an attribute value and a
// map of them as "value" and "attributes".
func (m *model) wireKind(name string) string {
	s := m.shape(name)
	switch {
	case name == attributeValue:
		return "value"
	case s.Type == "map" && s.Value.Shape == attributeValue:
		return "attributes"
	case s.Type == "string" && len(s.Enum) > 0:
		return "enum"
	}
	return s.Type
}
