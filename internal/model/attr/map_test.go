package attr_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-faster/jx"
	"pgregory.net/rapid"

	"stator/internal/base/must"
	"stator/internal/model/attr"
)

// drawValue draws lawful values of every type, built by this package's own builders.
func drawValue(t *rapid.T, depth int) attr.Value {
	text := rapid.OneOf(rapid.String(), rapid.StringN(100, 200, -1))
	kinds := 10
	if depth == 0 {
		kinds = 8
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return attr.String(text.Draw(t, "s"))
	case 1:
		return attr.Binary([]byte(text.Draw(t, "b")))
	case 2:
		return attr.Bool(rapid.Bool().Draw(t, "bool"))
	case 3:
		return attr.Null()
	case 4:
		return attr.Int(rapid.Int64().Draw(t, "n"))
	case 5:
		members := rapid.SliceOfN(text, 1, 70).Draw(t, "ss")
		var values []attr.Value
		for _, member := range members {
			values = append(values, attr.String(member))
		}
		return attr.Set(attr.SS, values)
	case 6:
		var values []attr.Value
		for _, member := range rapid.SliceOfN(rapid.Int64(), 1, 5).Draw(t, "ns") {
			values = append(values, attr.Int(member))
		}
		return attr.Set(attr.NS, values)
	case 7:
		return attr.Set(attr.BS, []attr.Value{attr.Binary([]byte(text.Draw(t, "b"))), attr.Binary(nil)})
	case 8:
		var elements []attr.Value
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			elements = append(elements, drawValue(t, depth-1))
		}
		return attr.NewList(elements)
	default:
		return attr.NewMap(drawEntries(t, depth-1)).Value()
	}
}

func drawEntries(t *rapid.T, depth int) []attr.Entry {
	var entries []attr.Entry
	for range rapid.IntRange(0, 5).Draw(t, "attributes") {
		name := rapid.OneOf(rapid.StringMatching(`[abc]{0,2}`), rapid.String()).Draw(t, "name")
		entries = append(entries, attr.Entry{Name: name, Value: drawValue(t, depth)})
	}
	return entries
}

func TestBuiltBytesAreDecodedBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := attr.NewMap(drawEntries(t, 3))
		if err := attr.CheckMap(m); err != nil {
			t.Fatalf("%v: % x", err, m)
		}
		text := m.AppendJSON(nil)
		if !json.Valid(text) {
			t.Fatalf("no JSON: %s", text)
		}
		back, err := attr.DecodeMap(jx.DecodeBytes(text), nil)
		if err != nil || !bytes.Equal(back, m) {
			t.Fatalf("%v\n%s\n% x\n% x", err, text, m, back)
		}
	})
}

// A map behaves as a Go map does, whatever is set and removed.
func TestMapAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m attr.Map
		model := map[string]attr.Value{}
		t.Repeat(map[string]func(*rapid.T){
			"with": func(t *rapid.T) {
				name, v := rapid.StringMatching(`[a-h]{0,3}`).Draw(t, "name"), drawValue(t, 1)
				before := m.Clone()
				next := m.With(name, v)
				if !bytes.Equal(before, m) {
					t.Fatal("With changed its receiver")
				}
				m = next
				model[name] = v
			},
			"without": func(t *rapid.T) {
				name := rapid.StringMatching(`[a-h]{0,3}`).Draw(t, "name")
				m = m.Without(name)
				delete(model, name)
			},
			"only": func(t *rapid.T) {
				names := rapid.SliceOf(rapid.StringMatching(`[a-h]{0,3}`)).Draw(t, "names")
				if len(names) < 3 {
					return
				}
				m = m.Only(names...)
				maps.DeleteFunc(model, func(name string, _ attr.Value) bool { return !slices.Contains(names, name) })
			},
			"": func(t *rapid.T) {
				var entries []attr.Entry
				size := 0
				for name, want := range model {
					entries = append(entries, attr.Entry{Name: name, Value: want})
					size += len(name) + want.Size()
					if got, ok := m.Get(name); !ok || !attr.Equal(got, want) {
						t.Fatalf("%q = % x, want % x", name, got, want)
					}
				}
				if m.Len() != len(model) || m.Size() != size {
					t.Fatalf("%d attributes of %d bytes, want %d of %d", m.Len(), m.Size(), len(model), size)
				}
				if len(m) > 0 && !bytes.Equal(attr.NewMap(entries), m) {
					t.Fatalf("% x, built at once % x", m, attr.NewMap(entries))
				}
			},
		})
	})
}

