package ops

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/model/api"
	"stator/internal/model/table"
)

// DeleteTable puts a table in state DELETING. A job removes its items and then its name.
func (o *Ops) DeleteTable(ctx context.Context, in *api.DeleteTableInput) (*api.DeleteTableOutput, error) {
	name := o.tableName(*in.TableName)
	t, err := o.changeTable(ctx, name, deletedTable)
	if err != nil {
		return nil, err
	}
	d, err := o.describe(ctx, t)
	if err != nil {
		return nil, err
	}
	// A table on its way out is described without its shape (semantics §20.11).
	d.KeySchema, d.AttributeDefinitions, d.CreationDateTime, d.WarmThroughput = nil, nil, nil, nil
	d.LocalSecondaryIndexes, d.GlobalSecondaryIndexes = nil, nil
	o.catalog.Await(ctx, t)
	return &api.DeleteTableOutput{TableDescription: d}, nil
}

func deletedTable(t *table.Table) (*table.Table, error) {
	if t.DeletionProtection {
		return nil, api.NewValidationException(
			"Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	switch {
	case t.State == table.Creating || t.State == table.Deleting:
		return nil, tableBusy(t)
	case !t.Settled():
		return nil, api.NewResourceInUseException(inUse + "Cannot delete table while indexes are being created, updated, or deleted.")
	case t.State == table.Updating:
		return nil, api.NewResourceInUseException(inUse + "Table: " + t.Name + " is in the process of being updated.")
	}
	c := t.Clone()
	c.State = table.Deleting
	return c, nil
}

// changeTable performs a change in the catalog. An API error of the change comes back as it is.
func (o *Ops) changeTable(ctx context.Context, name string, change Change) (*table.Table, error) {
	t, err := o.catalog.Update(ctx, name, change)
	var refused *api.Error
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, catalog.ErrMissing):
		return nil, o.tableMissing(name)
	case errors.As(err, &refused):
		return nil, refused
	default:
		return nil, fmt.Errorf("changing table %s: %w", name, err)
	}
}
