package iam

import (
	"encoding/base64"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
)

// items is what an action does with items, as far as conditions can ask.
type items struct {
	// keys are the items' partition keys, given the key that they are named by; nil for an action that names none.
	keys func(table.Key) []string
	// names are the attributes that the request mentions.
	names func(*mentions)

	selected, returned, enclosing, fullScan string // "" for what is not said
	capacity                                *string
}

func (n *need) leading() []string {
	if n.items.keys == nil || len(n.key.Hash) == 0 {
		return nil
	}
	return n.items.keys(n.key)
}

func (n *need) attributes() []string {
	if n.items.names == nil {
		return nil
	}
	m := &mentions{}
	n.items.names(m)
	return m.names
}

// partitionKeys are the partition keys in items or keys. Of a key of several attributes it is the first.
func partitionKeys(maps ...attr.Map) func(table.Key) []string {
	return func(k table.Key) []string {
		var texts []string
		for _, m := range maps {
			if v, ok := m.Get(k.Hash[0].Name); ok {
				texts = appendText(texts, v)
			}
		}
		return texts
	}
}

// appendText appends a key's value as policies write it. What cannot be a key is left out: the operation refuses it.
func appendText(texts []string, v attr.Value) []string {
	switch v.Type() {
	case attr.S:
		return append(texts, string(v.Str()))
	case attr.N:
		return append(texts, string(v.Number().Append(nil)))
	case attr.B:
		return append(texts, base64.StdEncoding.EncodeToString(v.Str()))
	default:
		return texts
	}
}

// mentions collects the top-level attributes that a request mentions. An expression that cannot be read is passed over: the
// operation reads it in the same way, and refuses the request.
type mentions struct {
	names   []string
	aliases *expr.Names
}

// with sets what the aliases in the expressions that follow stand for.
func (m *mentions) with(names map[string]string, values attr.Map) *mentions {
	m.aliases = expr.NewNames(names, values)
	return m
}

func (m *mentions) paths(paths []expr.Path) {
	for _, p := range paths {
		m.names = append(m.names, p[0].Name)
	}
}

func (m *mentions) item(item attr.Map) *mentions {
	for name := range item.All() {
		m.names = append(m.names, name)
	}
	return m
}

func (m *mentions) condition(kind expr.Kind, text *string) *mentions {
	if text == nil {
		return m
	}
	if c, err := expr.ParseCondition(kind, *text, m.aliases); err == nil {
		m.paths(c.Paths())
	}
	return m
}

func (m *mentions) update(text *string) *mentions {
	if text == nil {
		return m
	}
	if u, err := expr.ParseUpdate(*text, m.aliases); err == nil {
		m.paths(u.Paths())
		m.paths(u.Sources())
	}
	return m
}

func (m *mentions) projection(text *string, legacy []string) *mentions {
	m.names = append(m.names, legacy...)
	if text == nil {
		return m
	}
	if p, err := expr.ParseProjection(*text, m.aliases); err == nil {
		m.paths(p.Paths())
	}
	return m
}

func (m *mentions) keyCondition(text *string) *mentions {
	if text == nil {
		return m
	}
	if c, err := expr.ParseKeyCondition(*text, m.aliases); err == nil {
		for _, part := range c.Parts {
			m.names = append(m.names, part.Name)
		}
	}
	return m
}

// mentionKeys adds the attributes that legacy parameters are about.
func mentionKeys[T any](m *mentions, parameters map[string]T) *mentions {
	for name := range parameters {
		m.names = append(m.names, name)
	}
	return m
}

// selected is what a reading shows: what it says, or what its parameters come to.
func selected(sent *string, projected, index bool) string {
	switch {
	case sent != nil:
		return *sent
	case projected:
		return api.SelectSpecificAttributes
	case index:
		return api.SelectAllProjectedAttributes
	default:
		return api.SelectAllAttributes
	}
}

// returned is what a write shows of the item. One that shows the item when its condition fails may show all of it.
func returned(sent, onFailure *string) string {
	switch {
	case onFailure != nil && *onFailure == api.ReturnValueAllOld && (sent == nil || *sent != api.ReturnValueAllNew):
		return *onFailure
	case sent != nil:
		return *sent
	default:
		return ""
	}
}
