package ops

import (
	"context"
	"slices"

	"stator/internal/model/api"
)

// tablesPageMax bounds a page of ListTables, whatever Limit says.
const tablesPageMax = 100

// ListTables pages through the names of all tables in byte order, whatever their state.
func (o *Ops) ListTables(ctx context.Context, in *api.ListTablesInput) (*api.ListTablesOutput, error) {
	limit := tablesPageMax
	if in.Limit != nil {
		limit = min(limit, int(*in.Limit))
	}
	names := o.names(ctx)
	if in.ExclusiveStartTableName != nil {
		at, found := slices.BinarySearch(names, *in.ExclusiveStartTableName)
		if found {
			at++
		}
		names = names[at:]
	}
	out := &api.ListTablesOutput{TableNames: []string{}}
	if len(names) > limit {
		names = names[:limit]
		out.LastEvaluatedTableName = ref(names[limit-1])
	}
	out.TableNames = append(out.TableNames, names...)
	return out, nil
}

// names are those of all tables as they are since the call. Where the catalog cannot ask, what it knows has to do.
func (o *Ops) names(ctx context.Context) []string {
	_ = o.catalog.Sync(ctx)
	return o.catalog.Names()
}
