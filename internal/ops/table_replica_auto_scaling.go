package ops

import (
	"context"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/scaling"
	"stator/internal/model/table"
)

// DescribeTableReplicaAutoScaling shows what Application Auto Scaling has for a table, in the words of DynamoDB. There the two operations
// are for global tables; here each table is described as one whose only replica is in this region.
func (o *Ops) DescribeTableReplicaAutoScaling(
	ctx context.Context, in *api.DescribeTableReplicaAutoScalingInput,
) (*api.DescribeTableReplicaAutoScalingOutput, error) {
	t, err := o.replicated(ctx, *in.TableName)
	if err != nil {
		return nil, err
	}
	return &api.DescribeTableReplicaAutoScalingOutput{TableAutoScalingDescription: o.scalingDescription(t)}, nil
}

// UpdateTableReplicaAutoScaling registers what is to be scaled of a table and gives it its policy, or ends the scaling.
func (o *Ops) UpdateTableReplicaAutoScaling(
	ctx context.Context, in *api.UpdateTableReplicaAutoScalingInput,
) (*api.UpdateTableReplicaAutoScalingOutput, error) {
	t, err := o.replicated(ctx, *in.TableName)
	if err != nil {
		return nil, err
	}
	wishes, err := o.scalingWishes(t, in)
	if err != nil {
		return nil, err
	}
	for _, w := range wishes {
		if err := w.check(); err != nil {
			return nil, err
		}
	}
	for _, w := range wishes {
		if err := o.catalog.UpdateScalingTarget(ctx, w.id, func(now *scaling.Target) (*scaling.Target, error) { return o.wished(now, w) }); err != nil {
			return nil, err
		}
	}
	return &api.UpdateTableReplicaAutoScalingOutput{TableAutoScalingDescription: o.scalingDescription(t)}, nil
}

// replicated finds a table by its name or ARN.
func (o *Ops) replicated(ctx context.Context, sent string) (*table.Table, error) {
	return o.present(ctx, o.tableName(sent), func(name string) error {
		return api.NewResourceNotFoundException("Global table with name: '" + name + "' does not exist.")
	})
}

// scalingWish is how a request wants something to be scaled.
type scalingWish struct {
	id       scaling.ID
	settings *api.AutoScalingSettingsUpdate
}

// scalingWishes are what a request asks for: of the table and each index, reads for each region and writes for all of them.
func (o *Ops) scalingWishes(t *table.Table, in *api.UpdateTableReplicaAutoScalingInput) ([]scalingWish, error) {
	var wishes []scalingWish
	add := func(index *string, write bool, settings *api.AutoScalingSettingsUpdate) {
		if settings != nil {
			wishes = append(wishes, scalingWish{scaling.ID{Table: t.Name, Index: value(index), Write: write}, settings})
		}
	}
	refuse := func(why string) error { return api.NewValidationException(settingsRefused(t.Name) + " because " + why) }
	add(nil, true, in.ProvisionedWriteCapacityAutoScalingUpdate)
	for i := range in.GlobalSecondaryIndexUpdates {
		u := &in.GlobalSecondaryIndexUpdates[i]
		if ix, ok := t.GlobalIndex(value(u.IndexName)); !ok || ix.Status == table.IndexCreating {
			return nil, api.NewResourceNotFoundException(settingsRefused(t.Name) + " because the global secondary indexes with names: ‘[" +
				value(u.IndexName) + "]’ do not exist.")
		}
		add(u.IndexName, true, u.ProvisionedWriteCapacityAutoScalingUpdate)
	}
	for i := range in.ReplicaUpdates {
		u := &in.ReplicaUpdates[i]
		switch {
		case *u.RegionName != o.account.Region:
			return nil, api.NewResourceNotFoundException(settingsRefused(t.Name) + " because a replica does not exist in regions: ‘[" + *u.RegionName + "]’.")
		case i > 0:
			return nil, refuse("the regions: ‘[" + *u.RegionName + "]’ were specified more than once.")
		}
		before := len(wishes)
		add(nil, false, u.ReplicaProvisionedReadCapacityAutoScalingUpdate)
		for j := range u.ReplicaGlobalSecondaryIndexUpdates {
			v := &u.ReplicaGlobalSecondaryIndexUpdates[j]
			if ix, ok := t.GlobalIndex(*v.IndexName); !ok || ix.Status == table.IndexCreating {
				return nil, api.NewResourceNotFoundException(settingsRefused(t.Name) + " because a global secondary index with name: ‘" +
					*v.IndexName + "’ does not exist in region: ‘" + *u.RegionName + "’.")
			}
			add(v.IndexName, false, v.ProvisionedReadCapacityAutoScalingUpdate)
		}
		if len(wishes) == before {
			return nil, refuse("at least one update parameter must be specified for region: ‘" + *u.RegionName + "’.")
		}
	}
	if len(wishes) == 0 {
		return nil, refuse("at least one update parameter must be specified.")
	}
	return wishes, nil
}

func settingsRefused(name string) string {
	return "Failed to update settings for global table with name: ‘" + name + "’"
}

