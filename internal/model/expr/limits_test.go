package expr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// Texts built to exhaust a parser end in the refusal DynamoDB gives them (semantics §20.1).
func TestParserBombs(t *testing.T) {
	repeat := strings.Repeat
	nestedOr := func(depth int) string { return "a<b " + repeat("or (a<b ", depth) + repeat(")", depth) }
	for _, test := range []struct{ name, text, want string }{
		{"open parentheses", repeat("(", 4096), `Syntax error; token: "<EOF>", near: "("`},
		{"doubled parentheses", repeat("(", 2046) + "a<b" + repeat(")", 2046), "The expression has redundant parentheses;"},
		{"299 operators", nestedOr(149), ""},
		{"301 operators", nestedOr(150), "The expression contains too many operators; operator count: 301"},
		{"909 operators", nestedOr(454), "The expression contains too many operators; operator count: 301"},
		{"1000 NOTs", repeat("not ", 1000) + "a<b", "The expression contains too many operators; operator count: 301"},
		{"299 NOTs", repeat("not ", 299) + "a<b", ""},
		{"nested unknown functions", "a < " + repeat("f(", 1355) + "b" + repeat(")", 1355), "Invalid function name; function: f"},
		{"nested sizes", "a < " + repeat("size(", 680) + "b" + repeat(")", 680),
			"Incorrect operand type for operator or function; operator or function: size, operand type: N"},
		{"4097 bytes", repeat("(", 4097), "Expression size has exceeded the maximum allowed size;"},
		{"long path", "a < b" + repeat("[0]", 1363), "The document path has too many nesting levels; nesting levels: 1364"},
		{"100 candidates", "a IN (b" + repeat(",c", 99) + ")", ""},
		{"101 candidates", "a IN (b" + repeat(",c", 100) + ")",
			"The IN operator is provided with too many operands; number of operands: 101"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := expr.ParseCondition(expr.ConditionExpression, test.text, expr.NewNames(nil, nil))
			checkText(t, err, "Invalid ConditionExpression: ", test.want)
			if err == nil {
				throughCondition(t, c).Holds(attr.EmptyMap)
			}
		})
	}
}

// A key of 256 bytes is too long whatever it is made of, and its size is said of a name only.
func TestAliasTooLong(t *testing.T) {
	const tooLong = " contains invalid key: The expression attribute map contains a key that is too long;"
	rest := strings.Repeat("a", 255)
	for _, key := range []string{"#" + rest, "#-" + rest[1:]} {
		checkText(t, expr.NewNames(map[string]string{key: "a"}, nil).Check(), "ExpressionAttributeNames", tooLong+" size of key: 256")
	}
	checkText(t, expr.NewNames(map[string]string{"#" + rest[1:]: "a"}, nil).Check(), "", "")
	values := attr.NewMap([]attr.Entry{{Name: ":" + rest, Value: attr.Null()}})
	checkText(t, expr.NewNames(nil, values).Check(), "ExpressionAttributeValues", tooLong)
}

// The bound of an expression's IN is not that of the ComparisonOperator, which came before it.
func TestLegacyInTakesMoreThanAnExpression(t *testing.T) {
	const tooMany = "One or more parameter values were invalid: Invalid number of argument(s) for the IN ComparisonOperator"
	for _, test := range []struct {
		count int
		want  string
	}{{101, ""}, {27500, ""}, {27501, tooMany}} {
		values := make([]attr.Value, test.count)
		for i := range values {
			values[i] = attr.String("k")
		}
		_, err := expr.LegacyFilter([]expr.LegacyCondition{{Attribute: "a", Operator: "IN", Values: values, HasValues: true}}, "")
		checkText(t, err, "", test.want)
	}
}

// The length of a text that is too long can be told of conditions and filters, and of nothing else.
func TestTooLongTellsItsLength(t *testing.T) {
	text := strings.Repeat("a", 4097)
	n := expr.NewNames(nil, nil)
	condition := func(kind expr.Kind) error { _, err := expr.ParseCondition(kind, text, n); return err }
	_, update := expr.ParseUpdate(text, n)
	_, projection := expr.ParseProjection(text, n)
	_, key := expr.ParseKeyCondition(text, n)
	for kind, err := range map[expr.Kind]error{
		expr.ConditionExpression: condition(expr.ConditionExpression), expr.FilterExpression: condition(expr.FilterExpression),
		expr.UpdateExpression: update, expr.ProjectionExpression: projection, expr.KeyConditionExpression: key,
	} {
		const tooLong = "Expression size has exceeded the maximum allowed size;"
		checkText(t, err, "Invalid "+string(kind)+": ", tooLong)
		if _, ok := errors.AsType[*expr.Error](err); !ok {
			t.Errorf("%s: %T", kind, err)
		}
		long, sized := errors.AsType[*expr.TooLong](err)
		if sized != (kind == expr.ConditionExpression || kind == expr.FilterExpression) {
			t.Errorf("%s: sized %v", kind, sized)
		}
		if sized && long.Sized() != "Invalid "+string(kind)+": "+tooLong+" expression size: 4097" {
			t.Errorf("%s: %s", kind, long.Sized())
		}
	}
}

