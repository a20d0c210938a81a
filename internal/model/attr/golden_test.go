package attr_test

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/go-faster/jx"

	"stator/internal/model/attr"
)

// TestGolden pins the stored bytes: data on disk outlives every release, so a change here is a change of format.
func TestGolden(t *testing.T) {
	datadriven.RunTest(t, "testdata/bytes", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "map":
			m, err := attr.DecodeMap(jx.DecodeStr(d.Input), nil)
			if err != nil {
				return "mismatch: " + err.Error()
			}
			if fault := attr.Map(m).Fault(); fault != "" {
				return fmt.Sprintf("% x\nfault: %s", m, fault)
			}
			return fmt.Sprintf("% x\nsize %d\n%s", m, attr.Map(m).Size(), attr.Map(m).AppendJSON(nil))
		case "number":
			n, fault := attr.ParseNumber(d.Input)
			if fault != "" {
				return fault
			}
			return fmt.Sprintf("% x\nkey % x\n%s", []byte(n), n.AppendKey(nil), n.Append(nil))
		default:
			t.Fatalf("command %s", d.Cmd)
			return ""
		}
	})
}
