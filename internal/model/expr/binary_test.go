package expr_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"stator/internal/base/wire"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// failer is a *testing.T or a *rapid.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// throughCondition gives what is left of a condition that went to bytes and back; these are the same ones the second time.
func throughCondition(t failer, c *expr.Condition) *expr.Condition {
	t.Helper()
	if c == nil {
		return nil
	}
	b := c.AppendBinary(nil)
	back, err := expr.DecodeCondition(b)
	if err != nil || string(back.AppendBinary(nil)) != string(b) || !reflect.DeepEqual(back.Paths(), c.Paths()) {
		t.Fatalf("a condition of %x reads back with paths %v, not %v: %v", b, back.Paths(), c.Paths(), err)
	}
	return back
}

func throughUpdate(t failer, u *expr.Update) *expr.Update {
	t.Helper()
	b := u.AppendBinary(nil)
	back, err := expr.DecodeUpdate(b)
	if err != nil || string(back.AppendBinary(nil)) != string(b) ||
		!reflect.DeepEqual([][]expr.Path{back.Paths(), back.Sources()}, [][]expr.Path{u.Paths(), u.Sources()}) {
		t.Fatalf("an update of %x reads back with paths %v and sources %v, not %v and %v: %v", b, back.Paths(), back.Sources(), u.Paths(), u.Sources(), err)
	}
	return back
}

func throughProjection(t failer, p *expr.Projection) *expr.Projection {
	t.Helper()
	b := p.AppendBinary(nil)
	back, err := expr.DecodeProjection(b)
	if err != nil || string(back.AppendBinary(nil)) != string(b) || fmt.Sprint(back.Paths()) != fmt.Sprint(p.Paths()) {
		t.Fatalf("a projection of %x reads back with paths %v, not %v: %v", b, back.Paths(), p.Paths(), err)
	}
	return back
}

// TestGoldenBinary pins the bytes that nodes of two releases exchange: a change here is a new format.
func TestGoldenBinary(t *testing.T) {
	datadriven.RunTest(t, "testdata/binary", func(t *testing.T, d *datadriven.TestData) string {
		n := expr.NewNames(fuzzNames, fuzzValues)
		var b []byte
		switch d.Cmd {
		case "condition":
			c, err := expr.ParseCondition(expr.FilterExpression, d.Input, n)
			if err != nil {
				return err.Error()
			}
			b = throughCondition(t, c).AppendBinary(nil)
		case "update":
			u, err := expr.ParseUpdate(d.Input, n)
			if err != nil {
				return err.Error()
			}
			b = throughUpdate(t, u).AppendBinary(nil)
		case "projection":
			p, err := expr.ParseProjection(d.Input, n)
			if err != nil {
				return err.Error()
			}
			b = throughProjection(t, p).AppendBinary(nil)
		}
		return fmt.Sprintf("% x\n", b)
	})
}

// What a builder alone can make has bytes too.
func TestGoldenBuilt(t *testing.T) {
	var b expr.ConditionBuilder
	c, err := b.Condition(b.Leaf("=", b.Outcome(b.Leaf("attribute_exists", b.Path(path("a")))), b.Value(attr.Bool(true))))
	if err != nil {
		t.Fatal(err)
	}
	var u expr.UpdateBuilder
	u.Remove(path("a"))
	built, err := u.Update()
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := expr.LegacyUpdates([]expr.LegacyUpdate{{Attribute: "a", Action: "DELETE"}, {Attribute: "l", Action: "ADD", Value: attr.NewList(nil)}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		got  []byte
		want string
	}{
		"outcome": {throughCondition(t, c).AppendBinary(nil), "01 0161 01 01 01 02 01 01 0b 04 04 0c 01 00 02 00"},
		"built":   {throughUpdate(t, built).AppendBinary(nil), "01 0161 01 01 01 02 00 02 01 02 00"},
		"legacy":  {throughUpdate(t, legacy).AppendBinary(nil), "01 02616c 02 02 01 02 01 02 02 00 03080100 01 02 02 00 03 01 02 01"},
		"columns": {throughProjection(t, expr.Columns([]expr.Column{{Name: "x", Path: path("a")}})).AppendBinary(nil), "01 0161 01 01 01 02 00 02 0178"},
	} {
		if got := fmt.Sprintf("%x", test.got); got != strings.ReplaceAll(test.want, " ", "") {
			t.Errorf("%s is %s, want %s", name, got, test.want)
		}
	}
}

// Legacy parameters, whose attributes are written by none of the parsers, answer alike on both sides.
func TestLegacyUpdateReadsBack(t *testing.T) {
	legacy, err := expr.LegacyUpdates([]expr.LegacyUpdate{
		{Attribute: "b", Action: "ADD", Value: attr.String("x")[:0]}, {Attribute: "a", Action: "DELETE"},
	})
	if err == nil {
		t.Fatalf("an ADD of nothing: %v", legacy)
	}
	rapid.Check(t, func(t *rapid.T) {
		var updates []expr.LegacyUpdate
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "l", "m", "s", "n", "new"}), 1, 5, rapid.ID).Draw(t, "attributes") {
			updates = append(updates, expr.LegacyUpdate{
				Attribute: name, Action: rapid.SampledFrom([]string{"", "PUT", "ADD", "DELETE"}).Draw(t, "action"),
				Value: rapid.SampledFrom(legacyValues()).Draw(t, "value"),
			})
		}
		u, err := expr.LegacyUpdates(updates)
		if err != nil {
			return
		}
		back := throughUpdate(t, u)
		after, failed := u.Apply(fuzzItem, nil)
		afterToo, failedToo := back.Apply(fuzzItem, nil)
		if string(after) != string(afterToo) || !reflect.DeepEqual(failed, failedToo) || u.WriteCost() != back.WriteCost() {
			t.Errorf("%v makes %s, %v, its bytes %s, %v", updates, text(after), failed, text(afterToo), failedToo)
		}
	})
}

