package conformance_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"stator/test/sdk"
)

const (
	readUnits  = scaling.ScalableDimensionDynamoDBTableReadCapacityUnits
	writeUnits = scaling.ScalableDimensionDynamoDBTableWriteCapacityUnits
)

// scaled is the SDK's client of Application Auto Scaling, with a provisioned table.
func scaled(t *testing.T) (client, *applicationautoscaling.Client, string) {
	t.Helper()
	c := connect(t)
	name := c.table(func(in *dynamodb.CreateTableInput) {
		in.BillingMode = types.BillingModeProvisioned
		in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(5)}
	})
	return c, sdk.NewScaling(endpoint), name
}

func register(t *testing.T, s *applicationautoscaling.Client, name string, lower, upper int32) {
	t.Helper()
	_, err := s.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name), ScalableDimension: readUnits,
		MinCapacity: aws.Int32(lower), MaxCapacity: aws.Int32(upper),
	})
	check(t, err)
}

func (c client) reads(name string) int64 {
	c.t.Helper()
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	check(c.t, err)
	return *out.Table.ProvisionedThroughput.ReadCapacityUnits
}

// A minimum above what is provisioned has its effect without anybody asking for more, and is told of.
func TestScalingBounds(t *testing.T) {
	c, s, name := scaled(t)
	register(t, s, name, 10, 20)
	c.eventually("the table has 10 units", func() bool { return c.reads(name) == 10 })
	var done []scaling.ScalingActivity
	c.eventually("the activity is listed", func() bool {
		out, err := s.DescribeScalingActivities(ctx, &applicationautoscaling.DescribeScalingActivitiesInput{
			ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name), ScalableDimension: readUnits,
		})
		check(t, err)
		done = out.ScalingActivities
		return len(done) > 0
	})
	wantText(t, "description", *done[0].Description, "Setting read capacity units to 10.")
	wantText(t, "cause", *done[0].Cause, "minimum capacity was set to 10")
	wantText(t, "status", string(done[0].StatusCode), "Successful")
}

// A scheduled action sets the bounds when its time has come.
func TestScheduledAction(t *testing.T) {
	c, s, name := scaled(t)
	register(t, s, name, 1, 20)
	// One whose time has come before it is there is never done: on a slow machine it takes several.
	for at := time.Now(); !time.Now().Before(at); {
		at = time.Now().Add(2 * time.Second).UTC().Truncate(time.Second)
		_, err := s.PutScheduledAction(ctx, &applicationautoscaling.PutScheduledActionInput{
			ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name), ScalableDimension: readUnits,
			ScheduledActionName: aws.String("soon"), Schedule: aws.String("at(" + at.Format("2006-01-02T15:04:05") + ")"),
			ScalableTargetAction: &scaling.ScalableTargetAction{MinCapacity: aws.Int32(7)},
		})
		check(t, err)
	}
	c.eventually("the table has 7 units", func() bool { return c.reads(name) == 7 })
	out, err := s.DescribeScheduledActions(ctx, &applicationautoscaling.DescribeScheduledActionsInput{
		ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name),
	})
	check(t, err)
	if len(out.ScheduledActions) != 1 || *out.ScheduledActions[0].ScalableTargetAction.MinCapacity != 7 {
		t.Errorf("actions %+v", out.ScheduledActions)
	}
}

// A policy comes back as it was put, by either service.
func TestScalingPolicy(t *testing.T) {
	c, s, name := scaled(t)
	put := func(name string, percent float64) error {
		_, err := s.PutScalingPolicy(ctx, &applicationautoscaling.PutScalingPolicyInput{
			PolicyName: aws.String("track"), PolicyType: scaling.PolicyTypeTargetTrackingScaling,
			ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name), ScalableDimension: readUnits,
			TargetTrackingScalingPolicyConfiguration: &scaling.TargetTrackingScalingPolicyConfiguration{
				TargetValue: &percent, ScaleInCooldown: aws.Int32(60),
				PredefinedMetricSpecification: &scaling.PredefinedMetricSpecification{PredefinedMetricType: scaling.MetricTypeDynamoDBReadCapacityUtilization},
			},
		})
		return err
	}
	wantError(t, put(name, 70), "ObjectNotFoundException", "No scalable target registered for service namespace: dynamodb, resource ID: table/"+name)
	register(t, s, name, 5, 20)
	check(t, put(name, 70))
	wantError(t, put(name, 95), "ValidationException", "target value must be between", "but was '95.0'")

	policies, err := s.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{
		ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name),
	})
	check(t, err)
	if len(policies.ScalingPolicies) != 1 || *policies.ScalingPolicies[0].TargetTrackingScalingPolicyConfiguration.TargetValue != 70 {
		t.Errorf("policies %+v", policies.ScalingPolicies)
	}
	described, err := c.DescribeTableReplicaAutoScaling(ctx, &dynamodb.DescribeTableReplicaAutoScalingInput{TableName: &name})
	check(t, err)
	settings := described.TableAutoScalingDescription.Replicas[0].ReplicaProvisionedReadCapacityAutoScalingSettings
	if *settings.MinimumUnits != 5 || *settings.ScalingPolicies[0].TargetTrackingScalingPolicyConfiguration.ScaleInCooldown != 60 {
		t.Errorf("settings %+v", settings)
	}

	_, err = s.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name), ScalableDimension: writeUnits,
	})
	wantError(t, err, "ObjectNotFoundException", "No scalable target found")
	_, err = s.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name), ScalableDimension: readUnits,
	})
	check(t, err)
	targets, err := s.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{
		ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceIds: []string{"table/" + name},
	})
	check(t, err)
	if len(targets.ScalableTargets) != 0 {
		t.Errorf("targets %+v", targets.ScalableTargets)
	}
}
