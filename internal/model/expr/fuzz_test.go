package expr_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-faster/jx"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

var (
	fuzzNames  = map[string]string{"#a": "a", "#b": "b", "#l": "l", "#m": "m", "#dot": "a.b"}
	fuzzValues = decodeMap(`{":a":{"S":"a"},":b":{"S":"b"},":n":{"N":"1"},":l":{"L":[{"N":"1"}]},":m":{"M":{"k":{"S":"v"}}},":ss":{"SS":["a","b"]},
		":ns":{"NS":["1","2"]},":bs":{"BS":["YQ=="]},":t":{"BOOL":true},":z":{"NULL":true},":v":{"S":"v"},":type":{"S":"S"}}`)
	fuzzItem = decodeMap(`{"pk":{"S":"k"},"a":{"S":"hello"},"b":{"N":"5"},"l":{"L":[{"N":"0"},{"L":[{"S":"x"}]},{"M":{"k":{"N":"1"}}}]},
		"m":{"M":{"a":{"N":"1"},"l":{"L":[]},"m":{"M":{}}}},"s":{"SS":["a","c"]},"n":{"NS":["1","3"]},"a.b":{"N":"7"}}`)
)

func decodeMap(text string) attr.Map {
	m, err := attr.DecodeMap(jx.DecodeStr(text), nil)
	if err != nil {
		panic(err)
	}
	return m
}

// addScripts seeds a fuzzer with the lines of the golden scripts.
func addScripts(f *testing.F) {
	files, err := filepath.Glob("testdata/scripts/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no scripts", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.SplitSeq(string(content), "\n") {
			f.Add(line)
		}
	}
}

// FuzzParse holds that any text is parsed or refused, by every grammar, and that what was parsed can be evaluated.
func FuzzParse(f *testing.F) {
	addScripts(f)
	f.Fuzz(func(t *testing.T, text string) {
		n := expr.NewNames(fuzzNames, fuzzValues)
		c, err := expr.ParseCondition(expr.FilterExpression, text, n)
		checkRefusal(t, err)
		if err == nil {
			again, err := expr.ParseCondition(expr.FilterExpression, text, n)
			if err != nil || c.Holds(fuzzItem) != again.Holds(fuzzItem) {
				t.Errorf("the cached tree differs: %v", err)
			}
			c.Holds(nil)
		}
		p, err := expr.ParseProjection(text, n)
		checkRefusal(t, err)
		if err == nil {
			checkCanonical(t, p.Apply(fuzzItem))
		}
		k, err := expr.ParseKeyCondition(text, n)
		checkRefusal(t, err)
		if err == nil {
			checkRefusal(t, k.Check())
		}
		_, err = expr.ParseSearchCondition(text, n)
		checkRefusal(t, err)
	})
}

// FuzzUpdate holds that what an update makes of an item is canonical: decoding its JSON gives the same bytes.
func FuzzUpdate(f *testing.F) {
	addScripts(f)
	f.Fuzz(func(t *testing.T, text string) {
		u, err := expr.ParseUpdate(text, expr.NewNames(fuzzNames, fuzzValues))
		checkRefusal(t, err)
		if err != nil {
			return
		}
		before := fuzzItem.Clone()
		after, err := u.Apply(before, nil)
		checkRefusal(t, err)
		if string(before) != string(fuzzItem) {
			t.Error("the item before was written into")
		}
		if err == nil {
			checkCanonical(t, after)
			checkCanonical(t, u.Touched(after))
			u.WriteCost()
		}
		created, err := u.Apply(nil, attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("k")}}))
		checkRefusal(t, err)
		if err == nil && u.CreatesItem() {
			checkCanonical(t, created)
		}
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if refused, ok := errors.AsType[*expr.Error](err); !ok || refused.Text == "" {
		t.Errorf("error %v of type %T", err, err)
	}
}

func checkCanonical(t *testing.T, m attr.Map) {
	t.Helper()
	if len(m) == 0 {
		return
	}
	if err := attr.CheckMap(m); err != nil {
		t.Errorf("%x: %v", []byte(m), err)
	}
	again, err := attr.DecodeMap(jx.DecodeBytes(m.AppendJSON(nil)), nil)
	if err != nil || string(again) != string(m) {
		t.Errorf("not canonical: %s\n%x\n%x", m.AppendJSON(nil), []byte(m), again)
	}
}
