package ops

import (
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
)

// keyMismatch is the answer to a Key that lacks an attribute of the table's key, has one too many or of another type.
const keyMismatch = "The provided key element does not match the schema"

// keySuffix is the key suffix of the item that has key, which must be the table's key and nothing else.
func keySuffix(t *table.Table, key attr.Map) ([]byte, error) {
	if key.Len() != t.Key.Len() {
		return nil, api.NewValidationException(keyMismatch)
	}
	return suffixOf(t, key, lookupKey)
}

// keyWording is how a key attribute that is missing, or of another type, is refused: not the same in every operation.
type keyWording struct {
	prefix  string
	missing func(a table.KeyAttribute) string
	typed   func(a table.KeyAttribute, actual attr.Type) string
}

var (
	lookupKey = keyWording{
		missing: func(table.KeyAttribute) string { return keyMismatch },
		typed:   func(table.KeyAttribute, attr.Type) string { return keyMismatch },
	}
	putKey = keyWording{missing: missingKey, typed: func(a table.KeyAttribute, actual attr.Type) string {
		return "One or more parameter values were invalid: Type mismatch for key " + a.Name +
			" expected: " + a.Type.String() + " actual: " + actual.String()
	}}
	// A start key lacks something, or mistakes it, at two places: among the attributes that the source is ordered by, and in the table's key.
	startKey      = keyWording{missing: func(table.KeyAttribute) string { return startKeyInvalid }, typed: lookupKey.typed}
	startTableKey = keyWording{prefix: startKeyInvalid + ": ", missing: lookupKey.missing, typed: lookupKey.typed}
)

func missingKey(a table.KeyAttribute) string {
	return "One or more parameter values were invalid: Missing the key " + a.Name + " in the item"
}

// suffixOf takes the table's key out of item, attribute by attribute. A table's key has one hash and at most one range attribute, so the
// values fit on the stack.
func suffixOf(t *table.Table, item attr.Map, w keyWording) ([]byte, error) {
	hash, err := w.take(t.Key.Hash[0], item, table.HashBytesMax)
	if err != nil {
		return nil, err
	}
	if len(t.Key.Range) == 0 {
		return keys.Suffix([]attr.Value{hash}, nil), nil
	}
	rng, err := w.take(t.Key.Range[0], item, table.RangeBytesMax)
	if err != nil {
		return nil, err
	}
	return keys.Suffix([]attr.Value{hash}, []attr.Value{rng}), nil
}

// take finds one key attribute with the schema's type, neither empty nor longer than bytesMax.
func (w keyWording) take(a table.KeyAttribute, item attr.Map, bytesMax int) (attr.Value, error) {
	v, ok := item.Get(a.Name)
	if !ok {
		return nil, w.refuse(w.missing(a))
	}
	if v.Type() != a.Type {
		return nil, w.refuse(w.typed(a, v.Type()))
	}
	if text := checkKeyValue(a, v, bytesMax); text != "" {
		return nil, w.refuse(text)
	}
	return v, nil
}

func (w keyWording) refuse(text string) error { return api.NewValidationException(w.prefix + text) }

// checkKeyValue is DynamoDB's text for a key value of the right type that is empty or too long, "" for a lawful one (semantics §4).
func checkKeyValue(a table.KeyAttribute, v attr.Value, bytesMax int) string {
	if a.Type == attr.N {
		return ""
	}
	size := len(v.Str())
	switch {
	case size == 0 && a.Type == attr.S:
		return "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: " + a.Name
	case size == 0:
		return "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: " + a.Name
	case size <= bytesMax:
		return ""
	case bytesMax == table.HashBytesMax:
		return "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
	default:
		return "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
	}
}

// checkKeyPaths refuses document paths that reach into a key attribute of the table or of an index: keys are scalars.
func checkKeyPaths(t *table.Table, paths []expr.Path) error {
	for _, path := range paths {
		if len(path) < 2 {
			continue
		}
		name := path[0].Name
		switch {
		case t.Key.Has(name):
			return api.NewValidationException(nestedKey + "Key: " + name)
		case isIndexKey(t.Local, name), isIndexKey(t.Global, name):
			return api.NewValidationException(nestedKey + "IndexKey: " + name)
		}
	}
	return nil
}

const nestedKey = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "

func isIndexKey(indexes []table.Index, name string) bool {
	for i := range indexes {
		if indexes[i].Key.Has(name) {
			return true
		}
	}
	return false
}
