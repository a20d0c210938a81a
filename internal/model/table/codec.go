package table

import (
	"encoding/json"
	"fmt"

	"stator/internal/base/must"
)

// format is the number of the stored form: 2 came with what an older release would lose, such as TimeToLive or Policies. A reader refuses a newer one
// rather than lose members it does not know, and reads every older one, in which they are absent.
const format = 2

type stored struct {
	Format int    `json:"format"`
	Table  *Table `json:"table"`
}

// Encode is t's stored form: JSON with a format number, the value of one attribute of a catalog item.
func (t *Table) Encode() []byte {
	b, err := json.Marshal(stored{Format: format, Table: t})
	must.That(err == nil, "a table cannot be encoded: %v", err)
	return b
}

// Decode reads what Encode wrote. Bytes of another format or without a table are an error.
func Decode(b []byte) (*Table, error) {
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("decoding a table: %w", err)
	}
	if s.Format < 1 || s.Format > format {
		return nil, fmt.Errorf("decoding a table: format %d, this release reads formats 1 to %d", s.Format, format)
	}
	if s.Table == nil || s.Table.Name == "" {
		return nil, fmt.Errorf("decoding a table: the table is missing")
	}
	return s.Table, nil
}
