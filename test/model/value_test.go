package model_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// value is a scalar as the model knows it: its type's letter with a string's or binary's bytes, or a number's canonical text.
type value struct{ kind, text string }

// item maps attribute names to values.
type item map[string]value

// domains are few values of each type, chosen to lie close together where an encoding could confuse them.
var domains = map[string][]string{
	"S": {"a", "ab", "b", "ab\x00", "ab\x00\x01", "\x00", "é", "\uffff"},
	"N": {"-12.5", "-5", "-0.001", "0", "0.5", "1", "2", "10", "100", "1000000000000000000000"},
	"B": {"\x00", "\x00\x00", "\x00\x01", "\x01", "\xff", "\xff\x00", "ab"},
}

// kinds are the types that keys may have.
var kinds = []string{"B", "N", "S"}

// anyOf draws a value of a type, out of the first few of its domain.
func anyOf(t *rapid.T, kind string, few int, label string) value {
	return value{kind, rapid.SampledFrom(domains[kind][:min(few, len(domains[kind]))]).Draw(t, label)}
}

func number(n int64) value { return value{"N", fmt.Sprint(n)} }

// compare orders two values of one type.
func compare(a, b value) int {
	if a.kind != "N" {
		return cmp.Compare(a.text, b.text)
	}
	x, _ := new(big.Rat).SetString(a.text)
	y, _ := new(big.Rat).SetString(b.text)
	return x.Cmp(y)
}

// MarshalJSON writes {"S":"..."}.
func (v value) MarshalJSON() ([]byte, error) {
	text := v.text
	if v.kind == "B" {
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return json.Marshal(map[string]string{v.kind: text})
}

// UnmarshalJSON reads a scalar.
func (v *value) UnmarshalJSON(b []byte) error {
	var members map[string]string
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	for kind, text := range members {
		if kind == "B" {
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return err
			}
			text = string(raw)
		}
		*v = value{kind, text}
	}
	return nil
}

// only is the part of an item with these attributes.
func (i item) only(names []string) item {
	part := item{}
	for _, name := range names {
		if v, ok := i[name]; ok {
			part[name] = v
		}
	}
	return part
}

// tuple is the values of some attributes; ok is false when one is missing or of another type.
func (i item) tuple(columns []column) (values []value, ok bool) {
	for _, c := range columns {
		v, has := i[c.name]
		if !has || v.kind != c.kind {
			return nil, false
		}
		values = append(values, v)
	}
	return values, true
}

// String is the item in a form that equal items share.
func (i item) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(i)) {
		text := i[name].text
		if len(text) > 20 {
			text = fmt.Sprintf("%s... (%d)", text[:5], len(text))
		}
		fmt.Fprintf(&b, "%s=%s:%q ", name, i[name].kind, text)
	}
	return b.String()
}

func compareTuples(a, b []value) int { return slices.CompareFunc(a, b, compare) }
