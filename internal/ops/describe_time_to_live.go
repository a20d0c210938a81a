package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// DescribeTimeToLive tells which attribute ends the life of a table's items. One that is on or off is so at once: ENABLING and DISABLING
// are not seen (semantics §13.3).
func (o *Ops) DescribeTimeToLive(ctx context.Context, in *api.DescribeTimeToLiveInput) (*api.DescribeTimeToLiveOutput, error) {
	name := o.tableName(*in.TableName)
	t, err := o.current(ctx, name)
	if err != nil {
		return nil, err
	}
	if t.State == table.Creating || t.State == table.Deleting {
		return nil, api.NewValidationException("Cannot describe time to live while table is in " + t.State.String() +
			" state: Current table state is " + t.State.String())
	}
	d := &api.TimeToLiveDescription{TimeToLiveStatus: ref(api.TimeToLiveStatusDisabled)}
	if t.TimeToLive != "" {
		d.TimeToLiveStatus, d.AttributeName = ref(api.TimeToLiveStatusEnabled), &t.TimeToLive
	}
	return &api.DescribeTimeToLiveOutput{TimeToLiveDescription: d}, nil
}
