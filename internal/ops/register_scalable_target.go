package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/scaling"
)

// RegisterScalableTarget says within which bounds the units of a table or index may be scaled, or says it anew. Units outside of them are
// brought within them at once.
func (s autoScaling) RegisterScalableTarget(
	ctx context.Context, in *api.RegisterScalableTargetRequest,
) (*api.RegisterScalableTargetResponse, error) {
	id, err := scalable{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}.id()
	if err != nil {
		return nil, err
	}
	if err := s.o.checkScalable(ctx, id); err != nil {
		return nil, err
	}
	var arn string
	err = s.o.catalog.UpdateScalingTarget(ctx, id, func(t *scaling.Target) (*scaling.Target, error) {
		if t == nil {
			if in.MinCapacity == nil || in.MaxCapacity == nil {
				return nil, api.NewAutoScalingValidationException("MinCapacity and MaxCapacity must be specified to register a scalable target")
			}
			t, err = s.o.newTarget(id)
		} else {
			t = t.Clone()
		}
		if err != nil {
			return nil, err
		}
		arn = s.o.targetARN(t)
		return t, register(t, in)
	})
	if err != nil {
		return nil, err
	}
	return &api.RegisterScalableTargetResponse{ScalableTargetARN: &arn}, nil
}

// register changes what was sent of a target.
func register(t *scaling.Target, in *api.RegisterScalableTargetRequest) error {
	if text := t.SetBounds(in.MinCapacity, in.MaxCapacity); text != "" {
		return api.NewAutoScalingValidationException(text)
	}
	if in.RoleARN != nil {
		t.Role = *in.RoleARN
	}
	if sent := in.SuspendedState; sent != nil {
		for _, m := range []struct {
			sent *bool
			into *bool
		}{
			{sent.DynamicScalingInSuspended, &t.Suspended.In}, {sent.DynamicScalingOutSuspended, &t.Suspended.Out},
			{sent.ScheduledScalingSuspended, &t.Suspended.Scheduled},
		} {
			if m.sent != nil {
				*m.into = *m.sent
			}
		}
	}
	return tagTarget(t, in.Tags)
}

// DescribeScalableTargets lists what is registered, by resource and dimension.
func (s autoScaling) DescribeScalableTargets(
	ctx context.Context, in *api.DescribeScalableTargetsRequest,
) (*api.DescribeScalableTargetsResponse, error) {
	found, err := s.targets(ctx, filter{namespace: in.ServiceNamespace, resources: in.ResourceIds, dimension: in.ScalableDimension})
	if err != nil {
		return nil, err
	}
	list := make([]api.ScalableTarget, len(found))
	for i, t := range found {
		list[i] = api.ScalableTarget{
			ServiceNamespace: ref(api.ServiceNamespaceDynamodb), ResourceId: ref(t.Resource()), ScalableDimension: ref(t.Dimension()),
			MinCapacity: &t.Min, MaxCapacity: &t.Max, RoleARN: ref(s.o.roleARN(t)), CreationTime: seconds(t.CreatedMillis),
			ScalableTargetARN: ref(s.o.targetARN(t)),
			SuspendedState: &api.SuspendedState{
				DynamicScalingInSuspended: &t.Suspended.In, DynamicScalingOutSuspended: &t.Suspended.Out,
				ScheduledScalingSuspended: &t.Suspended.Scheduled,
			},
		}
	}
	key := func(t api.ScalableTarget) string { return *t.ResourceId + " " + *t.ScalableDimension }
	out := &api.DescribeScalableTargetsResponse{}
	out.ScalableTargets, out.NextToken, err = pageOf(list, key, in.NextToken, in.MaxResults)
	return out, err
}

// DeregisterScalableTarget ends the scaling of something, with its policy and scheduled actions. Its units stay as they are.
func (s autoScaling) DeregisterScalableTarget(
	ctx context.Context, in *api.DeregisterScalableTargetRequest,
) (*api.DeregisterScalableTargetResponse, error) {
	id, err := scalable{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}.id()
	if err != nil {
		return nil, err
	}
	err = s.o.catalog.UpdateScalingTarget(ctx, id, func(t *scaling.Target) (*scaling.Target, error) {
		if t == nil {
			return nil, unknown("scalable target", id)
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	return &api.DeregisterScalableTargetResponse{}, nil
}
