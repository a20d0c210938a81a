package keys_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stator/internal/model/attr"
	"stator/internal/model/token"
	"stator/internal/storage/keys"
)

func number(t interface{ Fatalf(string, ...any) }, text string) attr.Value {
	n, fault := attr.ParseNumber(text)
	if fault != "" {
		t.Fatalf("%s is no number: %s", text, fault)
	}
	return attr.NumberValue(n)
}

// golden are keys of every space with awkward values. Their bytes are on the disks of users: a difference here is a
// new format of the store.
func golden(t *testing.T) [][]byte {
	pk := []attr.Value{attr.String("user#1")}
	plain := keys.Suffix(pk, nil)
	composite := keys.Suffix(pk, []attr.Value{number(t, "-12.5")})
	nul := keys.Suffix([]attr.Value{attr.Binary([]byte{0, 1, 0xff, 0})}, []attr.Value{attr.String("a\x00b")})
	wide := keys.Suffix([]attr.Value{attr.String("x"), number(t, "0")}, []attr.Value{attr.String("y"), number(t, "1E+100")})
	collection, _ := keys.SplitSuffix(composite, 1)
	sort := keys.AppendComponent(keys.AppendComponent(nil, attr.String("2024")), number(t, "7"))
	return [][]byte{
		keys.Data(1, plain),
		keys.Data(258, composite),
		keys.Data(2, nul),
		keys.Data(3, wide),
		keys.LocalIndex(258, collection, 2, sort),
		keys.Lock(258, composite),
		keys.Size(258, collection),
		keys.Transaction(258, keys.AppendComponent(bytes.Clone(composite), attr.String("request-token"))),
		keys.Log(7, 1<<40),
		keys.Expiry(7, 1_700_000_000, composite),
		keys.Part(7, "descriptor"),
		keys.Raft(7, "hard"),
		keys.RaftEntry(7, 1<<40),
		keys.Node("ident"),
	}
}

func TestGoldenBytes(t *testing.T) {
	var got strings.Builder
	for _, key := range golden(t) {
		got.WriteString(hex.EncodeToString(key) + "  " + keys.Describe(key) + "\n")
	}
	const path = "testdata/golden.txt"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the bytes of keys changed; got\n%swant\n%s", got.String(), want)
	}
}

func TestSpacesDiffer(t *testing.T) {
	seen := map[byte]bool{}
	for _, key := range [][]byte{
		keys.Data(1, nil), keys.LocalIndex(1, nil, 1, nil), keys.Lock(1, nil), keys.Size(1, nil),
		keys.Transaction(1, nil), keys.Log(1, 1), keys.Expiry(1, 1, nil), keys.Part(1, ""), keys.Raft(1, ""), keys.Node(""),
	} {
		if seen[key[0]] {
			t.Errorf("two spaces begin with %q", key[0])
		}
		seen[key[0]] = true
		if keys.Space(key[0]).String() == "" {
			t.Errorf("space %q has no name", key[0])
		}
	}
}

// drawValue draws key values that collide: short strings over few bytes, among them those the escape is made of.
func drawValue(t *rapid.T, kind attr.Type, label string) attr.Value {
	switch kind {
	case attr.N:
		mantissa := rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64()).Draw(t, label)
		exponent := rapid.IntRange(-30, 30).Draw(t, label+" exponent")
		return number(t, attrInt(mantissa)+"E"+attrInt(int64(exponent)))
	case attr.B:
		return attr.Binary(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 'a', 0xfe, 0xff}), 1, 4).Draw(t, label))
	default:
		return attr.String(string(rapid.SliceOfN(rapid.SampledFrom([]rune{0, 1, 'a', 'b', 0xff, 0x10ffff}), 1, 4).Draw(t, label)))
	}
}

func attrInt(i int64) string { return string(attr.Int(i).Number().Append(nil)) }

var kinds = rapid.SampledFrom([]attr.Type{attr.S, attr.N, attr.B})

// Whatever follows two components, their order is the order of the values, and no component is another's prefix.
func TestComponentOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := kinds.Draw(t, "type")
		a, b := drawValue(t, kind, "a"), drawValue(t, kind, "b")
		tail := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0xff}), 0, 3)
		keyA, keyB := keys.AppendComponent(nil, a), keys.AppendComponent(nil, b)
		want := attr.Compare(a, b)
		if want != 0 && (bytes.HasPrefix(keyA, keyB) || bytes.HasPrefix(keyB, keyA)) {
			t.Fatalf("% x and % x: one is the other's prefix", keyA, keyB)
		}
		if got := bytes.Compare(keyA, keyB); got != want {
			t.Fatalf("% x against % x is %d, want %d", keyA, keyB, got, want)
		}
		keyA, keyB = append(keyA, tail.Draw(t, "tail a")...), append(keyB, tail.Draw(t, "tail b")...)
		if got := bytes.Compare(keyA, keyB); want != 0 && got != want {
			t.Fatalf("with tails, % x against % x is %d, want %d", keyA, keyB, got, want)
		}
	})
}

