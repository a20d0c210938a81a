package table

import (
	"encoding/json"
	"fmt"

	"stator/internal/model/attr"
)

// Bounds of key values in bytes: of one hash attribute, and of all range attributes together (semantics §4, errors.json key-range-size).
const (
	HashBytesMax  = 2048
	RangeBytesMax = 1024
)

// ItemBytesMax is the largest item in DynamoDB's accounting, inclusive (semantics §2.1).
const ItemBytesMax = 409_600

// UpdateTooLarge is DynamoDB's text for an update that weighs more than ItemBytesMax, or whose item would (semantics §2.5, §2.6).
const UpdateTooLarge = "Item size to update has exceeded the maximum allowed size"

// KeyAttribute names one key attribute and its type, which is S, N or B.
type KeyAttribute struct {
	Name string
	Type attr.Type
}

// Key is a primary key: of a table or local index one Hash and at most one Range attribute, of a global index up to four of each
// (semantics §7.7).
type Key struct {
	Hash  []KeyAttribute `json:"hash"`
	Range []KeyAttribute `json:"range,omitempty"`
}

// Attributes lists the key attributes in schema order: hash first.
func (k Key) Attributes() []KeyAttribute {
	all := make([]KeyAttribute, 0, len(k.Hash)+len(k.Range))
	return append(append(all, k.Hash...), k.Range...)
}

// Names lists the names of the key attributes in schema order.
func (k Key) Names() []string {
	names := make([]string, 0, len(k.Hash)+len(k.Range))
	for _, a := range k.Hash {
		names = append(names, a.Name)
	}
	for _, a := range k.Range {
		names = append(names, a.Name)
	}
	return names
}

// Len is the number of key attributes.
func (k Key) Len() int { return len(k.Hash) + len(k.Range) }

// Has reports whether name is one of the key attributes.
func (k Key) Has(name string) bool {
	_, ok := k.Attribute(name)
	return ok
}

// Attribute finds a key attribute by name.
func (k Key) Attribute(name string) (KeyAttribute, bool) {
	for _, a := range k.Hash {
		if a.Name == name {
			return a, true
		}
	}
	for _, a := range k.Range {
		if a.Name == name {
			return a, true
		}
	}
	return KeyAttribute{}, false
}

// Values takes the key attributes' values out of an item. ok is false when one is absent or no lawful key value: of another type,
// empty, or over the bounds of CheckItem.
func (k Key) Values(item attr.Map) (hash, rng []attr.Value, ok bool) {
	values := make([]attr.Value, 0, k.Len())
	for _, a := range k.Hash {
		v, ok := a.value(item)
		if !ok || v.Size() > HashBytesMax {
			return nil, nil, false
		}
		values = append(values, v)
	}
	total := 0
	for _, a := range k.Range {
		v, ok := a.value(item)
		if !ok {
			return nil, nil, false
		}
		if total += v.Size(); total > RangeBytesMax {
			return nil, nil, false
		}
		values = append(values, v)
	}
	n := len(k.Hash)
	return values[:n:n], values[n:], true
}

// value is the attribute's value in item; ok only if it has the right type and is not empty.
func (a KeyAttribute) value(item attr.Map) (v attr.Value, ok bool) {
	v, ok = item.Get(a.Name)
	if !ok || v.Type() != a.Type || (a.Type != attr.N && len(v.Str()) == 0) {
		return nil, false
	}
	return v, true
}

// keyAttributeJSON is the stored form: types are written by their letter so that a dump of the catalog can be read.
type keyAttributeJSON struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// MarshalJSON writes {"name":"pk","type":"S"}.
func (a KeyAttribute) MarshalJSON() ([]byte, error) {
	return json.Marshal(keyAttributeJSON{Name: a.Name, Type: a.Type.String()})
}

// UnmarshalJSON reads what MarshalJSON wrote; a letter other than S, N and B is an error.
func (a *KeyAttribute) UnmarshalJSON(b []byte) error {
	var stored keyAttributeJSON
	if err := json.Unmarshal(b, &stored); err != nil {
		return err
	}
	kind, ok := KeyType(stored.Type)
	if !ok {
		return fmt.Errorf("key attribute %q has type %q", stored.Name, stored.Type)
	}
	a.Name, a.Type = stored.Name, kind
	return nil
}

// KeyType is the type that a scalar attribute type letter (S, N, B) of the API names.
func KeyType(letter string) (attr.Type, bool) {
	switch letter {
	case "S":
		return attr.S, true
	case "N":
		return attr.N, true
	case "B":
		return attr.B, true
	}
	return 0, false
}
