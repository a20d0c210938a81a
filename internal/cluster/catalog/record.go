package catalog

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// A catalog item has its key under "pk", a number "revision" that rises with each change, and its content under "body".
const (
	attributePK       = "pk"
	attributeRevision = "revision"
	attributeBody     = "body"
	attributeNext     = "next"

	tablePrefix = "table/"
	idsKey      = "ids"
	// raisedKey is of the item whose revision rises with every change that raises what a table is provisioned with.
	raisedKey = "raised"
)

// firstFreeID leaves room below it for system tables and partitions.
const firstFreeID = 100

// SystemTable describes the table of catalog items.
func SystemTable() *table.Table {
	return &table.Table{
		ID: machine.CatalogTable, Name: "catalog", Version: 1, State: table.Active,
		Key: table.Key{Hash: []table.KeyAttribute{{Name: attributePK, Type: attr.S}}},
	}
}

// body is the stored content of a table's item.
type body struct {
	Table      json.RawMessage        `json:"table"`
	Partitions map[uint64][]Partition `json:"partitions"`
	Splits     []Reservation          `json:"splits,omitempty"`
	Past       []Reservation          `json:"past,omitempty"`
}

func (e *Entry) item() attr.Map {
	return bodyItem(tablePrefix+e.Table.Name, e.Revision, body{Table: e.Table.Encode(), Partitions: e.Partitions, Splits: e.Splits, Past: e.Past})
}

func bodyItem(pk string, revision int64, body any) attr.Map {
	content, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("a catalog item cannot be written: %v", err))
	}
	return attr.NewMap([]attr.Entry{
		{Name: attributePK, Value: attr.String(pk)},
		{Name: attributeRevision, Value: attr.Int(revision)},
		{Name: attributeBody, Value: attr.Binary(content)},
	})
}

// Parse reads a table's item; nil for an item of another kind.
func Parse(item attr.Map) (*Entry, error) {
	name, ok := tableName(item)
	if !ok {
		return nil, nil
	}
	content, ok := item.Get(attributeBody)
	if !ok || content.Type() != attr.B {
		return nil, fmt.Errorf("reading the catalog's item of table %s: it has no body", name)
	}
	var b body
	if err := json.Unmarshal(content.Str(), &b); err != nil {
		return nil, fmt.Errorf("reading the catalog's item of table %s: %w", name, err)
	}
	t, err := table.Decode(b.Table)
	if err != nil {
		return nil, fmt.Errorf("reading the catalog's item of table %s: %w", name, err)
	}
	revision, err := number(item, attributeRevision)
	if err != nil {
		return nil, fmt.Errorf("reading the catalog's item of table %s: %w", name, err)
	}
	return &Entry{Table: t, Revision: revision, Partitions: b.Partitions, Splits: b.Splits, Past: b.Past}, nil
}

// tableName is the name of the table an item speaks of.
func tableName(item attr.Map) (string, bool) {
	pk, ok := item.Get(attributePK)
	if !ok || pk.Type() != attr.S {
		return "", false
	}
	return strings.CutPrefix(string(pk.Str()), tablePrefix)
}

func number(item attr.Map, name string) (int64, error) {
	v, ok := item.Get(name)
	if !ok || v.Type() != attr.N {
		return 0, fmt.Errorf("attribute %s is no number, or missing", name)
	}
	return strconv.ParseInt(string(v.Number().Append(nil)), 10, 64)
}

func keyOf(pk string) []byte { return keys.Suffix([]attr.Value{attr.String(pk)}, nil) }

// EvenPartitions cuts the ring into n equal ranges, which get the ids from first on.
func EvenPartitions(n int, first uint64) []Partition {
	partitions := make([]Partition, n)
	for i := range partitions {
		partitions[i] = Partition{
			ID: first + uint64(i), Generation: 1,
			Bounds: command.Bounds{Lower: ringPoint(i, n), Upper: ringPoint(i+1, n)},
		}
	}
	return partitions
}

// ringPoint is the token at i/n of the ring; its ends are open.
func ringPoint(i, n int) []byte {
	if i == 0 || i == n {
		return nil
	}
	point := make([]byte, keys.TokenBytes)
	remainder := uint64(i)
	for j := range point {
		remainder <<= 8
		point[j] = byte(remainder / uint64(n))
		remainder %= uint64(n)
	}
	return point
}
