package table

import "slices"

// Bounds of a table's indexes (semantics §4).
const (
	LocalIndexesMax  = 5
	GlobalIndexesMax = 20
	nonKeyMax        = 100 // NonKeyAttributes of all indexes together
)

// UnitsMax is the largest provisioned throughput value (semantics §4).
const UnitsMax = 1_000_000_000_000

// Wish is the shape of a table as CreateTable asks for it: keys and indexes, before anything is known to be lawful. A list that was sent
// empty is not nil.
type Wish struct {
	Definitions Definitions
	Schema      []Element
	Local       []IndexWish
	Global      []IndexWish
	Billing     Billing
}

// IndexWish is an index as it is asked for. A zero Projection.Kind is a missing ProjectionType.
type IndexWish struct {
	Name       string
	Schema     []Element
	Projection Projection
	Throughput *Throughput // of a global index, nil when it was not sent
	OnDemand   OnDemandWish
	Warm       Warm
}

// OnDemandWish is an OnDemandThroughput as it was sent: a nil member was not.
type OnDemandWish struct {
	Read, Write *int64
}

// Table checks the wish in DynamoDB's order (semantics §16 CreateTable) and makes the keys and indexes of a table out of it. The text is
// of a ValidationException, "" when all is lawful.
func (w *Wish) Table() (*Table, string) {
	checks := []func() string{w.Definitions.checkNames, w.checkSchema, w.checkLocal, w.checkGlobal, w.checkCounts, w.checkUsed}
	for _, check := range checks {
		if text := check(); text != "" {
			return nil, text
		}
	}
	t := &Table{Key: w.Definitions.key(w.Schema), Definitions: w.Definitions, Billing: w.Billing}
	for i, ix := range w.Local {
		t.Local = append(t.Local, Index{
			ID: uint64(i + 1), Name: ix.Name, Key: w.Definitions.key(ix.Schema), Projection: ix.Projection, Status: IndexActive,
		})
	}
	for _, ix := range w.Global {
		t.Global = append(t.Global, ix.index(w.Definitions, w.Billing))
	}
	return t, ""
}

func (w *Wish) checkSchema() string {
	if len(w.Schema) > len(w.Definitions) {
		return "Invalid KeySchema: Some index key attribute have no definition"
	}
	if text := w.Definitions.checkDefined(w.Schema); text != "" {
		return text
	}
	return checkPair(w.Schema)
}

func (w *Wish) checkLocal() string {
	if w.Local == nil {
		return ""
	}
	if len(w.Local) == 0 {
		return invalid + "List of LocalSecondaryIndexes is empty"
	}
	if len(w.Schema) < 2 {
		return invalid + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
	}
	for i := range w.Local {
		if text := w.checkLocalIndex(i); text != "" {
			return text
		}
	}
	if len(w.Local) > LocalIndexesMax {
		return invalid + "Number of LocalSecondaryIndexes exceeds per-table limit of 5"
	}
	return ""
}

func (w *Wish) checkLocalIndex(i int) string {
	ix := &w.Local[i]
	if text := w.Definitions.checkDefined(ix.Schema); text != "" {
		return text
	}
	if text := checkPair(ix.Schema); text != "" {
		return text
	}
	if len(ix.Schema) < 2 {
		return invalid + "Index KeySchema does not have a range key for index: " + ix.Name
	}
	if ix.Schema[0].Name != w.Schema[0].Name {
		return invalid + "Index KeySchema does not have the same leading hash key as table KeySchema for index: " + ix.Name +
			". index hash key: " + ix.Schema[0].Name + ", table hash key: " + w.Schema[0].Name
	}
	if text := ix.Projection.check(); text != "" {
		return text
	}
	return duplicateName(ix.Name, w.Local[:i])
}

func (w *Wish) checkGlobal() string {
	if w.Global == nil {
		return ""
	}
	if len(w.Global) == 0 {
		return invalid + "List of GlobalSecondaryIndexes is empty"
	}
	for i := range w.Global {
		ix := &w.Global[i]
		if text := ix.Check(w.Definitions, w.Billing); text != "" {
			return text
		}
		if text := duplicateName(ix.Name, w.Local, w.Global[:i]); text != "" {
			return text
		}
	}
	if len(w.Global) > GlobalIndexesMax {
		return invalid + "GlobalSecondaryIndex count exceeds the per-table limit of 20"
	}
	return ""
}

// checkCounts bounds what all indexes project together.
func (w *Wish) checkCounts() string {
	count := 0
	for _, ix := range slices.Concat(w.Local, w.Global) {
		count += len(ix.Projection.NonKey)
	}
	return checkNonKey(count)
}

// checkUsed refuses definitions that no key uses.
func (w *Wish) checkUsed() string {
	used := namesOf(w.Schema)
	for _, ix := range slices.Concat(w.Local, w.Global) {
		for _, name := range namesOf(ix.Schema) {
			if !slices.Contains(used, name) {
				used = append(used, name)
			}
		}
	}
	switch {
	case len(w.Definitions) == len(used):
		return ""
	case len(w.Local)+len(w.Global) == 0:
		return invalid + "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"
	default:
		return invalid + "Some AttributeDefinitions are not used. AttributeDefinitions: " + list(w.Definitions.names()) + ", keys used: " + list(used)
	}
}

func duplicateName(name string, taken ...[]IndexWish) string {
	for _, ix := range slices.Concat(taken...) {
		if ix.Name == name {
			return invalid + "Duplicate index name: " + name
		}
	}
	return ""
}
