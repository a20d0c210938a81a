package conformance_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Contributor insights are turned on, seen to be on by the SDK's own waiter, listed, and turned off.
func TestContributorInsights(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	status := func() *dynamodb.DescribeContributorInsightsOutput {
		t.Helper()
		out, err := c.DescribeContributorInsights(ctx, &dynamodb.DescribeContributorInsightsInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	update := func(action types.ContributorInsightsAction, want types.ContributorInsightsStatus) {
		t.Helper()
		out, err := c.UpdateContributorInsights(ctx, &dynamodb.UpdateContributorInsightsInput{TableName: &table, ContributorInsightsAction: action})
		if err != nil || out.ContributorInsightsStatus != want {
			t.Fatalf("%+v, %v, want %s", out, err, want)
		}
	}
	if out := status(); out.ContributorInsightsStatus != types.ContributorInsightsStatusDisabled || out.LastUpdateDateTime != nil || out.ContributorInsightsMode != "" {
		t.Errorf("of a new table: %+v", out)
	}
	update(types.ContributorInsightsActionEnable, types.ContributorInsightsStatusEnabling)
	waiter := dynamodb.NewContributorInsightsEnabledWaiter(c.Client, func(o *dynamodb.ContributorInsightsEnabledWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 200*time.Millisecond
	})
	if err := waiter.Wait(ctx, &dynamodb.DescribeContributorInsightsInput{TableName: &table}, time.Minute); err != nil {
		t.Fatal(err)
	}
	out := status()
	if len(out.ContributorInsightsRuleList) != 4 || out.ContributorInsightsMode != types.ContributorInsightsModeAccessedAndThrottledKeys {
		t.Errorf("turned on: %+v", out)
	}
	update(types.ContributorInsightsActionEnable, types.ContributorInsightsStatusEnabled)
	listed, err := c.ListContributorInsights(ctx, &dynamodb.ListContributorInsightsInput{TableName: &table})
	if err != nil || len(listed.ContributorInsightsSummaries) != 1 || aws.ToString(listed.ContributorInsightsSummaries[0].TableName) != table {
		t.Errorf("listed are %+v, %v", listed, err)
	}
	update(types.ContributorInsightsActionDisable, types.ContributorInsightsStatusDisabling)
}
