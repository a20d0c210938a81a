package table

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"stator/internal/model/attr"
)

// Texts about key values (errors.json key-*). The missing space before 2048 is in the service.
const (
	textHashSize  = "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
	textRangeSize = "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
)

// CheckIndexKeys is DynamoDB's text for why item cannot be put into t: an index key attribute is there and is of the wrong type, empty or
// too large. "" = it can (errors.json key-index-*).
func CheckIndexKeys(t *Table, item attr.Map) string {
	return t.checkIndexKeys(item, mistyped, func(ix *Index, a KeyAttribute) string {
		return fmt.Sprintf("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
			"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", emptyNoun(a.Type), ix.Name, a.Name)
	})
}

// CheckUpdatedIndexKeys is CheckIndexKeys with the words for an item that an update made. A type that the request told was refused by
// CheckIndexKeyTypes.
func CheckUpdatedIndexKeys(t *Table, item attr.Map) string {
	unsupported := func(*Index, KeyAttribute, attr.Type) string {
		return "The update expression attempted to update the secondary index key to unsupported type"
	}
	return t.checkIndexKeys(item, unsupported, func(_ *Index, a KeyAttribute) string {
		return "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not " +
			"supported. The AttributeValue for a key attribute cannot contain an empty " + emptyNoun(a.Type) + " value."
	})
}

// CheckIndexKeyTypes is DynamoDB's text for why an update cannot be made whatever the item is: it gives a key attribute of an index another
// type. "" = it can.
func CheckIndexKeyTypes(t *Table, types iter.Seq2[string, attr.Type]) string {
	for name, kind := range types {
		if typesAgree(t.Local, name, kind) && typesAgree(t.Global, name, kind) {
			continue
		}
		for _, ix := range t.byName() {
			if a, ok := ix.Key.Attribute(name); ok && a.Type != kind {
				return mistyped(ix, a, kind)
			}
		}
	}
	return ""
}

func typesAgree(indexes []Index, name string, kind attr.Type) bool {
	for i := range indexes {
		if a, ok := indexes[i].Key.Attribute(name); ok && a.Type != kind {
			return false
		}
	}
	return true
}

func mistyped(ix *Index, a KeyAttribute, actual attr.Type) string {
	return fmt.Sprintf("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
		a.Name, a.Type, actual, ix.Name)
}

// checkIndexKeys walks the indexes by name, so that the text names the alphabetically first one (errors.json key-index-type). Nearly every
// item fits, so whether it does is found out first, without sorting anything.
func (t *Table) checkIndexKeys(item attr.Map, typed func(*Index, KeyAttribute, attr.Type) string, empty func(*Index, KeyAttribute) string) string {
	if t.fitsIndexes(item) {
		return ""
	}
	for _, ix := range t.byName() {
		for _, a := range ix.Key.Attributes() {
			v, ok := item.Get(a.Name)
			switch {
			case !ok:
			case v.Type() != a.Type:
				return typed(ix, a, v.Type())
			case a.Type != attr.N && len(v.Str()) == 0:
				return empty(ix, a)
			}
		}
		if text := checkSizes(ix.Key, item); text != "" {
			return text
		}
	}
	return ""
}

// fitsIndexes reports whether checkIndexKeys has nothing to say. It allocates nothing.
func (t *Table) fitsIndexes(item attr.Map) bool {
	for i := range t.Local {
		if !t.Local[i].Key.fits(item) {
			return false
		}
	}
	for i := range t.Global {
		if t.Global[i].Status != IndexDeleting && !t.Global[i].Key.fits(item) {
			return false
		}
	}
	return true
}

// fits reports whether every key attribute that item has is a lawful key value.
func (k Key) fits(item attr.Map) bool {
	for _, attributes := range [2][]KeyAttribute{k.Hash, k.Range} {
		for _, a := range attributes {
			if _, has := item.Get(a.Name); !has {
				continue
			}
			if _, lawful := a.value(item); !lawful {
				return false
			}
		}
	}
	return checkSizes(k, item) == ""
}

// byName lists the indexes that hold or will hold entries, sorted by name.
func (t *Table) byName() []*Index {
	indexes := make([]*Index, 0, len(t.Local)+len(t.Global))
	for i := range t.Local {
		indexes = append(indexes, &t.Local[i])
	}
	for i := range t.Global {
		if t.Global[i].Status != IndexDeleting {
			indexes = append(indexes, &t.Global[i])
		}
	}
	slices.SortFunc(indexes, func(a, b *Index) int { return strings.Compare(a.Name, b.Name) })
	return indexes
}

// checkSizes holds every hash attribute to HashBytesMax and the range attributes together to RangeBytesMax, as the service's two texts
// say: "size of hashkey" and "aggregated size of all range keys".
func checkSizes(key Key, item attr.Map) string {
	for _, a := range key.Hash {
		if v, ok := item.Get(a.Name); ok && v.Size() > HashBytesMax {
			return textHashSize
		}
	}
	total := 0
	for _, a := range key.Range {
		if v, ok := item.Get(a.Name); ok {
			total += v.Size()
		}
	}
	if total > RangeBytesMax {
		return textRangeSize
	}
	return ""
}

func emptyNoun(kind attr.Type) string {
	if kind == attr.B {
		return "binary"
	}
	return "string"
}