func TestAbsentMap(t *testing.T) {
	var m attr.Map
	if _, ok := m.Get("a"); ok || m.Len() != 0 || m.Size() != 0 || m.Depth() != 0 || m.Fault() != "" || m.Clone() != nil {
		t.Error("an absent map has something")
	}
	if got := m.Without("a"); got != nil {
		t.Errorf("Without makes it % x", got)
	}
	if got := m.With("a", attr.Null()); got.Len() != 1 {
		t.Errorf("With makes it % x", got)
	}
	if !bytes.Equal(m.Value(), attr.EmptyMap.Value()) || !bytes.Equal(attr.NewMap(nil), attr.EmptyMap) || !bytes.Equal(m.Only(), attr.EmptyMap) {
		t.Error("empty maps differ")
	}
	if string(m.AppendJSON(nil)) != "{}" {
		t.Errorf("%s", m.AppendJSON(nil))
	}
}

func TestSizes(t *testing.T) {
	for value, want := range map[string]int{
		`{"S":""}`: 0, `{"S":"é"}`: 2, `{"B":"YWI="}`: 2, `{"BOOL":false}`: 1, `{"NULL":true}`: 1, `{"N":"-42"}`: 3, `{"SS":["a","bc"]}`: 3,
		`{"BS":["YQ==","YWI="]}`: 3, `{"NS":["1","123"]}`: 5, `{"L":[]}`: 3, `{"M":{}}`: 3, `{"L":[{"S":"ab"},{"N":"1"}]}`: 3 + 2 + 2 + 2,
		`{"M":{"key":{"S":"ab"}}}`: 3 + 3 + 2 + 1, `{"L":[{"L":[{"M":{"a":{"NULL":true}}}]}]}`: 3 + 1 + 3 + 1 + 3 + 1 + 1 + 1,
	} {
		m := decode(t, `{"name":`+value+`}`)
		if got := m.Size() - len("name"); got != want {
			t.Errorf("size of %s is %d, want %d", value, got, want)
		}
		if v, _ := m.Get("name"); v.Size() != want {
			t.Errorf("size of %s is %d, want %d", value, v.Size(), want)
		}
	}
}

