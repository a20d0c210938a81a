package ops

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/scaling"
	"stator/internal/model/table"
)

// autoScaling answers the operations of Application Auto Scaling, for tables and their global indexes.
type autoScaling struct{ o *Ops }

// ScalingCalls is the table of built operations of Application Auto Scaling by name.
func (o *Ops) ScalingCalls() map[string]api.Call {
	s := autoScaling{o}
	return map[string]api.Call{
		"RegisterScalableTarget":       api.Bind(s.RegisterScalableTarget),
		"DescribeScalableTargets":      api.Bind(s.DescribeScalableTargets),
		"DeregisterScalableTarget":     api.Bind(s.DeregisterScalableTarget),
		"PutScalingPolicy":             api.Bind(s.PutScalingPolicy),
		"DescribeScalingPolicies":      api.Bind(s.DescribeScalingPolicies),
		"DeleteScalingPolicy":          api.Bind(s.DeleteScalingPolicy),
		"PutScheduledAction":           api.Bind(s.PutScheduledAction),
		"DescribeScheduledActions":     api.Bind(s.DescribeScheduledActions),
		"DeleteScheduledAction":        api.Bind(s.DeleteScheduledAction),
		"DescribeScalingActivities":    api.Bind(s.DescribeScalingActivities),
		"GetPredictiveScalingForecast": api.Bind(s.GetPredictiveScalingForecast),
		"TagResource":                  api.Bind(s.TagResource),
		"UntagResource":                api.Bind(s.UntagResource),
		"ListTagsForResource":          api.Bind(s.ListTagsForResource),
	}
}

// BuiltScaling is Built for Application Auto Scaling.
func BuiltScaling() []string { return slices.Sorted(maps.Keys(new(Ops).ScalingCalls())) }

// scalable is what a request names.
type scalable struct{ namespace, resource, dimension *string }

// id is that of what is named. Nothing but DynamoDB is scaled here.
func (n scalable) id() (scaling.ID, error) {
	id, ok := scaling.ParseID(*n.resource, *n.dimension)
	if !ok || *n.namespace != api.ServiceNamespaceDynamodb {
		return id, api.NewAutoScalingValidationException("Unsupported service namespace, resource type or scalable dimension")
	}
	return id, nil
}

// unregistered is the answer to who wants to scale what is not registered, unknown the answer to who wants it forgotten.
func unregistered(id scaling.ID) error {
	return api.NewObjectNotFoundException("No scalable target registered for " + named(id))
}

func unknown(what string, id scaling.ID) error {
	return api.NewObjectNotFoundException("No " + what + " found for " + named(id))
}

func named(id scaling.ID) string {
	return "service namespace: " + api.ServiceNamespaceDynamodb + ", resource ID: " + id.Resource() + ", scalable dimension: " + id.Dimension()
}

// update changes a target that has to be there; missing is the answer where it is not.
func (s autoScaling) update(ctx context.Context, id scaling.ID, missing error, change func(t *scaling.Target) error) error {
	return s.o.catalog.UpdateScalingTarget(ctx, id, func(t *scaling.Target) (*scaling.Target, error) {
		if t == nil {
			return nil, missing
		}
		t = t.Clone()
		return t, change(t)
	})
}

// filter is what a request wants to see of what is scaled.
type filter struct {
	namespace, resource, dimension *string
	resources                      []string // nil = any
}

// targets are those that a request wants to see, as they are since the call. Where the catalog cannot ask, what it knows has to do.
func (s autoScaling) targets(ctx context.Context, f filter) ([]*scaling.Target, error) {
	if f.dimension != nil && f.resource == nil && f.resources == nil {
		return nil, api.NewAutoScalingValidationException("A resource ID must be specified if a scalable dimension is")
	}
	if *f.namespace != api.ServiceNamespaceDynamodb {
		return nil, nil
	}
	_ = s.o.catalog.Sync(ctx)
	return slices.DeleteFunc(s.o.catalog.ScalingTargets(), func(t *scaling.Target) bool {
		return f.resource != nil && t.Resource() != *f.resource || f.dimension != nil && t.Dimension() != *f.dimension ||
			f.resources != nil && !slices.Contains(f.resources, t.Resource())
	}), nil
}

