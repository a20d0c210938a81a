package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// DescribeContinuousBackups describes a table as one that cannot be recovered to a point in time, which is DynamoDB's word of a table where
// nobody has asked for that. ENABLED is no more than its word of any table that is there (semantics §17.7).
func (o *Ops) DescribeContinuousBackups(
	ctx context.Context, in *api.DescribeContinuousBackupsInput,
) (*api.DescribeContinuousBackupsOutput, error) {
	t, err := o.backedUp(ctx, *in.TableName)
	if err != nil {
		return nil, err
	}
	return &api.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: continuousBackups(t)}, nil
}

// UpdateContinuousBackups turns off what is off, and refuses to turn it on.
func (o *Ops) UpdateContinuousBackups(
	ctx context.Context, in *api.UpdateContinuousBackupsInput,
) (*api.UpdateContinuousBackupsOutput, error) {
	wanted := in.PointInTimeRecoverySpecification
	if !*wanted.PointInTimeRecoveryEnabled && wanted.RecoveryPeriodInDays != nil {
		return nil, api.NewValidationException("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.")
	}
	t, err := o.backedUp(ctx, *in.TableName)
	if err != nil {
		return nil, err
	}
	if t.State == table.Creating {
		return nil, api.NewContinuousBackupsUnavailableException("Backups are being enabled for the table: " + t.Name + ". Please retry later")
	}
	if err := checkSupported(sentMember{refusedRecoveries, *wanted.PointInTimeRecoveryEnabled}); err != nil {
		return nil, err
	}
	return &api.UpdateContinuousBackupsOutput{ContinuousBackupsDescription: continuousBackups(t)}, nil
}

// backedUp finds a table by its name or ARN. That of a missing one has an exception of its own among operations on backups.
func (o *Ops) backedUp(ctx context.Context, sent string) (*table.Table, error) {
	return o.present(ctx, o.tableName(sent), func(name string) error {
		if err := o.elsewhere(name); err != nil {
			return err
		}
		return api.NewTableNotFoundException("Table not found: " + name)
	})
}

func continuousBackups(t *table.Table) *api.ContinuousBackupsDescription {
	status := api.ContinuousBackupsStatusEnabled
	if t.State == table.Creating {
		status = api.ContinuousBackupsStatusDisabled
	}
	return &api.ContinuousBackupsDescription{
		ContinuousBackupsStatus: &status,
		PointInTimeRecoveryDescription: &api.PointInTimeRecoveryDescription{
			PointInTimeRecoveryStatus: ref(api.PointInTimeRecoveryStatusDisabled),
		},
	}
}
