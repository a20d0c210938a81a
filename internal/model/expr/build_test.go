package expr_test

import (
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

func path(names ...string) expr.Path {
	p := make(expr.Path, len(names))
	for i, name := range names {
		p[i] = expr.Element{Name: name}
	}
	return p
}

// A built condition says what the parsed one says, of any item.
func TestBuiltConditionIsTheParsedOne(t *testing.T) {
	var b expr.ConditionBuilder
	n := func(i int64) expr.Operand { return b.Value(attr.Int(i)) }
	built, err := b.Condition(b.Or(
		b.And(b.Leaf("=", b.Path(path("a")), n(1)), b.Not(b.Leaf("BETWEEN", b.Path(path("m", "k")), n(2), n(4)))),
		b.Leaf("IN", b.Path(path("a")), n(7), n(8)),
		b.Leaf("contains", b.Path(path("s")), b.Value(attr.String("x"))),
		b.Leaf(">", b.Call("size", b.Path(path("s"))), n(3)),
	))
	if err != nil {
		t.Fatal(err)
	}
	names := expr.NewNames(nil, decodeMap(`{":1":{"N":"1"},":2":{"N":"2"},":3":{"N":"3"},":4":{"N":"4"},":7":{"N":"7"},":8":{"N":"8"},":x":{"S":"x"}}`))
	parsed, err := expr.ParseCondition(expr.FilterExpression,
		"a = :1 AND NOT m.k BETWEEN :2 AND :4 OR a IN (:7, :8) OR contains(s, :x) OR size(s) > :3", names)
	if err != nil {
		t.Fatal(err)
	}
	built, parsed = throughCondition(t, built), throughCondition(t, parsed)
	for _, text := range []string{
		`{}`, `{"a":{"N":"1"}}`, `{"a":{"N":"1"},"m":{"M":{"k":{"N":"3"}}}}`, `{"a":{"N":"8"}}`, `{"s":{"S":"ax"}}`, `{"s":{"S":"abcd"}}`, `{"s":{"S":"abc"}}`,
	} {
		item := decodeMap(text)
		if built.Holds(item) != parsed.Holds(item) {
			t.Errorf("%s: built %t, parsed %t", text, built.Holds(item), parsed.Holds(item))
		}
	}
}

// Faults of built conditions are told in the order their leaves were made in.
func TestBuiltConditionIsChecked(t *testing.T) {
	var b expr.ConditionBuilder
	second := b.Leaf("attribute_exists", b.Value(attr.Int(1)))
	first := b.Leaf("<", b.Path(path("a")), b.Value(attr.Bool(true)))
	_, err := b.Condition(b.And(first, second))
	if want := "Operator or function requires a document path; operator or function: attribute_exists"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Whether a condition holds is a BOOL.
func TestOutcomeIsAValue(t *testing.T) {
	var b expr.ConditionBuilder
	held := b.Outcome(b.Leaf("attribute_exists", b.Path(path("a"))))
	c, err := b.Condition(b.Leaf("=", held, b.Value(attr.Bool(false))))
	if err != nil {
		t.Fatal(err)
	}
	c = throughCondition(t, c)
	if c.Holds(decodeMap(`{"a":{"N":"1"}}`)) || !c.Holds(decodeMap(`{"b":{"N":"1"}}`)) {
		t.Error("the outcome is not what was compared")
	}
	_, err = b.Condition(b.Leaf("<", held, b.Value(attr.Int(1))))
	if want := "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// A built update does what the parsed one does, and is measured by its item alone.
func TestBuiltUpdateIsTheParsedOne(t *testing.T) {
	var b expr.UpdateBuilder
	b.Set(path("n"), b.Call("+", b.Path(path("n")), b.Value(attr.Int(1))))
	b.Set(path("l"), b.Call("list_append", b.Path(path("l")), b.Value(attr.NewList([]attr.Value{attr.Int(2)}))))
	b.Remove(path("x"))
	b.Add(path("ss"), attr.Set(attr.SS, []attr.Value{attr.String("b")}))
	b.Delete(path("ns"), attr.Set(attr.NS, []attr.Value{attr.Int(1)}))
	built, err := b.Update()
	if err != nil {
		t.Fatal(err)
	}
	built = throughUpdate(t, built)
	item := decodeMap(`{"n":{"N":"1"},"l":{"L":[]},"x":{"S":"x"},"ss":{"SS":["a"]},"ns":{"NS":["1","2"]}}`)
	after, err := built.Apply(item, nil)
	if want := decodeMap(`{"n":{"N":"2"},"l":{"L":[{"N":"2"}]},"ss":{"SS":["a","b"]},"ns":{"NS":["2"]}}`); err != nil || string(after) != string(want) {
		t.Errorf("%s, %v", after.AppendJSON(nil), err)
	}
	b.Remove(path("n", "deeper"))
	if _, err := b.Update(); err == nil {
		t.Error("overlapping paths are not refused")
	}
}

func TestColumns(t *testing.T) {
	item := decodeMap(`{"a":{"N":"1"},"m":{"M":{"k":{"S":"v"}}},"l":{"L":[{"N":"7"}]}}`)
	for _, test := range []struct {
		columns []expr.Column
		want    string
	}{
		{[]expr.Column{{Name: "a", Path: path("a")}, {Name: "nope", Path: path("nope")}}, `{"a":{"N":"1"}}`},
		{[]expr.Column{{Name: "k", Path: path("m", "k")}, {Name: "m", Path: path("m")}}, `{"k":{"S":"v"},"m":{"M":{"k":{"S":"v"}}}}`},
		{[]expr.Column{{Name: "l[0]", Path: expr.Path{{Name: "l"}, {Index: 0, Indexed: true}}}}, `{"l[0]":{"N":"7"}}`},
		{[]expr.Column{{Name: "nope", Path: path("m", "nope")}}, `{}`},
	} {
		if got := string(throughProjection(t, expr.Columns(test.columns)).Apply(item).AppendJSON(nil)); got != test.want {
			t.Errorf("%v: %s, want %s", test.columns, got, test.want)
		}
	}
}
