package partiql_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-faster/jx"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/partiql"
)

// statementBytesMax is what a request lets through (semantics §4).
const statementBytesMax = 8192

const fuzzItem = `{"pk":{"S":"k"},"sk":{"S":"s"},"n":{"N":"5"},"s":{"S":"hello"},"l":{"L":[{"N":"0"},{"L":[{"S":"x"}]},{"M":{"k":{"N":"1"}}}]},
	"m":{"M":{"x":{"N":"1"},"l":{"L":[]},"m":{"M":{}}}},"ss":{"SS":["a","c"]},"ns":{"NS":["1","3"]},"nul":{"NULL":true}}`

// addScripts seeds a fuzzer with the lines of the golden scripts, as statements and as conditions.
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
			f.Add(`SELECT * FROM "T" WHERE ` + line)
			f.Add(`UPDATE "T" SET ` + line)
		}
	}
}

// FuzzParse holds that any text is parsed or refused, that what was parsed can be used, and that what it makes of an item is canonical.
func FuzzParse(f *testing.F) {
	addScripts(f)
	item := decode(f, fuzzItem)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > statementBytesMax {
			return
		}
		statement, err := partiql.Parse(text)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		for parameters := []attr.Value{}; len(parameters) < 10; parameters = append(parameters, parameterValues[len(parameters)%len(parameterValues)]) {
			b, err := statement.Bind(parameters)
			if err != nil {
				checkRefusal(t, err)
				continue
			}
			use(t, b, item)
		}
	})
}

var parameterValues = []attr.Value{attr.String("k"), attr.Int(5), attr.Set(attr.SS, []attr.Value{attr.String("a")}), attr.Bool(true), attr.NewList(nil)}

func use(t *testing.T, b *partiql.Bound, item attr.Map) {
	checkCanonical(t, b.Item)
	checkCanonical(t, b.Columns.Apply(item))
	whole := b.Where.Condition().Holds(item)
	b.Where.Condition().Holds(nil)
	pin := b.Where.Pin([]string{"pk", "sk"})
	rest, err := pin.Condition("")
	if err != nil {
		t.Fatalf("the rest of a condition is refused: %v", err)
	}
	// The key and the rest together say what the whole says.
	keyed := true
	for name, value := range pin.Key.All() {
		found, _ := item.Get(name)
		keyed = keyed && attr.Equal(found, value)
	}
	if both := keyed && rest.Holds(item); both != whole {
		t.Errorf("the condition holds: %t, its key and its rest: %t", whole, both)
	}
	branches, err := b.Where.Branches("pk", "sk")
	checkRefusal(t, err)
	if branches != nil && whole && !reaches(branches, item) {
		t.Error("the condition holds outside of all its branches")
	}
	if b.Changes == nil {
		return
	}
	after, err := b.Changes.Apply(item, nil)
	if refused, ok := errors.AsType[*expr.Error](err); err != nil && (!ok || refused.Text == "") {
		t.Errorf("error %v of type %T", err, err)
	}
	checkCanonical(t, after)
	checkCanonical(t, b.Changes.Touched(after))
}

// reaches tells whether an item lies in one of the branches.
func reaches(branches []partiql.Branch, item attr.Map) bool {
	hash, _ := item.Get("pk")
	sort, _ := item.Get("sk")
	for _, branch := range branches {
		within := !branch.Void && attr.Equal(branch.Hash, hash)
		for _, part := range branch.Sort {
			within = within && meets(part, sort)
		}
		if within {
			return true
		}
	}
	return false
}

func meets(part expr.KeyPart, v attr.Value) bool {
	for _, bound := range part.Values {
		if bound.Type() != v.Type() {
			return false
		}
	}
	first := part.Values[0]
	switch part.Op {
	case expr.EQ:
		return attr.Equal(v, first)
	case expr.LT:
		return attr.Compare(v, first) < 0
	case expr.LE:
		return attr.Compare(v, first) <= 0
	case expr.GT:
		return attr.Compare(v, first) > 0
	case expr.GE:
		return attr.Compare(v, first) >= 0
	case expr.Between:
		return attr.Compare(v, first) >= 0 && attr.Compare(v, part.Values[1]) <= 0
	default:
		return strings.HasPrefix(string(v.Str()), string(first.Str()))
	}
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if refused, ok := errors.AsType[*partiql.Error](err); !ok || refused.Text == "" {
		t.Errorf("error %v of type %T", err, err)
	}
}

func checkCanonical(t *testing.T, m attr.Map) {
	t.Helper()
	if len(m) == 0 || m.Fault() != "" {
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
