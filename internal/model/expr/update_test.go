package expr_test

import (
	"slices"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

func parseUpdate(t testing.TB, text string, values attr.Map) *expr.Update {
	t.Helper()
	u, err := expr.ParseUpdate(text, expr.NewNames(nil, values))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// The figures are those measured on DynamoDB (semantics §2.6): 3 for the update, 19 for a SET or ADD, 20 through an index, 2 for a removal.
func TestWriteCost(t *testing.T) {
	values := attr.NewMap([]attr.Entry{{Name: ":p", Value: attr.String("12345")}, {Name: ":n", Value: attr.Int(1)}})
	before := attr.NewMap([]attr.Entry{
		{Name: "pk", Value: attr.String("k")},
		{Name: "r", Value: attr.String("z")},
		{Name: "untouched", Value: attr.String("yyyyyyyyyy")},
		{Name: "m", Value: attr.NewMap([]attr.Entry{{Name: "leaf", Value: attr.String("x")}}).Value()},
		{Name: "l", Value: attr.NewList([]attr.Value{attr.String("x")})},
	})
	for _, test := range []struct {
		text string
		want int
	}{
		{"SET b = :p", 3 + 19 + 1 + 5},
		{"SET b = :p, c = :p", 3 + 2*19 + 2*(1+5)},
		{"SET b = :p REMOVE r", 3 + 19 + 2 + 1 + 5},
		{"SET m.leaf = :p", 3 + 19 + 1 + 3 + 1 + 4 + 5},
		{"SET l[0] = :p", 3 + 20 + 1 + 3 + 1 + 5},
		{"SET m.leaf = :p, m.twin1 = :p", 3 + 2*19 + 1 + 3 + 1 + 4 + 5 + 1 + 5 + 5},
		{"ADD n :n", 3 + 19 + 1 + 2},
		{"REMOVE r", 3 + 2},
	} {
		u := parseUpdate(t, test.text, values)
		after, err := u.Apply(before, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := u.WriteCost(after); got != test.want {
			t.Errorf("%s: cost %d, want %d", test.text, got, test.want)
		}
	}
}

// An update without clauses is what an UpdateItem with a key alone is.
func TestNilUpdate(t *testing.T) {
	var u *expr.Update
	key := attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("k")}})
	after, err := u.Apply(nil, key)
	if err != nil || string(after) != string(key) || !u.CreatesItem() || u.Attributes() != nil || u.Touched(after) != nil {
		t.Errorf("after %v, err %v", after, err)
	}
}

func TestUpdateNamesWhatItWrites(t *testing.T) {
	u := parseUpdate(t, "SET b.c = d, a = e REMOVE b.x", nil)
	if got := u.Attributes(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("attributes %v", got)
	}
	if got := u.Paths(); len(got) != 3 || got[2].String() != "[b, x]" {
		t.Errorf("paths %v", got)
	}
	if !u.CreatesItem() || parseUpdate(t, "REMOVE a", nil).CreatesItem() {
		t.Error("only removals leave a missing item missing")
	}
}

// Many changes take the other way through an item than few; both must lead to the same.
func TestManyChangesEqualFew(t *testing.T) {
	values := attr.NewMap([]attr.Entry{{Name: ":v", Value: attr.String("v")}})
	item := attr.NewMap([]attr.Entry{{Name: "c", Value: attr.Int(1)}, {Name: "f", Value: attr.Int(2)}, {Name: "zz", Value: attr.Int(3)}})
	many, err := parseUpdate(t, "SET a=:v, b=:v, c=:v, d=:v, g=f, y=:v, zzz=:v REMOVE f, e", values).Apply(item, nil)
	if err != nil {
		t.Fatal(err)
	}
	few := item
	for _, text := range []string{"SET a=:v, b=:v, c=:v", "SET d=:v, g=f", "SET y=:v, zzz=:v REMOVE f, e"} {
		if few, err = parseUpdate(t, text, values).Apply(few, nil); err != nil {
			t.Fatal(err)
		}
	}
	if string(many) != string(few) {
		t.Errorf("many %s\nfew  %s", many.AppendJSON(nil), few.AppendJSON(nil))
	}
}
