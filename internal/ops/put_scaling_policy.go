package ops

import (
	"context"
	"slices"

	"stator/internal/model/api"
	"stator/internal/model/scaling"
)

// PutScalingPolicy gives a target its policy, or changes it. A table's units can only track their own consumption, so that there is one
// policy at most.
func (s autoScaling) PutScalingPolicy(ctx context.Context, in *api.PutScalingPolicyRequest) (*api.PutScalingPolicyResponse, error) {
	id, err := scalable{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}.id()
	if err != nil {
		return nil, err
	}
	if err := checkPolicy(id, in); err != nil {
		return nil, err
	}
	out := &api.PutScalingPolicyResponse{}
	err = s.update(ctx, id, unregistered(id), func(t *scaling.Target) error {
		if t.Policy != nil && t.Policy.Name != *in.PolicyName {
			return api.NewAutoScalingValidationException("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
		}
		sent := in.TargetTrackingScalingPolicyConfiguration
		err := s.o.putPolicy(t, scaling.Policy{
			Name: *in.PolicyName, Target: *sent.TargetValue, OutCooldown: sent.ScaleOutCooldown, InCooldown: sent.ScaleInCooldown,
			DisableIn: sent.DisableScaleIn,
		})
		if err == nil {
			out.PolicyARN, out.Alarms = ref(s.o.policyARN(id, t.Policy)), s.o.alarms(id, t.Policy)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// checkPolicy refuses every policy but one that tracks how much of the provisioned units is consumed.
func checkPolicy(id scaling.ID, in *api.PutScalingPolicyRequest) error {
	refuse := api.NewAutoScalingValidationException
	sent := in.TargetTrackingScalingPolicyConfiguration
	switch kind := value(in.PolicyType); {
	case kind != api.PolicyTypeTargetTrackingScaling && (kind != "" || sent == nil):
		if kind == "" {
			kind = api.PolicyTypeStepScaling
		}
		return refuse(kind + " policies are not supported for service namespace dynamodb: use " + api.PolicyTypeTargetTrackingScaling)
	case sent == nil:
		return refuse("TargetTrackingScalingPolicyConfiguration must be specified for policy type " + kind)
	case in.StepScalingPolicyConfiguration != nil || in.PredictiveScalingPolicyConfiguration != nil:
		return refuse("Only TargetTrackingScalingPolicyConfiguration may be specified for policy type " + api.PolicyTypeTargetTrackingScaling)
	case sent.CustomizedMetricSpecification != nil:
		return refuse("CustomizedMetricSpecification is not supported by this server: it keeps no metrics of CloudWatch")
	case sent.PredefinedMetricSpecification == nil:
		return refuse("PredefinedMetricSpecification must be specified")
	}
	if metric := *sent.PredefinedMetricSpecification.PredefinedMetricType; metric != id.Metric() {
		return refuse("Predefined metric type " + metric + " is not supported for scalable dimension " + id.Dimension())
	}
	if text := id.CheckTarget(*sent.TargetValue); text != "" {
		return refuse(text)
	}
	return nil
}

// alarms are what a policy would have in CloudWatch.
func (o *Ops) alarms(id scaling.ID, p *scaling.Policy) []api.Alarm {
	var alarms []api.Alarm
	for _, name := range p.Alarms(id) {
		alarms = append(alarms, api.Alarm{AlarmName: &name, AlarmARN: ref(o.arn("cloudwatch", "alarm:"+name))})
	}
	return alarms
}

// DescribeScalingPolicies lists the policies of targets.
func (s autoScaling) DescribeScalingPolicies(
	ctx context.Context, in *api.DescribeScalingPoliciesRequest,
) (*api.DescribeScalingPoliciesResponse, error) {
	found, err := s.targets(ctx, filter{namespace: in.ServiceNamespace, resource: in.ResourceId, dimension: in.ScalableDimension})
	if err != nil {
		return nil, err
	}
	list := []api.ScalingPolicy{}
	for _, t := range found {
		if t.Policy != nil && (in.PolicyNames == nil || slices.Contains(in.PolicyNames, t.Policy.Name)) {
			list = append(list, s.describePolicy(t.ID, t.Policy))
		}
	}
	key := func(p api.ScalingPolicy) string { return *p.ResourceId + " " + *p.ScalableDimension }
	out := &api.DescribeScalingPoliciesResponse{}
	out.ScalingPolicies, out.NextToken, err = pageOf(list, key, in.NextToken, in.MaxResults)
	return out, err
}

func (s autoScaling) describePolicy(id scaling.ID, p *scaling.Policy) api.ScalingPolicy {
	return api.ScalingPolicy{
		PolicyARN: ref(s.o.policyARN(id, p)), PolicyName: &p.Name, ServiceNamespace: ref(api.ServiceNamespaceDynamodb),
		ResourceId: ref(id.Resource()), ScalableDimension: ref(id.Dimension()), PolicyType: ref(api.PolicyTypeTargetTrackingScaling),
		CreationTime: seconds(p.CreatedMillis), Alarms: s.o.alarms(id, p),
		TargetTrackingScalingPolicyConfiguration: &api.TargetTrackingScalingPolicyConfiguration{
			TargetValue: &p.Target, ScaleOutCooldown: p.OutCooldown, ScaleInCooldown: p.InCooldown, DisableScaleIn: p.DisableIn,
			PredefinedMetricSpecification: &api.PredefinedMetricSpecification{PredefinedMetricType: ref(id.Metric())},
		},
	}
}

// DeleteScalingPolicy takes its policy from a target, which keeps its bounds.
func (s autoScaling) DeleteScalingPolicy(
	ctx context.Context, in *api.DeleteScalingPolicyRequest,
) (*api.DeleteScalingPolicyResponse, error) {
	id, err := scalable{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}.id()
	if err != nil {
		return nil, err
	}
	missing := api.NewObjectNotFoundException("No scaling policy found for " + named(id) + ", policy name: " + *in.PolicyName)
	err = s.update(ctx, id, missing, func(t *scaling.Target) error {
		if t.Policy == nil || t.Policy.Name != *in.PolicyName {
			return missing
		}
		t.Policy = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteScalingPolicyResponse{}, nil
}

// GetPredictiveScalingForecast has nothing to tell: DynamoDB's units are not scaled by forecasts, here as there.
func (s autoScaling) GetPredictiveScalingForecast(
	_ context.Context, in *api.GetPredictiveScalingForecastRequest,
) (*api.GetPredictiveScalingForecastResponse, error) {
	id, err := scalable{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}.id()
	if err != nil {
		return nil, err
	}
	return nil, api.NewAutoScalingValidationException("There is no forecast for " + id.Resource() + ": " + api.PolicyTypePredictiveScaling +
		" policies are not supported for service namespace dynamodb")
}
