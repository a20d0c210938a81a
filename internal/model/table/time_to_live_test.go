package table

import (
	"testing"

	"stator/internal/model/attr"
)

func TestExpiry(t *testing.T) {
	number := func(text string) attr.Value {
		n, fault := attr.ParseNumber(text)
		if fault != "" {
			t.Fatal(fault)
		}
		return attr.NumberValue(n)
	}
	inMap := attr.NewMap([]attr.Entry{{Name: "ends", Value: number("1795000000")}})
	for _, c := range []struct {
		name  string
		value attr.Value
		want  uint64
	}{
		{"a second", number("1795000000"), 1_795_000_000},
		{"a fraction", number("1795000000.99"), 1_795_000_000},
		{"the first", number("1"), 1},
		{"never", number("0"), 0},
		{"less than a second", number("0.9"), 0},
		{"before the epoch", number("-5"), 0},
		{"the last", number("253402300799.5"), 253_402_300_799},
		{"milliseconds", number("1795000000000"), 0},
		{"no int64", number("1E+100"), 0},
		{"a text", attr.String("1795000000"), 0},
	} {
		item := attr.NewMap([]attr.Entry{{Name: "ends", Value: c.value}})
		got, ok := (&Table{TimeToLive: "ends"}).Expiry(item)
		if got != c.want || ok != (c.want != 0) {
			t.Errorf("%s: %d %t, want %d", c.name, got, ok, c.want)
		}
		if _, ok := (&Table{}).Expiry(item); ok {
			t.Errorf("%s: an item of a table without time to live ends", c.name)
		}
		if _, ok := (&Table{TimeToLive: "end"}).Expiry(item); ok {
			t.Errorf("%s: another attribute counts", c.name)
		}
	}
	nested := attr.NewMap([]attr.Entry{{Name: "m", Value: inMap.Value()}})
	if _, ok := (&Table{TimeToLive: "ends"}).Expiry(nested); ok {
		t.Error("an attribute within another counts")
	}
}

func TestExpired(t *testing.T) {
	for _, c := range []struct {
		nowMillis   int64
		first, last uint64
	}{
		{-5, 1, 0},
		{999, 1, 0},
		{1_999, 1, 1},
		{1_800_000_000_000, 1_800_000_000 - 157_788_000, 1_800_000_000},
	} {
		if first, last := Expired(c.nowMillis); first != c.first || last != c.last {
			t.Errorf("at %d: %d to %d, want %d to %d", c.nowMillis, first, last, c.first, c.last)
		}
	}
}