func legacyValues() []attr.Value {
	values := []attr.Value{nil}
	for _, value := range fuzzValues.All() {
		values = append(values, value)
	}
	return values
}

// What no release compiles is refused rather than evaluated: it would break the copy that does.
func TestDecodeRefuses(t *testing.T) {
	one := func(parts ...any) []byte {
		var b []byte
		for _, part := range parts {
			switch part := part.(type) {
			case int:
				b = append(b, byte(part))
			case string:
				b = wire.AppendText(b, part)
			case attr.Value:
				b = wire.AppendBytes(b, part)
			}
		}
		return b
	}
	a := func(more ...any) []byte { return one(append([]any{1, "a", 1, 1, 1, 2}, more...)...) }
	number := attr.Int(1)
	for name, b := range map[string][]byte{
		"nothing": nil, "a later format": one(2, "", 0, 0, 0, 0), "an end in the names": one(1, 5), "names that no path has": one(1, "a", 0, 0, 0, 0),
		"a path without steps": one(1, "", 1, 0, 0, 0, 0), "a path that begins with an index": one(1, "", 1, 1, 1, 1, 0, 0),
		"a name that is no text": one(1, "\xff", 1, 1, 1, 2, 0, 0), "more elements than paths have": one(1, "a", 1, 2, 1, 2, 0, 0),
		"a malformed value": a(1, attr.Value{99}, 0), "more after the end": a(0, 0, 0), "an unknown node": a(0, 17, 0),
		"a comparison with nothing": a(0, 4, 1, 0), "a path that is not there": a(0, 12, 1, 1), "a value that is not there": a(0, 4, 1, 0, 2, 0),
		"an absent value": a(1, attr.Value{}, 4, 1, 0, 2, 0), "an IN of nothing": a(0, 11, 0), "a sum in a condition": a(1, number, 4, 1, 0, 3, 2, 2, 0, 2, 0),
		"an unknown operand": a(0, 12, 5), "an AND of more than there is": a(0, 1, 9, 12, 1, 0), "a name that ends beyond the names": one(1, "a", 1, 1, 1, 4, 0, 0),
	} {
		if _, err := expr.DecodeCondition(b); !errors.Is(err, expr.ErrMalformed) {
			t.Errorf("a condition with %s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"unknown flags": a(0, 4, 0), "an unknown clause": a(1, number, 0, 1, 5, 0, 2, 0), "a SET to nothing": a(0, 0, 1, 1, 0),
		"a SET to an absent value": a(1, attr.Value{}, 0, 1, 1, 0, 2, 0), "a size": a(0, 0, 1, 1, 0, 3, 1, 1, 0), "a condition": a(0, 0, 1, 1, 0, 4, 12, 1, 0),
		"an ADD of text": a(1, attr.String("x"), 0, 1, 3, 0, 2, 0), "an ADD of an item": a(0, 0, 1, 3, 0, 1, 0), "a DELETE of a number": a(1, number, 0, 1, 4, 0, 2, 0),
		"an ADD of a list that is no old one": a(1, attr.NewList(nil), 0, 1, 3, 0, 2, 0), "an unlikely if_not_exists": a(1, number, 0, 1, 1, 0, 3, 4, 2, 0, 2, 0),
		"paths that overlap": a(0, 0, 2, 2, 0, 2, 0), "a target that is not there": a(0, 0, 1, 2, 1), "an unknown function": a(0, 0, 1, 1, 0, 3, 6, 1, 0),
	} {
		if _, err := expr.DecodeUpdate(b); !errors.Is(err, expr.ErrMalformed) {
			t.Errorf("an update with %s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"paths that overlap": one(1, "aa", 2, 2, 1, 2, 1, 2, 0, 0), "more columns than paths": a(0, 3, "x", "y"), "a column that is no text": a(0, 2, "\xff"),
		"two columns of one name": one(1, "ab", 2, 2, 1, 2, 1, 2, 0, 3, "x", "x"), "no end": a(0),
	} {
		if _, err := expr.DecodeProjection(b); !errors.Is(err, expr.ErrMalformed) {
			t.Errorf("a projection with %s: %v", name, err)
		}
	}
}

// The deepest condition that a statement can ask for has bytes, one that only bytes can is refused.
func TestDecodeDepth(t *testing.T) {
	chain := func(comparisons int) (*expr.Condition, error) {
		var b expr.ConditionBuilder
		test := b.Leaf("attribute_exists", b.Path(path("a")))
		truth := b.Value(attr.Bool(true))
		for range comparisons {
			test = b.Leaf("=", b.Outcome(test), truth)
		}
		return b.Condition(test)
	}
	c, err := chain(4096)
	if err != nil {
		t.Fatal(err)
	}
	if item := decodeMap(`{"a":{"N":"1"}}`); !throughCondition(t, c).Holds(item) || c.Holds(nil) != throughCondition(t, c).Holds(nil) {
		t.Error("a deep condition reads back as another")
	}
	if c, err = chain(10_000); err != nil {
		t.Fatal(err)
	}
	if _, err := expr.DecodeCondition(c.AppendBinary(nil)); !errors.Is(err, expr.ErrMalformed) {
		t.Errorf("a condition that is too deep: %v", err)
	}
}

// FuzzDecode holds that any bytes are decoded or refused, for little memory, and that what was decoded can be evaluated and has bytes of its own.
func FuzzDecode(f *testing.F) {
	for _, text := range benchTexts {
		if c, err := expr.ParseCondition(expr.FilterExpression, text, expr.NewNames(fuzzNames, fuzzValues)); err == nil {
			f.Add(c.AppendBinary(nil))
		}
		if u, err := expr.ParseUpdate(text, expr.NewNames(fuzzNames, fuzzValues)); err == nil {
			f.Add(u.AppendBinary(nil))
		}
		if p, err := expr.ParseProjection(text, expr.NewNames(fuzzNames, fuzzValues)); err == nil {
			f.Add(p.AppendBinary(nil))
		}
	}
	f.Add(expr.Columns([]expr.Column{{Name: "x", Path: path("m", "k")}, {Name: "y", Path: path("a")}}).AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := allocated()
		c, cErr := expr.DecodeCondition(b)
		u, uErr := expr.DecodeUpdate(b)
		p, pErr := expr.DecodeProjection(b)
		// A condition in a byte takes 80 of them, 3 times.
		if after := allocated(); after-before > uint64(1<<16+3*100*len(b)) {
			t.Errorf("%d bytes for %d", after-before, len(b))
		}
		if cErr == nil {
			again := throughCondition(t, c)
			if c.Holds(fuzzItem) != again.Holds(fuzzItem) || c.Holds(nil) != again.Holds(nil) {
				t.Error("a condition reads back as another")
			}
		}
		if uErr == nil {
			checkUpdate(t, u)
		}
		if pErr == nil {
			chosen := p.Apply(fuzzItem)
			checkCanonical(t, chosen)
			if string(throughProjection(t, p).Apply(fuzzItem)) != string(chosen) {
				t.Error("a projection reads back as another")
			}
		}
	})
}

func checkUpdate(t *testing.T, u *expr.Update) {
	t.Helper()
	again := throughUpdate(t, u)
	after, err := u.Apply(fuzzItem, nil)
	afterToo, errToo := again.Apply(fuzzItem, nil)
	checkRefusal(t, err)
	if string(after) != string(afterToo) || !reflect.DeepEqual(err, errToo) {
		t.Errorf("an update reads back as another: %v, %v", err, errToo)
	}
	if err == nil {
		checkCanonical(t, after)
		checkCanonical(t, u.Touched(after))
		u.WriteCost()
	}
}

func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

// benchTexts are expressions of every kind.
var benchTexts = []string{
	"#a = :a AND b >= :n AND attribute_exists(pk)", "NOT (a IN (:a, :b) OR size(l) BETWEEN :n AND b) AND begins_with(#m.k, :a)",
	"contains(s, :a) OR attribute_type(a, :type) OR attribute_not_exists(l[2].k) OR a <> :t", "SET n = b + :n, #a = if_not_exists(z, :a), l = list_append(l, :l)",
	"SET m.a = m.a - :n REMOVE l[1], z ADD b :n, s :ss DELETE n :ns", "a, m.k, l[2].k, #dot",
}

func BenchmarkBinaryCondition(b *testing.B) {
	c, err := expr.ParseCondition(expr.ConditionExpression, "#a = :a AND b >= :n AND attribute_exists(pk)", expr.NewNames(fuzzNames, fuzzValues))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst = c.AppendBinary(dst[:0])
		}
	})
	bytes := c.AppendBinary(nil)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := expr.DecodeCondition(bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
}
