package expr_test

import (
	"slices"
	"strings"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// AttributesToGet holds names, not paths: a dot is part of the name.
func TestLegacyProjection(t *testing.T) {
	item := attr.NewMap([]attr.Entry{
		{Name: "a.b", Value: attr.Int(1)},
		{Name: "a", Value: attr.NewMap([]attr.Entry{{Name: "b", Value: attr.Int(2)}}).Value()},
	})
	p, err := expr.LegacyProjection([]string{"a.b", "gone"})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(p.Apply(item).AppendJSON(nil)); got != `{"a.b":{"N":"1"}}` {
		t.Error(got)
	}
	_, err = expr.LegacyProjection([]string{"x", "y", "x"})
	checkText(t, err, "One or more parameter values were invalid: ", "Duplicate value in attribute name: x")
}

func TestProjectionWithoutItemOrExpression(t *testing.T) {
	var none *expr.Projection
	item := attr.NewMap([]attr.Entry{{Name: "a", Value: attr.Int(1)}})
	if got := none.Apply(item); string(got) != string(item) || none.Attributes() != nil || none.Paths() != nil {
		t.Errorf("got %v", got)
	}
	p, err := expr.ParseProjection("b.c, a, b.d", expr.NewNames(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	if p.Apply(nil) != nil || !slices.Equal(p.Attributes(), []string{"b", "a"}) || len(p.Paths()) != 3 {
		t.Errorf("attributes %v, paths %v", p.Attributes(), p.Paths())
	}
}

// More names than are worth comparing one by one are chosen by another walk, to the same effect.
func TestProjectionOfManyNames(t *testing.T) {
	var entries []attr.Entry
	var names []string
	for _, letter := range strings.Split("abcdefghijklmnopqrst", "") {
		entries = append(entries, attr.Entry{Name: letter + letter, Value: attr.String(letter)}, attr.Entry{Name: letter + "z1", Value: attr.Null()})
		names = append(names, letter+letter)
	}
	item := attr.NewMap(entries)
	slices.Reverse(names)
	p, err := expr.LegacyProjection(names)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Apply(item), item.Only(names...); string(got) != string(want) {
		t.Errorf("got  %s\nwant %s", got.AppendJSON(nil), want.AppendJSON(nil))
	}
}
