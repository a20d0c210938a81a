package catalog

import (
	"reflect"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// FuzzParse: no item makes Parse panic, and what it reads it writes so that the same is read again.
func FuzzParse(f *testing.F) {
	entry := &Entry{
		Table: &table.Table{ID: 100, Name: "things", Version: 3, State: table.Active, UUID: "u",
			Key:    table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}},
			Global: []table.Index{{ID: 101, Name: "index", Status: table.IndexActive, Key: table.Key{Hash: []table.KeyAttribute{{Name: "g", Type: attr.N}}}}}},
		Revision: 7,
		Partitions: map[uint64][]Partition{
			100: EvenPartitions(3, 200), 101: {{ID: 203, Generation: 2, Bounds: command.Bounds{}}},
		},
	}
	for _, item := range []attr.Map{
		entry.item(), bodyItem(tablePrefix+"things", 1, nil), bodyItem(idsKey, 1, 5), attr.NewMap(nil),
		attr.NewMap([]attr.Entry{{Name: attributePK, Value: attr.String(tablePrefix + "x")}, {Name: attributeRevision, Value: attr.String("no number")},
			{Name: attributeBody, Value: attr.String(`{"table":{}}`)}}),
	} {
		f.Add([]byte(item))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if attr.CheckMap(b) != nil {
			return
		}
		read, err := Parse(b)
		if err != nil || read == nil {
			return
		}
		again, err := Parse(read.item())
		if err != nil || !reflect.DeepEqual(again, read) {
			t.Errorf("read %+v, then %+v, %v", read, again, err)
		}
	})
}
