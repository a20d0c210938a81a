package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/partiql"
)

// ExecuteStatement performs one PartiQL statement.
func (o *Ops) ExecuteStatement(ctx context.Context, in *api.ExecuteStatementInput) (*api.ExecuteStatementOutput, error) {
	b, err := newStatement(*in.Statement, in.Parameters)
	if err != nil {
		return nil, err
	}
	in.Table = b.Table
	switch b.Verb {
	case partiql.Select:
		return o.executeSelect(ctx, in, b)
	case partiql.Exists:
		return nil, bare.refuse(existsOutside)
	default:
		return o.executeWrite(ctx, in, b)
	}
}
