package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// UpdateTimeToLive says which attribute ends the life of a table's items, or that none does. It is described at once; partitions act on it
// as they adopt it, and enter the items that are there already in their indexes of expiry meanwhile. It goes on beside a table's change.
//
// DynamoDB refuses a second change within about an hour (errors.json ttl-twice). What that protects is its own fleet: here a change costs
// one walk over one's own table, so it is let through.
func (o *Ops) UpdateTimeToLive(ctx context.Context, in *api.UpdateTimeToLiveInput) (*api.UpdateTimeToLiveOutput, error) {
	wanted := in.TimeToLiveSpecification
	_, err := o.changeTable(ctx, o.tableName(*in.TableName), func(t *table.Table) (*table.Table, error) {
		switch t.State {
		case table.Creating:
			return nil, api.NewResourceInUseException(inUse + "Table " + t.Name + " is being created")
		case table.Deleting:
			return nil, tableBusy(t)
		}
		if text := timeToLiveRefusal(t.TimeToLive, wanted); text != "" {
			return nil, api.NewValidationException(text)
		}
		c := t.Clone()
		c.TimeToLive = ""
		if *wanted.Enabled {
			c.TimeToLive = *wanted.AttributeName
		}
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateTimeToLiveOutput{TimeToLiveSpecification: wanted}, nil
}

// timeToLiveRefusal is the text for why a setting cannot follow the present one, whose attribute is "" when it is off (semantics §13.3).
func timeToLiveRefusal(active string, wanted *api.TimeToLiveSpecification) string {
	switch {
	case active == "" && !*wanted.Enabled:
		return "TimeToLive is already disabled"
	case active != "" && active != *wanted.AttributeName:
		return "TimeToLive is active on a different AttributeName: current AttributeName is " + active
	case active != "" && *wanted.Enabled:
		return "TimeToLive is already enabled"
	}
	return ""
}
