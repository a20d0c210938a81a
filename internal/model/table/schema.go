package table

import (
	"slices"
	"strings"

	"stator/internal/model/attr"
)

// invalid opens most texts of the control plane.
const invalid = "One or more parameter values were invalid: "

// globalKeyMax bounds the hash and the range attributes of a global index's key (semantics §4).
const globalKeyMax = 4

// Element is one element of a key schema as it was sent.
type Element struct {
	Name  string
	Range bool // its KeyType is RANGE, else HASH
}

// Definitions are the attribute definitions of a request.
type Definitions []KeyAttribute

// typeOf finds an attribute's declared type.
func (d Definitions) typeOf(name string) (attr.Type, bool) {
	i := slices.IndexFunc(d, func(a KeyAttribute) bool { return a.Name == name })
	if i < 0 {
		return 0, false
	}
	return d[i].Type, true
}

// checkNames refuses attributes defined twice.
func (d Definitions) checkNames() string {
	seen := map[string]bool{}
	for _, a := range d {
		if seen[a.Name] {
			return "Attribute Name is duplicated: " + a.Name
		}
		seen[a.Name] = true
	}
	return ""
}

// checkDefined refuses a key schema with an attribute that has no definition.
func (d Definitions) checkDefined(schema []Element) string {
	for _, e := range schema {
		if _, ok := d.typeOf(e.Name); !ok {
			return invalid + "Some index key attributes are not defined in AttributeDefinitions. Keys: " + list(namesOf(schema)) +
				", AttributeDefinitions: " + list(d.names())
		}
	}
	return ""
}

// key turns a schema whose attributes are all defined into a key.
func (d Definitions) key(schema []Element) Key {
	var k Key
	for _, e := range schema {
		kind, _ := d.typeOf(e.Name)
		a := KeyAttribute{Name: e.Name, Type: kind}
		if e.Range {
			k.Range = append(k.Range, a)
		} else {
			k.Hash = append(k.Hash, a)
		}
	}
	return k
}

func (d Definitions) names() []string {
	names := make([]string, len(d))
	for i, a := range d {
		names[i] = a.Name
	}
	return names
}

// checkPair holds the key schema of a table or local index, which has at most two elements, to HASH and then RANGE.
func checkPair(schema []Element) string {
	switch {
	case len(schema) > 1 && schema[0].Name == schema[1].Name:
		return samePair
	case schema[0].Range:
		return "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
	case len(schema) > 1 && !schema[1].Range:
		return "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
	}
	return ""
}

// checkGlobal holds the key schema of a global index to one to four HASH and then up to four RANGE (semantics §7.7).
func checkGlobal(schema []Element) string {
	if schema[0].Range {
		return "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
	}
	hashes, ranges := 0, 0
	seen := map[string]bool{}
	for _, e := range schema {
		switch {
		case e.Range:
			ranges++
		case ranges > 0:
			return invalid + "All HASH key attributes must precede RANGE key attributes in the KeySchema"
		default:
			hashes++
		}
		if seen[e.Name] {
			return sameNames(schema)
		}
		seen[e.Name] = true
	}
	if hashes > globalKeyMax {
		return invalid + "The KeySchema exceeds the maximum allowed number of HASH key attributes"
	}
	if ranges > globalKeyMax {
		return invalid + "The KeySchema exceeds the maximum allowed number of RANGE key attributes"
	}
	return ""
}

// sameNames is the text for an attribute that stands twice in a schema: a plain pair of HASH and RANGE kept the words it had before
// schemas could be longer.
func sameNames(schema []Element) string {
	if len(schema) == 2 && schema[1].Range {
		return samePair
	}
	return "The KeySchema contains multiple key attributes with the same name"
}

const samePair = "Both the Hash Key and the Range Key element in the KeySchema have the same name"

func namesOf(schema []Element) []string {
	names := make([]string, len(schema))
	for i, e := range schema {
		names[i] = e.Name
	}
	return names
}

// list writes names as the service's texts do: [a, b].
func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }
