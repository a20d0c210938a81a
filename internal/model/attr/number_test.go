package attr_test

import (
	"bytes"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stator/internal/model/attr"
)

func number(t interface{ Fatalf(string, ...any) }, text string) attr.Number {
	n, fault := attr.ParseNumber(text)
	if fault != "" {
		t.Fatalf("ParseNumber(%q): %s", text, fault)
	}
	return n
}

const (
	overflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	crowded   = "Attempting to store more than 38 significant digits in a Number"
)

func TestNumberSizes(t *testing.T) {
	for text, want := range map[string]int{
		"0": 1, "-0": 1, "1": 2, "12": 2, "123": 3, "1234": 3, "1010": 3, "100": 2, "1.5": 3, "15": 2, "3.14159": 5, "123456": 4,
		"100.5": 4, "0.15": 2, "0.0000001": 2, "1E125": 2, strings.Repeat("12", 19): 20, "-42": 3, "120": 3, "0.015": 3,
		"-1.5": 4, "1E-130": 2, "5E-1": 2,
	} {
		if got := number(t, text).Size(); got != want {
			t.Errorf("size of %s is %d, want %d", text, got, want)
		}
	}
}

func TestNumberTexts(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for text, want := range map[string]string{
		"+5": "5", ".5": "0.5", "5.": "5", "1.e5": "100000", "00042": "42", "-0": "0", "+1e-2": "0.01", "1.23E10": "12300000000",
		"0042.1200": "42.12", "1E125": "1" + strings.Repeat("0", 125), "1e-130": "0." + strings.Repeat("0", 129) + "1",
		"-0.010": "-0.01", "123.4": "123.4", "0.0": "0", "0e125": "0", "-0E-130": "0", "10": "10", "0.1": "0.1",
		nines + "e88": nines + strings.Repeat("0", 88), "-" + nines: "-" + nines, "1" + strings.Repeat("0", 50) + "e-50": "1",
		"0." + strings.Repeat("0", 200) + "1e201": "1", strings.Repeat("0", 1000) + "7": "7",
		"1.0000000000000000000000000000000000001": "1.0000000000000000000000000000000000001",
	} {
		if got := string(number(t, text).Append(nil)); got != want {
			t.Errorf("%s is written %s, want %s", text, got, want)
		}
	}
}

func TestNumberRefusals(t *testing.T) {
	const numeric = "The parameter cannot be converted to a numeric value"
	for _, text := range []string{
		"+", "-", ".", "e2", "1e", "1e+", "++5", "+-5", "1+2", "1.2.3", "1_000", "0x5", "NaN", "Infinity", " 5", "5 ", "1 5", "-.", ".e1",
		"1e5.0", "1e5e5", "٣", "0e", "1e99999999999x",
	} {
		if _, fault := attr.ParseNumber(text); fault != numeric+": "+text {
			t.Errorf("ParseNumber(%q) says %q", text, fault)
		}
	}
	nines := strings.Repeat("9", 38)
	for text, want := range map[string]string{
		"": numeric + ": ", "1e126": overflow, "0e126": overflow, "0e-131": underflow, "-1E126": overflow, nines + "9e88": overflow, nines + "9e87": crowded, nines + "e89": overflow, "1e99999999999": overflow,
		"1e-131": underflow, "-9.9e-131": underflow, "1e-9223372036854775808": underflow, "1e9223372036854775808": numeric + ": 1e9223372036854775808", nines + "9": crowded,
		"1.00000000000000000000000000000000000001": crowded, "1e" + strings.Repeat("0", 10_000) + "127": overflow,
		"1" + strings.Repeat("0", 126): overflow, "1" + strings.Repeat("0", 60) + "1": crowded,
	} {
		if _, fault := attr.ParseNumber(text); fault != want {
			t.Errorf("ParseNumber(%.50q) says %q, want %q", text, fault, want)
		}
	}
}

// drawNumber draws numbers of every sign, length and exponent that are in range.
func drawNumber(t *rapid.T, label string) (string, *big.Rat) {
	digits := rapid.StringMatching(`[0-9]{1,38}`).Draw(t, label)
	exponent := rapid.OneOf(rapid.IntRange(-5, 5), rapid.IntRange(-130, 125)).Draw(t, label+" exponent")
	text := digits[:1] + "." + digits[1:] + "e" + big.NewInt(int64(exponent)).String()
	if rapid.Bool().Draw(t, label+" negative") {
		text = "-" + text
	}
	rat, ok := new(big.Rat).SetString(strings.Replace(text, ".e", "e", 1))
	if !ok {
		t.Fatalf("%s is no number to math/big", text)
	}
	if _, fault := attr.ParseNumber(text); fault != "" {
		t.Skip("out of range")
	}
	return text, rat
}

func TestNumberOrderIsByteOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, ratX := drawNumber(t, "x")
		y, ratY := drawNumber(t, "y")
		nx, ny := number(t, x), number(t, y)
		want := ratX.Cmp(ratY)
		if got := bytes.Compare(nx, ny); got != want {
			t.Fatalf("%s (% x) against %s (% x) is %d, want %d", x, nx, y, ny, got, want)
		}
		// What follows a number in a key must not disturb the order, so the smaller one gets the larger tail.
		keyX := append(nx.AppendKey(nil), bytes.Repeat([]byte{byte(127 - 127*want)}, 3)...)
		keyY := append(ny.AppendKey(nil), bytes.Repeat([]byte{byte(127 + 127*want)}, 3)...)
		if want != 0 && bytes.Compare(keyX, keyY) != want {
			t.Fatalf("key of %s (% x) against key of %s (% x) is not %d", x, keyX, y, keyY, want)
		}
		back, rest, ok := attr.ReadKey(keyX)
		if !ok || !bytes.Equal(back, nx) || len(rest) != 3 {
			t.Fatalf("key % x of % x reads back as % x with %d bytes left", keyX, nx, back, len(rest))
		}
	})
}

func TestNumberTextReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, rat := drawNumber(t, "x")
		n := number(t, x)
		text := string(n.Append(nil))
		back, _ := new(big.Rat).SetString(text)
		if back == nil || back.Cmp(rat) != 0 {
			t.Fatalf("%s is written %s", x, text)
		}
		if !bytes.Equal(number(t, text), n) {
			t.Fatalf("%s and its text %s differ in bytes", x, text)
		}
	})
}

// significant gives a rational's 0.d1d2… × 10^exponent form, for numbers within reach of DynamoDB's.
func significant(r *big.Rat) (digits, exponent int) {
	if r.Sign() == 0 {
		return 0, 0
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(200), nil)
	whole := new(big.Rat).Mul(r, new(big.Rat).SetInt(scale))
	text := new(big.Int).Abs(whole.Num()).String()
	return len(strings.TrimRight(text, "0")), len(text) - 200
}

func TestNumberSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, ratX := drawNumber(t, "x")
		y, ratY := drawNumber(t, "y")
		nx, ny := number(t, x), number(t, y)
		for _, op := range []struct {
			name string
			do   func(attr.Number) (attr.Number, string)
			want *big.Rat
		}{
			{"+", nx.Add, new(big.Rat).Add(ratX, ratY)},
			{"-", nx.Sub, new(big.Rat).Sub(ratX, ratY)},
		} {
			want := ""
			digits, exponent := significant(op.want)
			switch {
			case exponent > 126:
				want = overflow
			case digits > 0 && exponent < -129:
				want = underflow
			case digits > 38:
				want = overflow
			}
			got, fault := op.do(ny)
			if fault != want {
				t.Fatalf("%s %s %s says %q, want %q", x, op.name, y, fault, want)
			}
			if fault != "" {
				continue
			}
			back, _ := new(big.Rat).SetString(string(got.Append(nil)))
			if back == nil || back.Cmp(op.want) != 0 || !bytes.Equal(number(t, string(got.Append(nil))), got) {
				t.Fatalf("%s %s %s = % x, want %s", x, op.name, y, got, op.want)
			}
		}
	})
}

func TestNumberSumLiterals(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for _, c := range []struct{ x, y, want string }{
		{"1", "1", "2"}, {"99", "1", "100"}, {"0.1", "0.2", "0.3"}, {"5", "-5", "0"}, {"-1", "0.01", "-0.99"}, {"100", "-1", "99"},
		{"0", "0", "0"}, {nines, "1", "1" + strings.Repeat("0", 38)}, {nines + "e88", "1e125", overflow}, {"1e125", "1", overflow},
		{"1e125", "1e-130", overflow}, {"1.1e-130", "-1e-130", underflow}, {"12345678901234567890", "-0.5", "12345678901234567889.5"},
	} {
		got, fault := number(t, c.x).Add(number(t, c.y))
		if fault == "" {
			if text := string(got.Append(nil)); text != c.want {
				t.Errorf("%s + %s = %s, want %s", c.x, c.y, text, c.want)
			}
		} else if fault != c.want {
			t.Errorf("%s + %s says %q, want %s", c.x, c.y, fault, c.want)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"0", "-1", "1e99999999999", "0.000e5", "+.5e-3", "1.2.3", "99999999999999999999999999999999999999", "5e125"} {
		f.Add(seed, "1")
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		nx, faultX := attr.ParseNumber(x)
		ny, faultY := attr.ParseNumber(y)
		if faultX != "" || faultY != "" {
			return
		}
		ratX, okX := new(big.Rat).SetString(string(nx.Append(nil)))
		ratY, okY := new(big.Rat).SetString(string(ny.Append(nil)))
		if !okX || !okY {
			t.Fatalf("%q or %q is written as no number", x, y)
		}
		if len(x) < 200 && !strings.ContainsAny(x, "eE") {
			if exact, ok := new(big.Rat).SetString(strings.TrimSuffix(x, ".")); !ok || exact.Cmp(ratX) != 0 {
				t.Fatalf("%q is read as %s", x, ratX)
			}
		}
		if bytes.Compare(nx, ny) != ratX.Cmp(ratY) {
			t.Fatalf("%q (% x) against %q (% x) is not %d", x, nx, y, ny, ratX.Cmp(ratY))
		}
	})
}