// scalingPageMax bounds a page of everything that is listed of scaling.
const scalingPageMax = 50

// pageOf cuts a page out of a list, in the order of its keys. The token is the last key of the page before.
func pageOf[T any](list []T, key func(T) string, token *string, limit *int64) (page []T, next *string, err error) {
	after, err := base64.RawURLEncoding.DecodeString(value(token))
	if err != nil {
		return nil, nil, api.NewInvalidNextTokenException("Invalid NextToken: " + *token)
	}
	size := scalingPageMax
	if limit != nil && *limit > 0 {
		size = int(min(*limit, scalingPageMax))
	}
	page, next = pageAfter(list, key, string(after), size)
	return page, next, nil
}

// pageAfter cuts a page of some size, from what comes after a key; next is the token of what follows it.
func pageAfter[T any](list []T, key func(T) string, after string, size int) (page []T, next *string) {
	slices.SortFunc(list, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	page = slices.DeleteFunc(list, func(v T) bool { return key(v) <= after })
	if len(page) <= size {
		return page, nil
	}
	page = page[:size]
	return page, ref(base64.RawURLEncoding.EncodeToString([]byte(key(page[size-1]))))
}

func (o *Ops) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + o.account.Region + ":" + o.account.Number + ":" + resource
}

func (o *Ops) targetARN(t *scaling.Target) string {
	return o.arn("application-autoscaling", "scalable-target/"+t.Key)
}

func (o *Ops) policyARN(id scaling.ID, p *scaling.Policy) string {
	return o.arn("autoscaling", "scalingPolicy:"+p.Key+":resource/dynamodb/"+id.Resource()+":policyName/"+p.Name)
}

func (o *Ops) actionARN(id scaling.ID, a *scaling.Action) string {
	return o.arn("autoscaling", "scheduledAction:"+a.Key+":resource/dynamodb/"+id.Resource()+":scheduledActionName/"+a.Name)
}

// roleARN is the role that scaling acts in. It is told and has no other effect: who registers a target allows the scaling.
func (o *Ops) roleARN(t *scaling.Target) string {
	if t.Role != "" {
		return t.Role
	}
	return "arn:aws:iam::" + o.account.Number +
		":role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
}

// checkScalable refuses to scale what is not there.
func (o *Ops) checkScalable(ctx context.Context, id scaling.ID) error {
	t, ok, err := o.find(ctx, id.Table)
	switch {
	case err != nil:
		return err
	case !ok || t.State == table.Deleting:
		return api.NewAutoScalingValidationException("DynamoDB table does not exist: " + id.Resource())
	case id.Index == "":
		return nil
	}
	if _, ok := t.GlobalIndex(id.Index); !ok {
		return api.NewAutoScalingValidationException("DynamoDB index does not exist: " + id.Resource())
	}
	return nil
}

// newTarget is a target that was never there.
func (o *Ops) newTarget(id scaling.ID) (*scaling.Target, error) {
	key, err := newUUID(o.account.Random)
	if err != nil {
		return nil, fmt.Errorf("drawing the id of a scalable target: %w", err)
	}
	return &scaling.Target{ID: id, Key: strings.ReplaceAll(key, "-", ""), CreatedMillis: o.now().UnixMilli()}, nil
}

// putPolicy makes p the policy of a target. One of the same name keeps its identity.
func (o *Ops) putPolicy(t *scaling.Target, p scaling.Policy) error {
	if t.Policy != nil && t.Policy.Name == p.Name {
		p.Key, p.CreatedMillis = t.Policy.Key, t.Policy.CreatedMillis
	} else {
		key, err := newUUID(o.account.Random)
		if err != nil {
			return fmt.Errorf("drawing the id of a scaling policy: %w", err)
		}
		p.Key, p.CreatedMillis = key, o.now().UnixMilli()
	}
	t.Policy = &p
	return nil
}