func TestAccessors(t *testing.T) {
	m := decode(t, `{"s":{"S":"a"},"b":{"B":"YWI="},"n":{"N":"1.50"},"y":{"BOOL":true},"f":{"BOOL":false},"z":{"NULL":true},
		"ss":{"SS":["b","a"]},"ns":{"NS":["10","9","-1"]},"l":{"L":[{"S":"x"},{"N":"7"}]},"m":{"M":{"k":{"S":"v"}}},"bad":{"N":"x"}}`)
	want := map[string]string{
		"s": "{S:a}", "b": "{B:java.nio.HeapByteBuffer[pos=0 lim=2 cap=2]}", "n": "{N:1.5}", "y": "{BOOL:true}", "f": "{BOOL:false}", "z": "{NULL:true}",
		"ss": "{SS:[a, b]}", "ns": "{NS:[-1, 9, 10]}", "l": "{L:[{S:x}, {N:7}]}", "m": "{M:{k={S:v}}}", "bad": "{}",
	}
	var names []string
	for name, v := range m.All() {
		names = append(names, name)
		if v.Text() != want[name] {
			t.Errorf("%s is %s, want %s", name, v.Text(), want[name])
		}
		if wantType := strings.Trim(strings.Split(v.Text(), ":")[0], "{}"); v.Type().String() != wantType {
			t.Errorf("%s is of type %v, want %s", name, v.Type(), wantType)
		}
		if v.Bool() != (name == "y") {
			t.Errorf("%s is %v", name, v.Bool())
		}
	}
	if !slices.IsSorted(names) || len(names) != len(want) {
		t.Errorf("names %q", names)
	}
	l, _ := m.Get("l")
	if v, ok := l.Index(1); !ok || v.Text() != "{N:7}" {
		t.Errorf("element 1 is %s", v.Text())
	}
	for _, i := range []int{-1, 2} {
		if _, ok := l.Index(i); ok {
			t.Errorf("there is an element %d", i)
		}
	}
	if ss, _ := m.Get("ss"); ss.Len() != 2 {
		t.Errorf("%d members", ss.Len())
	} else if _, ok := ss.Index(0); ok {
		t.Error("a set has an element 0")
	}
	if got := attr.Set(attr.NS, []attr.Value{attr.Int(9), attr.Int(10), attr.Int(-1), attr.Int(9)}); !attr.Equal(got, first(m.Get("ns"))) {
		t.Errorf("set % x", got)
	}
	if attr.Set(attr.SS, nil) != nil {
		t.Error("an empty set is a value")
	}
}

func first(v attr.Value, _ bool) attr.Value { return v }

func TestCompare(t *testing.T) {
	ascending := [][]attr.Value{
		{attr.String(""), attr.String("Z"), attr.String("a"), attr.String("aa"), attr.String("é"), attr.String("\uffff"), attr.String("\U0001f600")},
		{attr.Int(-10), attr.Int(-9), attr.Int(0), attr.Int(9), attr.Int(10)},
		{attr.Binary(nil), attr.Binary([]byte{0}), attr.Binary([]byte{0x7f}), attr.Binary([]byte{0x80})},
	}
	for _, values := range ascending {
		for i, x := range values {
			for j, y := range values {
				if got := attr.Compare(x, y); (got < 0) != (i < j) || (got > 0) != (i > j) {
					t.Errorf("%s against %s is %d", x.Text(), y.Text(), got)
				}
			}
		}
	}
}

// Bytes that cannot be ours break an invariant of the copy that holds them; they are no fault of the process.
func TestBrokenBytesPanicAsBroken(t *testing.T) {
	whole := decode(t, `{"a":{"S":"text"},"b":{"L":[{"N":"1"}]}}`)
	for cut := 1; cut < len(whole); cut++ {
		func() {
			defer func() {
				if _, ok := recover().(*must.Broken); !ok {
					t.Errorf("%d bytes of %d do not panic as broken", cut, len(whole))
				}
			}()
			whole[:cut:cut].AppendJSON(nil)
		}()
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	m := decode(t, cityJSON)
	input := []byte(cityJSON)
	var d jx.Decoder
	dst := make([]byte, 0, 4096)
	for name, do := range map[string]func(){
		"Get":       func() { m.Get("updated") },
		"Size":      func() { m.Size() },
		"Len":       func() { v, _ := m.Get("names"); v.Len() },
		"All":       func() { n := 0; m.All()(func(string, attr.Value) bool { n++; return true }) },
		"DecodeMap": func() { d.ResetBytes(input); _, _ = attr.DecodeMap(&d, dst[:0]) },
		"JSON":      func() { m.AppendJSON(dst[:0]) },
		"Elements": func() {
			v, _ := m.Get("names")
			for member := range v.Elements() {
				_ = member.Str()
			}
		},
	} {
		if allocations := testing.AllocsPerRun(100, do); allocations != 0 {
			t.Errorf("%s allocates %v times", name, allocations)
		}
	}
}