// check refuses settings that are not whole.
func (w scalingWish) check() error {
	disable := value(w.settings.AutoScalingDisabled)
	var sent, missing []string
	for _, m := range []struct {
		name string
		sent bool
	}{
		{"'MaximumUnits'", w.settings.MaximumUnits != nil}, {"'ScalingPolicyUpdate'", w.settings.ScalingPolicyUpdate != nil},
		{"'MinimumUnits'", w.settings.MinimumUnits != nil},
	} {
		if m.sent {
			sent = append(sent, m.name)
		} else {
			missing = append(missing, m.name)
		}
	}
	switch {
	case disable && len(sent) > 0:
		return api.NewValidationException("Failed to update settings for global table with name ‘" + w.id.Table + "’: Parameters " +
			strings.Join(sent, ", ") + " must be left blank when disabling auto scaling.")
	case disable:
		return nil
	case len(missing) > 0:
		return api.NewValidationException(settingsRefused(w.id.Table) + ": Parameters " + strings.Join(missing, ", ") +
			" are required unless auto scaling is being disabled.")
	}
	bounded := scaling.Target{}
	return firstText(bounded.SetBounds(w.settings.MinimumUnits, w.settings.MaximumUnits),
		w.id.CheckTarget(*w.settings.ScalingPolicyUpdate.TargetTrackingScalingPolicyConfiguration.TargetValue))
}

// wished is a target, nil where there is none, as settings want it. Another policy takes the place of the one that is there.
func (o *Ops) wished(now *scaling.Target, w scalingWish) (*scaling.Target, error) {
	if value(w.settings.AutoScalingDisabled) {
		return nil, nil
	}
	var t *scaling.Target
	if now != nil {
		t = now.Clone()
	} else {
		var err error
		if t, err = o.newTarget(w.id); err != nil {
			return nil, err
		}
	}
	t.SetBounds(w.settings.MinimumUnits, w.settings.MaximumUnits)
	if w.settings.AutoScalingRoleArn != nil {
		t.Role = *w.settings.AutoScalingRoleArn
	}
	update := w.settings.ScalingPolicyUpdate
	sent, name := update.TargetTrackingScalingPolicyConfiguration, value(update.PolicyName)
	if name == "" {
		name = w.id.Metric() + ":" + w.id.Resource()
	}
	return t, o.putPolicy(t, scaling.Policy{
		Name: name, Target: *sent.TargetValue, OutCooldown: sent.ScaleOutCooldown, InCooldown: sent.ScaleInCooldown, DisableIn: sent.DisableScaleIn,
	})
}

// scalingDescription shows a table's scaling as that of its replica in this region. An index is shown once it is there.
func (o *Ops) scalingDescription(t *table.Table) *api.TableAutoScalingDescription {
	settings := func(index string, write bool) *api.AutoScalingSettingsDescription {
		return o.settingsDescription(t, scaling.ID{Table: t.Name, Index: index, Write: write})
	}
	replica := api.ReplicaAutoScalingDescription{
		RegionName: &o.account.Region, ReplicaStatus: ref(t.State.String()),
		GlobalSecondaryIndexes:                             []api.ReplicaGlobalSecondaryIndexAutoScalingDescription{},
		ReplicaProvisionedReadCapacityAutoScalingSettings:  settings("", false),
		ReplicaProvisionedWriteCapacityAutoScalingSettings: settings("", true),
	}
	for i := range t.Global {
		ix := &t.Global[i]
		if ix.Status == table.IndexCreating {
			continue
		}
		replica.GlobalSecondaryIndexes = append(replica.GlobalSecondaryIndexes, api.ReplicaGlobalSecondaryIndexAutoScalingDescription{
			IndexName: &ix.Name, IndexStatus: ref(ix.Status.String()),
			ProvisionedReadCapacityAutoScalingSettings:  settings(ix.Name, false),
			ProvisionedWriteCapacityAutoScalingSettings: settings(ix.Name, true),
		})
	}
	return &api.TableAutoScalingDescription{
		TableName: &t.Name, TableStatus: ref(t.State.String()), Replicas: []api.ReplicaAutoScalingDescription{replica},
	}
}

// settingsDescription passes over a target without a policy, as DynamoDB does.
func (o *Ops) settingsDescription(t *table.Table, id scaling.ID) *api.AutoScalingSettingsDescription {
	d := &api.AutoScalingSettingsDescription{ScalingPolicies: []api.AutoScalingPolicyDescription{}}
	target, ok := o.catalog.ScalingTarget(id)
	scaled := ok && target.Policy != nil
	if !scaled || t.Billing == table.OnDemandBilling {
		d.AutoScalingDisabled = ref(true)
	}
	if !scaled {
		return d
	}
	p := target.Policy
	d.MinimumUnits, d.MaximumUnits, d.AutoScalingRoleArn = &target.Min, &target.Max, ref(o.roleARN(target))
	d.ScalingPolicies = append(d.ScalingPolicies, api.AutoScalingPolicyDescription{
		PolicyName: &p.Name,
		TargetTrackingScalingPolicyConfiguration: &api.AutoScalingTargetTrackingScalingPolicyConfigurationDescription{
			TargetValue: &p.Target, ScaleInCooldown: p.InCooldown, ScaleOutCooldown: p.OutCooldown, DisableScaleIn: p.DisableIn,
		},
	})
	return d
}