func TestUpdateBombs(t *testing.T) {
	repeat := strings.Repeat
	for _, test := range []struct{ name, text, want string }{
		{"open parentheses", "SET a = " + repeat("(", 4000), `Syntax error; token: "<EOF>", near: "("`},
		{"doubled parentheses", "SET a = " + repeat("(", 2000) + "b" + repeat(")", 2000), "The expression has redundant parentheses;"},
		{"nested functions", "SET a = " + repeat("f(", 1300) + "b" + repeat(")", 1300), "Invalid function name; function: f"},
		{"nested if_not_exists", "SET a = " + repeat("if_not_exists(b,", 230) + "pk" + repeat(")", 230), ""},
		{"long path", "REMOVE a" + repeat("[0]", 1360), "The document path has too many nesting levels; nesting levels: 1361"},
		{"many paths", "REMOVE a" + manyNames(1000), ""},
		{"301 operators", "SET a=b+c" + manySums(300), "The expression contains too many operators; operator count: 301"},
	} {
		t.Run(test.name, func(t *testing.T) {
			u, err := expr.ParseUpdate(test.text, expr.NewNames(nil, nil))
			checkText(t, err, "Invalid UpdateExpression: ", test.want)
			if err == nil {
				_, _ = throughUpdate(t, u).Apply(nil, attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("k")}}))
			}
		})
	}
}

func manyNames(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, ",b%d", i)
		if text.Len() > 4000 {
			break
		}
	}
	return text.String()
}

func manySums(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, ",a%d=b+c", i)
	}
	return text.String()
}

func checkText(t *testing.T, err error, prefix, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && err == nil:
		t.Errorf("accepted, want %q", want)
	case err != nil && err.Error() != prefix+want:
		t.Errorf("got  %q\nwant %q", err.Error(), prefix+want)
	}
}

// An update may not build what no request could carry.
func TestUpdateNesting(t *testing.T) {
	deep := attr.String("leaf")
	for range attr.DepthMax - 1 {
		deep = attr.NewList([]attr.Value{deep})
	}
	item := attr.NewMap([]attr.Entry{{Name: "m", Value: attr.EmptyMap.Value()}, {Name: "deep", Value: deep}})
	for text, want := range map[string]string{
		"SET x = deep":        "",
		"SET m.x = deep[0]":   "",
		"SET m.x = deep":      "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
		"SET m.x = m, m.y= m": "",
	} {
		u, err := expr.ParseUpdate(text, expr.NewNames(nil, nil))
		if err != nil {
			t.Fatal(err)
		}
		_, err = u.Apply(item, nil)
		checkText(t, err, "", want)
	}
}

// Many placeholders are told apart as surely as few.
func TestManyUnusedValues(t *testing.T) {
	var entries []attr.Entry
	var text strings.Builder
	for i := range 100 {
		name := fmt.Sprintf(":v%03d", i)
		entries = append(entries, attr.Entry{Name: name, Value: attr.Int(int64(i))})
		if i != 77 {
			fmt.Fprintf(&text, " OR a = %s", name)
		}
	}
	n := expr.NewNames(nil, attr.NewMap(entries))
	c, err := expr.ParseCondition(expr.FilterExpression, strings.TrimPrefix(text.String(), " OR "), n)
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, n.Unused(), "", "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v077}")
	if !c.Holds(attr.NewMap([]attr.Entry{{Name: "a", Value: attr.Int(99)}})) || c.Holds(attr.NewMap([]attr.Entry{{Name: "a", Value: attr.Int(77)}})) {
		t.Error("placeholders are mixed up")
	}
}

func TestNamesHaveBounds(t *testing.T) {
	for name, want := range map[string]string{
		"":                          "Empty attribute name",
		"a.b":                       "",
		strings.Repeat("n", 65_535): "",
		strings.Repeat("n", 65_536): "Attribute name is too large, must be less than 65536 bytes",
	} {
		if got := expr.CheckName(name); got != want {
			t.Errorf("%d bytes: %q, want %q", len(name), got, want)
		}
	}
}