func TestSuffixSplits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(n int, label string) (values []attr.Value) {
			for range n {
				values = append(values, drawValue(t, kinds.Draw(t, label+" type"), label))
			}
			return values
		}
		hash := draw(rapid.IntRange(1, 4).Draw(t, "hash components"), "hash")
		rng := draw(rapid.IntRange(0, 4).Draw(t, "range components"), "range")
		suffix := keys.Suffix(hash, rng)
		collection, sort := keys.SplitSuffix(suffix, len(hash))
		of := token.Of(collection[keys.TokenBytes:])
		if !bytes.HasPrefix(suffix, of[:]) {
			t.Fatal("a suffix does not begin with the token of its hash components")
		}
		var wantSort []byte
		for _, v := range rng {
			wantSort = keys.AppendComponent(wantSort, v)
		}
		if !bytes.Equal(sort, wantSort) {
			t.Fatalf("% x splits off % x, want % x", suffix, sort, wantSort)
		}
	})
}

func TestSplitSuffixRefusesHalfComponents(t *testing.T) {
	suffix := keys.Suffix([]attr.Value{attr.String("a\x00b")}, nil)
	for n := range suffix {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("the first %d bytes of a suffix were split", n)
				}
			}()
			keys.SplitSuffix(suffix[:n], 1)
		}()
	}
}

// begins_with is the range from a component's prefix to its successor.
func TestComponentPrefixBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]attr.Type{attr.S, attr.B}).Draw(t, "type")
		prefix, value := drawValue(t, kind, "prefix"), drawValue(t, kind, "value")
		lower := keys.AppendComponentPrefix(nil, prefix)
		upper := keys.SuccessorPrefix(lower)
		key := keys.AppendComponent(nil, value)
		within := bytes.Compare(key, lower) >= 0 && bytes.Compare(key, upper) < 0
		if want := bytes.HasPrefix(value.Str(), prefix.Str()); within != want {
			t.Fatalf("% x in [% x, % x) is %v, want %v", key, lower, upper, within, want)
		}
	})
}

func TestSuccessorPrefix(t *testing.T) {
	for _, c := range []struct{ p, want string }{
		{"", ""}, {"a", "b"}, {"a\xff", "b"}, {"a\xff\xffb", "a\xff\xffc"}, {"\xff\xff", ""}, {"\x00", "\x01"},
	} {
		p := []byte(c.p)
		if got := string(keys.SuccessorPrefix(p)); got != c.want || string(p) != c.p {
			t.Errorf("the successor of %q is %q (prefix now %q), want %q", c.p, got, p, c.want)
		}
	}
	if keys.SuccessorPrefix([]byte{0xff}) != nil {
		t.Error("the end of the store has a successor")
	}
}

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		lower, upper string
		holds        []string
		not          []string
	}{
		{"", "", []string{"", "a", "\xff\xff"}, nil},
		{"b", "", []string{"b", "b\x00", "\xff"}, []string{"", "a\xff"}},
		{"b", "d", []string{"b", "c\xff"}, []string{"a", "d", "d\x00"}},
	} {
		first, end := keys.Span(keys.SpaceData, 7, []byte(c.lower), []byte(c.upper))
		within := func(key []byte) bool { return bytes.Compare(first, key) <= 0 && bytes.Compare(key, end) < 0 }
		for _, suffix := range c.holds {
			if !within(keys.Data(7, []byte(suffix))) {
				t.Errorf("the span from %q to %q misses %q", c.lower, c.upper, suffix)
			}
		}
		for _, suffix := range c.not {
			if within(keys.Data(7, []byte(suffix))) {
				t.Errorf("the span from %q to %q holds %q", c.lower, c.upper, suffix)
			}
		}
		if within(keys.Data(8, []byte("c"))) || within(keys.Data(6, []byte("c"))) {
			t.Errorf("the span from %q to %q holds another table's key", c.lower, c.upper)
		}
	}
}

func FuzzDescribe(f *testing.F) {
	pk := []attr.Value{attr.String("a\x00")}
	f.Add(keys.Data(1, keys.Suffix(pk, []attr.Value{attr.Int(-3)})))
	collection, _ := keys.SplitSuffix(keys.Suffix(pk, nil), 1)
	f.Add(keys.LocalIndex(1, collection, 1, keys.AppendComponent(nil, attr.Binary([]byte{0}))))
	f.Add(keys.Expiry(1, 2, keys.Suffix(pk, nil)))
	f.Add([]byte("dx"))
	f.Fuzz(func(t *testing.T, key []byte) {
		if keys.Describe(key) == "" {
			t.Error("a key has no description")
		}
	})
}

func BenchmarkSuffix(b *testing.B) {
	hash, rng := []attr.Value{attr.String("user#000000000001")}, []attr.Value{attr.String("profile")}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = keys.AppendSuffix(dst[:0], hash, rng)
	}
}

// A bound behind a key shows that key, and one that was cut within a key shows what cannot be read as it is.
func TestShowBound(t *testing.T) {
	key := keys.Suffix([]attr.Value{attr.String("a")}, []attr.Value{attr.String("b")})
	for _, c := range []struct {
		bound  []byte
		want   string
		behind bool
	}{
		{nil, "", false},
		{key[:keys.TokenBytes], "", false},
		{key, `S:"a" S:"b"`, false},
		{keys.SuccessorPrefix(key), `S:"a" S:"b"`, true},
		{key[:len(key)-1], `S:"a" ?536200`, false},
	} {
		if shown, behind := keys.ShowBound(c.bound); strings.Join(shown, " ") != c.want || behind != c.behind {
			t.Errorf("%x is shown as %v, behind %t, want %s, %t", c.bound, shown, behind, c.want, c.behind)
		}
	}
}
