package ops

import (
	"context"
	"fmt"
	"math"

	"stator/internal/model/api"
	"stator/internal/model/scaling"
)

// DescribeScalingActivities lists what was done to targets, the newest first.
func (s autoScaling) DescribeScalingActivities(
	ctx context.Context, in *api.DescribeScalingActivitiesRequest,
) (*api.DescribeScalingActivitiesResponse, error) {
	found, err := s.targets(ctx, filter{namespace: in.ServiceNamespace, resource: in.ResourceId, dimension: in.ScalableDimension})
	if err != nil {
		return nil, err
	}
	list := []api.ScalingActivity{}
	for _, t := range found {
		for i := range t.Activities {
			list = append(list, describeActivity(t.ID, &t.Activities[i]))
		}
	}
	key := func(a api.ScalingActivity) string {
		return fmt.Sprintf("%020d %s", math.MaxInt64-int64(*a.StartTime*1000), *a.ActivityId)
	}
	out := &api.DescribeScalingActivitiesResponse{}
	out.ScalingActivities, out.NextToken, err = pageOf(list, key, in.NextToken, in.MaxResults)
	return out, err
}

func describeActivity(id scaling.ID, a *scaling.Activity) api.ScalingActivity {
	return api.ScalingActivity{
		ActivityId: ref(a.Key(id)), ServiceNamespace: ref(api.ServiceNamespaceDynamodb), ResourceId: ref(id.Resource()),
		ScalableDimension: ref(id.Dimension()), Description: &a.Description, Cause: &a.Cause,
		StartTime: seconds(a.StartMillis), EndTime: seconds(a.EndMillis), StatusCode: &a.Status, StatusMessage: &a.Message,
	}
}
