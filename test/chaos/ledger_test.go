package chaos_test

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ledger is what one writer knows of the items that only it writes. It is the checker of what a server kept: it does not know how the
// items were written, or what happened to the server.
type ledger struct {
	cells map[string]*cell
}

// cell is one item: what the server has acknowledged, last and ever, and the write whose answer never came, if there is one.
type cell struct {
	acked string
	past  []string
	tried *string
}

// absent is the text of an item that is not there.
const absent = ""

func newLedger() *ledger { return &ledger{cells: map[string]*cell{}} }

func (l *ledger) cell(key string) *cell {
	if l.cells[key] == nil {
		l.cells[key] = &cell{}
	}
	return l.cells[key]
}

// try notes a write before it is sent, acknowledge that it was answered. A refused one was never made.
func (l *ledger) try(key, after string) { l.cell(key).tried = &after }

func (l *ledger) acknowledge(key string) {
	c := l.cell(key)
	c.acked, c.tried = *c.tried, nil
	c.past = append(c.past, c.acked)
}

// settle compares what is there with what was acknowledged, key by key, and takes it for the truth from now on. found holds texts by key.
func (l *ledger) settle(found map[string]string) (complaints []string) {
	for _, key := range slices.Sorted(maps.Keys(l.cells)) {
		c := l.cells[key]
		is := found[key]
		switch {
		case is == c.acked:
		case c.tried != nil && is == *c.tried:
		case c.tried != nil:
			complaints = append(complaints, fmt.Sprintf("%s is %q, was acknowledged as %q and may be %q", key, is, c.acked, *c.tried))
		default:
			complaints = append(complaints, fmt.Sprintf("%s is %q and was acknowledged as %q", key, is, c.acked))
		}
		c.acked, c.tried = is, nil
	}
	return complaints
}

// A lost write, half a write, a write come back and one that nobody made are all found; a write whose answer never came may be either way.
func TestLedger(t *testing.T) {
	for _, test := range []struct {
		name  string
		is    string
		wrong bool
	}{
		{"what was acknowledged", "two", false}, {"what was tried", "three", false},
		{"what was overwritten", "one", true}, {"nothing", absent, true}, {"half", "tw", true},
	} {
		l := newLedger()
		for _, text := range []string{"one", "two"} {
			l.try("k", text)
			l.acknowledge("k")
		}
		l.try("k", "three")
		if got := l.settle(map[string]string{"k": test.is}); (len(got) > 0) != test.wrong {
			t.Errorf("%s: %q", test.name, got)
		}
		if got := l.settle(map[string]string{"k": "two"}); test.is == "three" && len(got) == 0 {
			t.Error("a write that was seen is forgotten")
		}
	}
}

// textOf writes an item so that equal items have equal texts.
func textOf(i item) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(i)) {
		b.WriteString(name + "=" + valueText(i[name]) + ";")
	}
	return b.String()
}

func valueText(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return "S" + strconv.Quote(v.Value)
	case *types.AttributeValueMemberN:
		return "N" + v.Value
	case *types.AttributeValueMemberB:
		return "B" + base64.StdEncoding.EncodeToString(v.Value)
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberL:
		var texts []string
		for _, element := range v.Value {
			texts = append(texts, valueText(element))
		}
		return "[" + strings.Join(texts, ",") + "]"
	}
	return fmt.Sprintf("%T", v)
}

// sealed adds the checksum of all other attributes: half an item does not have it.
func sealed(i item) item {
	delete(i, "sum")
	sum := md5.Sum([]byte(textOf(i)))
	i["sum"] = str(hex.EncodeToString(sum[:]))
	return i
}

// whole tells whether an item has its own checksum.
func whole(i item) bool {
	return textOf(sealed(maps.Clone(i))) == textOf(i)
}

func TestSeal(t *testing.T) {
	i := sealed(item{"pk": str("a"), "n": num("1")})
	if !whole(i) {
		t.Error("a sealed item is not whole")
	}
	i["n"] = num("2")
	if whole(i) {
		t.Error("a changed item is whole")
	}
}
