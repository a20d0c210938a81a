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

// The figures are those measured on DynamoDB (semantics §2.6): what the request names and brings is weighed, at every use, not what it finds or makes.
func TestWriteCost(t *testing.T) {
	document := attr.NewMap([]attr.Entry{{Name: "leaf", Value: attr.String("12345")}}).Value()
	values := attr.NewMap([]attr.Entry{
		{Name: ":p", Value: attr.String("12345")}, {Name: ":n", Value: attr.Int(1)}, {Name: ":m", Value: document},
		{Name: ":l", Value: attr.NewList([]attr.Value{attr.String("12345")})},
		{Name: ":s", Value: attr.Set(attr.SS, []attr.Value{attr.String("12345"), attr.String("67")})},
	})
	const list, mapping = 3 + 1 + 5, 3 + 1 + 4 + 5
	for _, test := range []struct {
		text string
		want int
	}{
		{"SET b = :p", 19 + 1 + 5},
		{"SET b = :p, c = :p", 2 * (19 + 1 + 5)},
		{"SET b = :m", 19 + 1 + mapping},
		{"SET m.leaf = :p", 19 + 1 + 4 + 4 + 5},
		{"SET l[10] = :p", 19 + 1 + 4 + 2 + 5},
		{"SET c = abc", 19 + 1 + 1 + 14 + 3},
		{"SET c = m.a[10]", 19 + 1 + 1 + 14 + 1 + 14 + 1 + 14 + 2},
		{"SET n = n + :n", 19 + 1 + 34 + 15 + 1 + 2},
		{"SET n = n - :n", 19 + 1 + 37 + 15 + 1 + 2},
		{"SET c = if_not_exists(c, :m)", 19 + 1 + 39 + 15 + 1 + mapping},
		{"SET l = list_append(l, :l)", 19 + 1 + 37 + 15 + 1 + list},
		{"SET l = list_append(if_not_exists(l, :l), :l)", 19 + 1 + 37 + 39 + 15 + 1 + 2*list},
		{"ADD abc :n", 19 + 3 + 2},
		{"ADD ss :s", 19 + 2 + 7},
		{"REMOVE abc", 1 + 3},
		{"REMOVE m.leaf, l[10]", 1 + 1 + 4 + 4 + 1 + 1 + 4 + 2},
		{"DELETE ss :s", 1 + 2},
		{"SET b = :p REMOVE r", 19 + 1 + 5 + 1 + 1},
	} {
		if got := parseUpdate(t, test.text, values).WriteCost(); got != 3+test.want {
			t.Errorf("%s: cost %d, want %d", test.text, got, 3+test.want)
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
