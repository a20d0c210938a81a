package attr_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stator/internal/model/attr"
)

func TestJSONStringReadsBack(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, text string) {
		literal := attr.AppendJSONString([]byte("x"), text)[1:]
		var back string
		if err := json.Unmarshal(literal, &back); err != nil || back != strings.ToValidUTF8(text, "\uFFFD") {
			t.Fatalf("%q is written %s, which reads %q, %v", text, literal, back, err)
		}
	}
	// Every byte at every place of the eight that are looked at together.
	for c := range 256 {
		for place := range 9 {
			check(t, strings.Repeat("a", place)+string([]byte{byte(c)})+strings.Repeat("z", 9))
		}
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.String().Draw(t, "text")) })
}

func TestJSONStringEscapesOnlyWhatItMust(t *testing.T) {
	const text = "<é\u2028&>\x7f\b\f\n\r\t\x01\"\\/"
	const want = "\"<é\u2028&>\x7f\\b\\f\\n\\r\\t\\u0001\\\"\\\\/\""
	if got := string(attr.AppendJSONString(nil, text)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
