package conformance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Tools ask every table whether it can be recovered to a point in time, and turn that off where nobody wants it.
func TestNoTableIsRecoveredToAPointInTime(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	wantDisabled := func(d *types.ContinuousBackupsDescription) {
		t.Helper()
		wantText(t, "continuous backups", string(d.ContinuousBackupsStatus), "ENABLED")
		wantText(t, "recovery", string(d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus), "DISABLED")
		if d.PointInTimeRecoveryDescription.RecoveryPeriodInDays != nil {
			t.Errorf("it has a period of %d days", *d.PointInTimeRecoveryDescription.RecoveryPeriodInDays)
		}
	}
	described, err := c.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &table})
	check(t, err)
	wantDisabled(described.ContinuousBackupsDescription)
	_, err = c.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String("no-such-table")})
	wantError(t, err, "TableNotFoundException", "Table not found: no-such-table")

	turn := func(table string, on bool, days *int32) (*types.ContinuousBackupsDescription, error) {
		out, err := c.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
			TableName:                        &table,
			PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: &on, RecoveryPeriodInDays: days},
		})
		if err != nil {
			return nil, err
		}
		return out.ContinuousBackupsDescription, nil
	}
	off, err := turn(table, false, nil)
	check(t, err)
	wantDisabled(off)
	_, err = turn(table, true, nil)
	wantError(t, err, "ValidationException", "Recoveries to a point in time are not supported yet by this server")
	_, err = turn("no-such-table", true, nil)
	wantError(t, err, "TableNotFoundException", "Table not found: no-such-table")
	_, err = turn("no-such-table", false, aws.Int32(7))
	wantError(t, err, "ValidationException", "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.")
	_, err = turn(table, true, aws.Int32(36))
	wantError(t, err, "ValidationException", "Member must have value less than or equal to 35")
}
