package attr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-faster/jx"

	"stator/internal/model/attr"
)

func decode(t testing.TB, text string) attr.Map {
	t.Helper()
	m, err := attr.DecodeMap(jx.DecodeStr(text), nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

func TestFaults(t *testing.T) {
	const invalid = "One or more parameter values were invalid: "
	const empty = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	const multi = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	for value, want := range map[string]string{
		`{}`:                                     empty,
		`null`:                                   empty,
		`{"X":"a"}`:                              empty,
		`{"S":null}`:                             empty,
		`{"S":"a","S":null}`:                     empty,
		`{"S":"a","S":"b"}`:                      "",
		`{"S":"a","N":null,"X":[{}]}`:            "",
		`{"N":null,"S":"a"}`:                     "",
		`{"S":"a","N":"1"}`:                      multi,
		`{"S":"a","N":"1","N":null}`:             "",
		`{"S":"a","M":{}}`:                       multi,
		`{"S":"a","N":"x"}`:                      "The parameter cannot be converted to a numeric value: x",
		`{"NULL":false}`:                         invalid + "Null attribute value types must have the value of true",
		`{"NULL":"no"}`:                          invalid + "Null attribute value types must have the value of true",
		`{"NULL":"YES"}`:                         "",
		`{"BOOL":"True"}`:                        "",
		`{"SS":[]}`:                              invalid + "An string set  may not be empty",
		`{"NS":[]}`:                              invalid + "An number set  may not be empty",
		`{"BS":[]}`:                              invalid + "Binary sets should not be empty",
		`{"SS":[""]}`:                            "",
		`{"SS":["a",null]}`:                      invalid + "An string set may not have a null string as a member",
		`{"L":[{"SS":[null]}]}`:                  invalid + "An string set may not have a null string as a member",
		`{"NS":["1",null]}`:                      empty,
		`{"SS":["b","a","b"]}`:                   invalid + `Input collection ["a", "b", "b"] contains duplicates.`,
		`{"BS":["Yg==","YQ==","YQ=="]}`:          invalid + `Input collection ["YQ==","Yg==","YQ=="]of type BS contains duplicates.`,
		`{"NS":["1","2","1.0"]}`:                 invalid + "Input collection contains duplicates.",
		`{"NS":["1","x","y"]}`:                   "The parameter cannot be converted to a numeric value: x",
		`{"NS":[""]}`:                            "The parameter cannot be converted to a numeric value: ",
		`{"N":""}`:                               "The parameter cannot be converted to a numeric value: ",
		`{"N":"1e126"}`:                          overflow,
		`{"L":[{"S":"a"},{"N":"1e-131"},{}]}`:    underflow,
		`{"M":{"b":{"N":"1e126"},"a":{}}}`:       overflow,
		`{"M":{"b":{"N":"1e126"},"b":{}}}`:       empty,
		`{"M":{"b":{"N":"1e126"},"b":{"S":""}}}`: "",
		`{"L":[{"L":[{"M":{"a":{"SS":[]}}}]}]}`:  invalid + "An string set  may not be empty",
	} {
		m := decode(t, `{"a":{"S":"x"},"v":`+value+`}`)
		name, got := m.FaultAt()
		if got != want || (want != "") != (name == "v") {
			t.Errorf("%s is at fault at %q: %q, want %q", value, name, got, want)
		}
		v, _ := m.Get("v")
		if v.Fault() != want {
			t.Errorf("the value %s is at fault: %q, want %q", value, v.Fault(), want)
		}
		if want == "" && attr.CheckMap(m) != nil {
			t.Errorf("%s decodes to bytes that do not pass the check: % x", value, m)
		}
		if want != "" && attr.CheckMap(m) == nil {
			t.Errorf("%s passes the check", value)
		}
	}
}

// The older layer of the service has other words for twins, and reads numbers in 32 bits.
func TestOlderFault(t *testing.T) {
	const (
		invalid    = "One or more parameter values were invalid: "
		notNumeric = "The parameter cannot be converted to a numeric value"
		overflow   = "Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow  = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	)
	for value, want := range map[string]struct{ current, older string }{
		`{"SS":["c","b","a","b","c"]}`: {
			invalid + `Input collection ["a", "b", "c", "b", "c"] contains duplicates.`,
			invalid + "Input collection [c, b, a, b, c] contains duplicates.",
		},
		`{"BS":["/w==","AA==","AA=="]}`: {
			invalid + `Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.`,
			invalid + "Input collection [/w==, AA==, AA==]of type BS contains duplicates.",
		},
		`{"NS":["2","1","2"]}`:                      {invalid + "Input collection contains duplicates.", "Input collection contains duplicates"},
		`{"N":""}`:                                  {notNumeric + ": ", notNumeric},
		`{"N":"abc"}`:                               {notNumeric + ": abc", notNumeric + ": abc"},
		`{"N":"1e126"}`:                             {overflow, overflow},
		`{"N":"1e-131"}`:                            {underflow, underflow},
		`{"N":"1e2147483647"}`:                      {overflow, underflow},
		`{"N":"0.1e2147483647"}`:                    {overflow, overflow},
		`{"N":"1e2147483648"}`:                      {overflow, notNumeric + ": 1e2147483648"},
		`{"N":"1e-2147483647"}`:                     {underflow, underflow},
		`{"N":"1e-2147483648"}`:                     {underflow, notNumeric + ": 1e-2147483648"},
		`{"N":"1.5e-2147483647"}`:                   {underflow, notNumeric + ": 1.5e-2147483647"},
		`{"L":[{"N":"-1e99999999999"}]}`:            {overflow, notNumeric + ": -1e99999999999"},
		`{"NS":["1","1e-99999999999"]}`:             {underflow, notNumeric + ": 1e-99999999999"},
		`{"M":{"x":{"N":"1e9223372036854775808"}}}`: {notNumeric + ": 1e9223372036854775808", notNumeric + ": 1e9223372036854775808"},
		`{"N":"0e126"}`:                             {overflow, overflow},
		`{"N":"0e-131"}`:                            {underflow, underflow},
		`{"N":"0e125"}`:                             {},
		`{"N":"0e-130"}`:                            {},
		`{"N":"0.0e0"}`:                             {},
	} {
		m := decode(t, `{"v":`+value+`}`)
		if got := m.Fault(); got != want.current {
			t.Errorf("%s: %q, want %q", value, got, want.current)
		}
		if got := m.OlderFault(); got != want.older {
			t.Errorf("%s in older words: %q, want %q", value, got, want.older)
		}
		if v, _ := m.Get("v"); v.OlderFault() != want.older {
			t.Errorf("the value %s in older words: %q", value, v.OlderFault())
		}
	}
}

// The fault that a message shows is the first in the request, not the first in the sorted map.
func TestFaultOfAMapIsTheFirstInTheRequest(t *testing.T) {
	m := decode(t, `{"c":{"S":"x"},"b":{"N":"b"},"a":{"N":"a"}}`)
	if name, fault := m.FaultAt(); name != "b" || !strings.HasSuffix(fault, ": b") {
		t.Errorf("%s: %s", name, fault)
	}
	for want, rebuilt := range map[string]attr.Map{"b": m.With("aa", attr.Null()), "a": m.Without("b"), "": m.Only("c")} {
		if name, _ := rebuilt.FaultAt(); name != want {
			t.Errorf("a rebuilt map blames %q, want %q", name, want)
		}
	}
}

func nested(open, end string, levels int) string {
	return `{"a":` + strings.Repeat(open, levels) + `{"S":"x"}` + strings.Repeat(end, levels) + `}`
}

func TestNesting(t *testing.T) {
	for _, form := range [][2]string{{`{"L":[`, `]}`}, {`{"M":{"k":`, `}}`}} {
		m := decode(t, nested(form[0], form[1], 31))
		if m.Fault() != "" || m.Depth() != attr.DepthMax || attr.CheckMap(m) != nil {
			t.Errorf("31 containers: %q, depth %d, %v", m.Fault(), m.Depth(), attr.CheckMap(m))
		}
		for _, levels := range []int{32, 33, 1000} {
			m := decode(t, nested(form[0], form[1], levels))
			if fault := m.Fault(); !strings.HasPrefix(fault, "Nesting Levels have exceeded supported limits") {
				t.Errorf("%d containers: %q", levels, fault)
			}
		}
	}
	// A container may be the 32nd level if it is empty.
	if fault := decode(t, `{"a":`+strings.Repeat(`{"L":[`, 31)+`{"L":[]}`+strings.Repeat(`]}`, 31)+`}`).Fault(); fault != "" {
		t.Error(fault)
	}
}

// Depth, 10,000 and more, must cost neither stack nor time; the JSON reader refuses it in the end.
func TestNestingOfBombs(t *testing.T) {
	for _, bomb := range []string{
		nested(`{"L":[`, `]}`, 100_000), strings.Repeat(`{"a":`, 200_000), `{"a":` + strings.Repeat(`[`, 200_000),
		`{"a":{"X":` + strings.Repeat(`[`, 200_000), `{"a":{"L":[` + strings.Repeat(`{"L":[`, 200_000),
	} {
		_, err := attr.DecodeMap(jx.DecodeStr(bomb), nil)
		var mismatch *attr.Mismatch
		if !errors.As(err, &mismatch) {
			t.Errorf("a bomb of %.20s is accepted: %v", bomb, err)
		}
	}
}

func TestMismatches(t *testing.T) {
	const class = "Unrecognized collection type "
	const structure = "Start of structure or map found where not expected"
	for value, want := range map[string]string{
		`"a"`: "Unexpected value type in payload", `1`: "Unexpected value type in payload", `true`: "Unexpected value type in payload",
		`[]`:       class + "class com.amazonaws.dynamodb.v20120810.AttributeValue",
		`{"S":1}`:  "NUMBER_VALUE cannot be converted to String",
		`{"N":1}`:  "NUMBER_VALUE cannot be converted to String",
		`{"N":-1}`: "NUMBER_VALUE cannot be converted to String", `{"N":1.5}`: "DECIMAL_VALUE cannot be converted to String",
		`{"N":1e5}`: "DECIMAL_VALUE cannot be converted to String", `{"S":true}`: "TRUE_VALUE cannot be converted to String",
		`{"S":false}`: "FALSE_VALUE cannot be converted to String", `{"S":{}}`: structure, `{"S":[]}`: class + "class java.lang.String",
		`{"B":1}`: "only base-64-encoded strings are convertible to bytes", `{"B":true}`: "only base-64-encoded strings are convertible to bytes",
		`{"B":{}}`: structure, `{"B":[]}`: class + "class java.nio.ByteBuffer",
		`{"B":"YQ="}`:  "Base64 encoded length is expected a multiple of 4 bytes but found: 3",
		`{"B":"YR=="}`: "Invalid last non-pad Base64 character dectected", `{"B":"####"}`: "Invalid last non-pad Base64 character dectected",
		`{"B":"===="}`: "Invalid last non-pad Base64 character dectected", `{"B":"Y==="}`: "Invalid last non-pad Base64 character dectected",
		`{"B":"YWFh\n\n\n\n"}`: "Invalid last non-pad Base64 character dectected",
		`{"BOOL":1}`:           "NUMBER_VALUE cannot be converted to Boolean", `{"BOOL":"maybe"}`: "Unexpected token received from parser",
		`{"BOOL":"falsey"}`: "Unexpected token received from parser", `{"BOOL":""}`: "Unexpected token received from parser",
		`{"NULL":[]}`: class + "class java.lang.Boolean", `{"BOOL":{}}`: structure,
		`{"L":"a"}`: "Unexpected field type", `{"L":{}}`: structure, `{"SS":1}`: "Unexpected field type", `{"SS":{}}`: structure,
		`{"SS":[1]}`: "NUMBER_VALUE cannot be converted to String", `{"NS":[1]}`: "NUMBER_VALUE cannot be converted to String",
		`{"BS":[[]]}`: class + "class java.nio.ByteBuffer", `{"L":["a"]}`: "Unexpected value type in payload",
		`{"M":[]}`: class + "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
		`{"M":1}`:  "Unexpected field type", `{"M":{"a":1}}`: "Unexpected value type in payload",
		`{"S":"a","N":1}`: "NUMBER_VALUE cannot be converted to String",
		// What is no JSON, or no UTF-8, has no message.
		`{"S":"` + "\xff" + `"}`: "", `{"N":"` + "\xff" + `"}`: "", `{"B":"` + "\xff" + `AAA"}`: "", `{"M":{"` + "\xff" + `":{"S":"a"}}}`: "",
		`{"S":"a`: "", `{"S":"a",}`: "", `{"S" "a"}`: "", `{"S":"\x"}`: "", `{"S":"a"`: "", `{"BOOL":tru}`: "", `{"NULL":nul}`: "", `{"L":[{"S":"a"}`: "",
		`{"S":01}`: "", "{\"S\":\"a\nb\"}": "", `{"X":}`: "", `{"L":[,]}`: "", ``: "",
	} {
		_, err := attr.DecodeMap(jx.DecodeStr(`{"v":`+value+`}`), nil)
		var mismatch *attr.Mismatch
		if !errors.As(err, &mismatch) || mismatch.Text != want {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
	for value, want := range map[string]string{
		`[]`: class + "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
		`1`:  "Unexpected field type", `"a"`: "Unexpected field type", `null`: "Unexpected field type", `nope`: "", ``: "", `{`: "", `{"a"`: "",
	} {
		_, err := attr.DecodeMap(jx.DecodeStr(value), nil)
		var mismatch *attr.Mismatch
		if !errors.As(err, &mismatch) || mismatch.Text != want {
			t.Errorf("map %s: %v, want %q", value, err, want)
		}
	}
}

// A reader that has the body in small pieces must see what a reader of the whole sees.
func TestDecodeFromAStream(t *testing.T) {
	text := strings.ReplaceAll(cityJSON, "Berlin", `Be\u0072lin \ud83d\ude00`)
	want := decode(t, text)
	got, err := attr.DecodeMap(jx.Decode(iotest.OneByteReader(strings.NewReader(text)), 16), nil)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%v\n% x\n% x", err, got, want)
	}
}

// Order and spelling in the request leave no trace in the bytes.
func TestBytesAreCanonical(t *testing.T) {
	want := decode(t, `{"a":{"N":"100"},"b":{"SS":["x","y"]},"c":{"M":{"k":{"S":"é"},"l":{"NS":["1","2"]}}}}`)
	for _, text := range []string{
		`{"c":{"M":{"l":{"NS":["2.0","01"]},"k":{"S":"\u00e9"}}},"b":{"SS":["y","x"]},"a":{"N":"1e2"}}`,
		`{"a":{"S":"earlier"},"c":{"M":{"k":{"S":"é"},"l":{"NS":["1","+2"]}}},"a":{"N":"1E+2"}, "b" : {"SS":[ "x" ,"y"]} }`,
	} {
		if got := decode(t, text); !bytes.Equal(got, want) {
			t.Errorf("%s\n% x, want\n% x", text, got, want)
		}
	}
}

// Counts, names and lengths beyond one byte's reach, in order and out of it.
func TestLargeMaps(t *testing.T) {
	for _, count := range []int{15, 16, 17, 63, 64, 65, 1000, 20_000} {
		for _, step := range []int{1, -1, 7919} {
			var text strings.Builder
			for i := range count {
				fmt.Fprintf(&text, `,"%07d":{"M":{"list":{"L":[{"N":"%d"}]},"text":{"S":"%0130d"}}}`, (count+i*step%count)%count, i, i)
			}
			m := decode(t, `{`+text.String()[1:]+`}`)
			if err := attr.CheckMap(m); err != nil {
				t.Fatalf("%d attributes by %d: %v", count, step, err)
			}
			var want map[string]any
			if err := json.Unmarshal([]byte(`{`+text.String()[1:]+`}`), &want); err != nil {
				t.Fatal(err)
			}
			if m.Len() != len(want) {
				t.Fatalf("%d attributes by %d: decoded %d", count, step, m.Len())
			}
			if count > 1000 {
				continue
			}
			var got map[string]any
			if err := json.Unmarshal(m.AppendJSON(nil), &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%d attributes by %d come back changed: %v", count, step, err)
			}
		}
	}
}

func FuzzDecodeMap(f *testing.F) {
	for _, seed := range []string{
		cityJSON, `{}`, `{"a":{"N":"-1.5e3"},"a":{"NULL":true}}`, `{"a":{"BS":["YQ==",""]},"b":{"NS":["3","1","2"]},"":{"L":[{"M":{}}]}}`,
		`{"a":{"S":"x","N":"1"}}`, `{"a":{"SS":["b","a","b"]}}`, `{"a":{"S":"\ud800\u0000\"é"}}`, nested(`{"L":[`, `]}`, 33), `{"a":{"B":"AA=="}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		m, err := attr.DecodeMap(jx.DecodeBytes(input), nil)
		var mismatch *attr.Mismatch
		if err != nil {
			if !errors.As(err, &mismatch) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if got := attr.CheckMap(m); (got == nil) != (attr.Map(m).Fault() == "") {
			t.Fatalf("check says %v of a map at fault %q: % x", got, attr.Map(m).Fault(), m)
		}
		walk(t, m)
		if attr.Map(m).Fault() != "" {
			return
		}
		text := attr.Map(m).AppendJSON(nil)
		back, err := attr.DecodeMap(jx.DecodeBytes(text), nil)
		if err != nil || !bytes.Equal(back, m) {
			t.Fatalf("%v\n%s\n% x\n% x", err, text, m, back)
		}
	})
}

// walk calls everything that reads a map; it checks only what must agree whatever the bytes are.
func walk(t *testing.T, m attr.Map) {
	size := 0
	for name, v := range m.All() {
		got, ok := m.Get(name)
		if !ok || !attr.Equal(got, v) {
			t.Fatalf("Get(%q) = % x, All says % x", name, got, v)
		}
		size += len(name) + v.Size()
		n := 0
		for range v.Elements() {
			n++
		}
		if v.Type() != attr.M && n != v.Len() {
			t.Fatalf("%d elements in a value of %d", n, v.Len())
		}
		_ = v.Text()
	}
	if m.Size() != size || m.Depth() > attr.DepthMax+1 {
		t.Fatalf("size %d, want %d; depth %d", m.Size(), size, m.Depth())
	}
}

func FuzzCheckMap(f *testing.F) {
	for _, seed := range []string{cityJSON, `{}`, `{"a":{"NS":["-1","2"]},"b":{"L":[{"M":{"a":{"NULL":true}}}]}}`, `{"a":{}}`} {
		m, _ := attr.DecodeMap(jx.DecodeStr(seed), nil)
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if attr.CheckMap(b) != nil {
			return
		}
		walk(t, b)
		back, err := attr.DecodeMap(jx.DecodeBytes(attr.Map(b).AppendJSON(nil)), nil)
		if err != nil || !bytes.Equal(back, b) {
			t.Fatalf("%v\n% x\n% x", err, b, back)
		}
	})
}
