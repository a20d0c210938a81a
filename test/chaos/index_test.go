package chaos_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// entry is an item's entry in an index, ok false where it has none: the index as a function of the table. It is written down here anew
// rather than asked of the product.
type entry func(item) (e item, ok bool)

// keyOf is the text of an item's primary key.
func keyOf(i item, names ...string) string {
	key := item{}
	for _, name := range names {
		key[name] = i[name]
	}
	return textOf(key)
}

// differences compares an index with the function of its table, entry by entry. key are the names of the table's key attributes.
func differences(table, index []item, of entry, key ...string) (complaints []string) {
	wanted := map[string]string{}
	for _, i := range table {
		if e, ok := of(i); ok {
			wanted[keyOf(i, key...)] = textOf(e)
		}
	}
	for _, e := range index {
		k := keyOf(e, key...)
		switch want, ok := wanted[k]; {
		case !ok:
			complaints = append(complaints, fmt.Sprintf("%s has an entry too many: %s", k, textOf(e)))
		case want != textOf(e):
			complaints = append(complaints, fmt.Sprintf("%s has entry %s, want %s", k, textOf(e), want))
		}
		delete(wanted, k)
	}
	for _, k := range slices.Sorted(maps.Keys(wanted)) {
		complaints = append(complaints, fmt.Sprintf("%s has no entry, want %s", k, wanted[k]))
	}
	return complaints
}

const complaintsMax = 10

// equalsFunction waits until nothing distinguishes an index from the function of its table, which nobody writes any more.
func (c client) equalsFunction(table, index string, of entry, key ...string) {
	c.t.Helper()
	rows := c.all(table, "")
	var complaints []string
	for end := time.Now().Add(settleMax); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if complaints = differences(rows, c.all(table, index), of, key...); len(complaints) == 0 {
			return
		}
	}
	c.t.Errorf("index %s of %d items differs in %d entries:", index, len(rows), len(complaints))
	for _, one := range complaints[:min(len(complaints), complaintsMax)] {
		c.t.Error(one)
	}
}

// A missing entry, one too many, a stale one and one that is there twice are all found.
func TestDifferences(t *testing.T) {
	of := func(i item) (item, bool) {
		_, ok := i["g"]
		return i, ok
	}
	a, b := item{"pk": str("a"), "g": str("1")}, item{"pk": str("b")}
	old := item{"pk": str("a"), "g": str("0")}
	for _, test := range []struct {
		name  string
		index []item
		want  int
	}{
		{"equal", []item{a}, 0}, {"missing", nil, 1}, {"too many", []item{a, b}, 1}, {"stale", []item{old}, 1}, {"twice", []item{a, a}, 1},
	} {
		if got := differences([]item{a, b}, test.index, of, "pk"); len(got) != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}
