package ops

import (
	"context"
	"slices"

	"stator/internal/model/api"
	"stator/internal/model/scaling"
)

// scheduledActionsMax bounds the scheduled actions of one target.
const scheduledActionsMax = 200

// PutScheduledAction has the bounds of a target change at times. Of an action that is there the schedule stays if none is sent; whatever
// else is not sent goes.
func (s autoScaling) PutScheduledAction(ctx context.Context, in *api.PutScheduledActionRequest) (*api.PutScheduledActionResponse, error) {
	id, err := scalable{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}.id()
	if err != nil {
		return nil, err
	}
	err = s.update(ctx, id, unregistered(id), func(t *scaling.Target) error {
		a := scaling.Action{Name: *in.ScheduledActionName, CreatedMillis: s.o.now().UnixMilli()}
		if known, ok := t.Action(a.Name); ok {
			a.Key, a.Schedule = known.Key, known.Schedule
		} else if a.Key, err = newUUID(s.o.account.Random); err != nil {
			return err
		}
		if err := scheduleAction(&a, in); err != nil {
			return err
		}
		t.PutAction(a)
		if len(t.Actions) > scheduledActionsMax {
			return api.NewAutoScalingLimitExceededException("The number of scheduled actions for a scalable target is limited to 200")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.PutScheduledActionResponse{}, nil
}

// scheduleAction gives an action what was sent.
func scheduleAction(a *scaling.Action, in *api.PutScheduledActionRequest) error {
	refuse := api.NewAutoScalingValidationException
	if in.Schedule != nil {
		a.Schedule = *in.Schedule
	}
	a.Timezone = value(in.Timezone)
	a.StartMillis, a.EndMillis = millis(in.StartTime), millis(in.EndTime)
	if sent := in.ScalableTargetAction; sent != nil {
		a.Min, a.Max = sent.MinCapacity, sent.MaxCapacity
	}
	switch {
	case a.Schedule == "":
		return refuse("Schedule must be specified for a new scheduled action")
	case a.Min == nil && a.Max == nil:
		return refuse("ScalableTargetAction must be specified with MinCapacity, MaxCapacity or both")
	case a.EndMillis != 0 && a.EndMillis <= a.StartMillis:
		return refuse("End time must be after start time")
	}
	if text := new(scaling.Target{Min: 1, Max: 1 << 62}).SetBounds(a.Min, a.Max); text != "" {
		return refuse(text)
	}
	if text := a.Plan(); text != "" {
		return refuse(text)
	}
	return nil
}

// millis is a moment of the API in epoch milliseconds, 0 if it was not sent.
func millis(seconds *float64) int64 { return int64(value(seconds) * 1000) }

// DescribeScheduledActions lists the scheduled actions of targets.
func (s autoScaling) DescribeScheduledActions(
	ctx context.Context, in *api.DescribeScheduledActionsRequest,
) (*api.DescribeScheduledActionsResponse, error) {
	found, err := s.targets(ctx, filter{namespace: in.ServiceNamespace, resource: in.ResourceId, dimension: in.ScalableDimension})
	if err != nil {
		return nil, err
	}
	list := []api.ScheduledAction{}
	for _, t := range found {
		for i := range t.Actions {
			if a := &t.Actions[i]; in.ScheduledActionNames == nil || slices.Contains(in.ScheduledActionNames, a.Name) {
				list = append(list, s.describeAction(t.ID, a))
			}
		}
	}
	key := func(a api.ScheduledAction) string {
		return *a.ResourceId + " " + *a.ScalableDimension + " " + *a.ScheduledActionName
	}
	out := &api.DescribeScheduledActionsResponse{}
	out.ScheduledActions, out.NextToken, err = pageOf(list, key, in.NextToken, in.MaxResults)
	return out, err
}

func (s autoScaling) describeAction(id scaling.ID, a *scaling.Action) api.ScheduledAction {
	d := api.ScheduledAction{
		ScheduledActionName: &a.Name, ScheduledActionARN: ref(s.o.actionARN(id, a)), ServiceNamespace: ref(api.ServiceNamespaceDynamodb),
		Schedule: &a.Schedule, ResourceId: ref(id.Resource()), ScalableDimension: ref(id.Dimension()), CreationTime: seconds(a.CreatedMillis),
		ScalableTargetAction: &api.ScalableTargetAction{MinCapacity: a.Min, MaxCapacity: a.Max},
	}
	if a.Timezone != "" {
		d.Timezone = &a.Timezone
	}
	if a.StartMillis != 0 {
		d.StartTime = seconds(a.StartMillis)
	}
	if a.EndMillis != 0 {
		d.EndTime = seconds(a.EndMillis)
	}
	return d
}

// DeleteScheduledAction forgets a scheduled action.
func (s autoScaling) DeleteScheduledAction(
	ctx context.Context, in *api.DeleteScheduledActionRequest,
) (*api.DeleteScheduledActionResponse, error) {
	id, err := scalable{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}.id()
	if err != nil {
		return nil, err
	}
	missing := api.NewObjectNotFoundException("No scheduled action found for " + named(id) + ", scheduled action name: " + *in.ScheduledActionName)
	err = s.update(ctx, id, missing, func(t *scaling.Target) error {
		if !t.DeleteAction(*in.ScheduledActionName) {
			return missing
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteScheduledActionResponse{}, nil
}
