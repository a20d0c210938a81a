package attr

import (
	"math"
	"math/big"
	"strings"
	"testing"
)

func TestFloor(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true},
		{"1", 1, true},
		{"-1", -1, true},
		{"0.5", 0, true},
		{"-0.5", -1, true},
		{"0.00001", 0, true},
		{"-0.00001", -1, true},
		{"1795000000", 1_795_000_000, true},
		{"1795000000.999", 1_795_000_000, true},
		{"-1795000000.001", -1_795_000_001, true},
		{"1E+17", 100_000_000_000_000_000, true},
		{"999999999999999999.9", 999_999_999_999_999_999, true},
		{"1E+18", 0, false},
		{"-1E+18", 0, false},
		{"9.9E+125", 0, false},
		{"1E-130", 0, true},
	} {
		n, fault := ParseNumber(c.text)
		if fault != "" {
			t.Fatal(fault)
		}
		if got, ok := n.Floor(); got != c.want || ok != c.ok {
			t.Errorf("%s: %d %t, want %d %t", c.text, got, ok, c.want, c.ok)
		}
	}
}

// FuzzFloor compares with arithmetic over rationals.
func FuzzFloor(f *testing.F) {
	for _, text := range []string{"12.5", "-12.5", "-3", "1e17", "123456789012345678", "-0.000001"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, fault := ParseNumber(text)
		if fault != "" {
			return
		}
		exact, ok := new(big.Rat).SetString(strings.TrimSpace(string(n.Append(nil))))
		if !ok {
			t.Fatalf("%q is no rational", n.Append(nil))
		}
		// Euclidean division by a positive denominator rounds towards minus infinity.
		want := new(big.Int).Div(exact.Num(), exact.Denom())
		got, ok := n.Floor()
		if ok && want.Cmp(big.NewInt(got)) != 0 {
			t.Errorf("floor of %s is %d", n.Append(nil), got)
		}
		if small := want.CmpAbs(big.NewInt(int64(math.Pow10(17)))) < 0; small && !ok {
			t.Errorf("%s has no floor", n.Append(nil))
		}
	})
}
