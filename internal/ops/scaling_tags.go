package ops

import (
	"context"
	"maps"

	"stator/internal/model/api"
	"stator/internal/model/scaling"
)

// TagResource adds tags to a scalable target and replaces those it has.
func (s autoScaling) TagResource(ctx context.Context, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	err := s.retag(ctx, *in.ResourceARN, func(t *scaling.Target) error { return tagTarget(t, in.Tags) })
	if err != nil {
		return nil, err
	}
	return &api.TagResourceResponse{}, nil
}

// UntagResource takes tags from a scalable target. Keys it does not have are ignored.
func (s autoScaling) UntagResource(ctx context.Context, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	err := s.retag(ctx, *in.ResourceARN, func(t *scaling.Target) error {
		for _, key := range in.TagKeys {
			delete(t.Tags, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.UntagResourceResponse{}, nil
}

// ListTagsForResource tells the tags of a scalable target.
func (s autoScaling) ListTagsForResource(
	ctx context.Context, in *api.ListTagsForResourceRequest,
) (*api.ListTagsForResourceResponse, error) {
	t, err := s.byARN(ctx, *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags := t.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	return &api.ListTagsForResourceResponse{Tags: tags}, nil
}

func (s autoScaling) retag(ctx context.Context, arn string, change func(t *scaling.Target) error) error {
	found, err := s.byARN(ctx, arn)
	if err != nil {
		return err
	}
	return s.update(ctx, found.ID, targetMissing(arn), func(t *scaling.Target) error {
		if t.Key != found.Key {
			return targetMissing(arn)
		}
		return change(t)
	})
}

// byARN finds a scalable target by its ARN.
func (s autoScaling) byARN(ctx context.Context, arn string) (*scaling.Target, error) {
	_ = s.o.catalog.Sync(ctx)
	for _, t := range s.o.catalog.ScalingTargets() {
		if s.o.targetARN(t) == arn {
			return t, nil
		}
	}
	return nil, targetMissing(arn)
}

func targetMissing(arn string) error {
	missing := api.NewAutoScalingResourceNotFoundException("The specified resource doesn't exist.")
	missing.ResourceName = arn
	return missing
}

// tagTarget adds tags to a target, up to as many as a resource may have.
func tagTarget(t *scaling.Target, tags map[string]string) error {
	if len(tags) == 0 {
		return nil
	}
	merged := maps.Clone(t.Tags)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, tags)
	if len(merged) > tagsMax {
		return api.NewTooManyTagsException("The number of tags exceeds the limit of 50 for a resource.")
	}
	t.Tags = merged
	return nil
}
