package ops

import (
	"errors"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/partiql"
	"stator/internal/model/table"
)

// A PartiQL statement becomes what the other operations are made of: an INSERT is a put, an UPDATE a change, a DELETE a removal, and a SELECT is a few
// walks. It never becomes a request of another operation: their checks and words are not the same.

// newStatement makes all checks that need only the request. A parameter with a fault in it is told before the statement is looked at.
func newStatement(text string, parameters []attr.Value) (*partiql.Bound, error) {
	if err := checkParameters(parameters); err != nil {
		return nil, err
	}
	s, err := partiql.Parse(text)
	if err != nil {
		return nil, refuseStatement(err)
	}
	b, err := s.Bind(parameters)
	return b, refuseStatement(err)
}

func checkParameters(parameters []attr.Value) error {
	for _, p := range parameters {
		if err := older.checkValue(p); err != nil {
			return err
		}
	}
	return nil
}

// refuseStatement turns a refusal of a statement into an answer; what is no refusal passes.
func refuseStatement(err error) error {
	if refused, ok := errors.AsType[*partiql.Error](err); ok {
		return bare.refuse(refused.Text)
	}
	return err
}

const existsOutside = "EXISTS can only be used in ExecuteTransaction write requests."

// onlyItem is the key that a write's condition names.
func onlyItem(where *partiql.Where, t *table.Table) (partiql.Pin, error) {
	pin := where.Pin(t.Key.Names())
	switch {
	case pin.Key.Len() < t.Key.Len():
		return pin, api.NewValidationException("Where clause does not contain a mandatory equality on all key attributes")
	case pin.Conflict != "":
		return pin, api.NewValidationException("Multiple conditions on same key " + pin.Conflict +
			". Only single item Update/Insert/Delete are supported")
	}
	return pin, nil
}

// sortName is the name of a key's sort attribute, "" when it has none. PartiQL reads no index with several.
func sortName(key table.Key) string {
	if len(key.Range) == 0 {
		return ""
	}
	return key.Range[0].Name
}
