package ops

import (
	"maps"
	"slices"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// The legacy parameters of a request are maps, so their order is lost: they are looked at by name, and the same request always gets the
// same refusal.

// expected compiles Expected with its ConditionalOperator.
func (v voice) expected(entries map[string]api.ExpectedAttributeValue, operator *string) (*expr.Condition, error) {
	if entries == nil && operator == nil {
		return nil, nil
	}
	conditions := make([]expr.LegacyCondition, 0, len(entries))
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		if err := v.checkValue(e.Value); err != nil {
			return nil, err
		}
		conditions = append(conditions, expr.LegacyCondition{
			Attribute: name, Operator: value(e.ComparisonOperator), Values: e.AttributeValueList,
			HasValues: e.AttributeValueList != nil, Value: e.Value, Exists: e.Exists,
		})
	}
	if err := v.checkLegacyValues(conditions); err != nil {
		return nil, err
	}
	c, err := expr.LegacyExpected(conditions, value(operator))
	return c, v.refuseExpression(err)
}

// filter compiles QueryFilter or ScanFilter with its ConditionalOperator.
func (v voice) filter(entries map[string]api.Condition, operator *string) (*expr.Condition, error) {
	if entries == nil && operator == nil {
		return nil, nil
	}
	conditions := legacyConditions(entries)
	if err := v.checkLegacyValues(conditions); err != nil {
		return nil, err
	}
	c, err := expr.LegacyFilter(conditions, value(operator))
	return c, v.refuseExpression(err)
}

// keyConditions compiles KeyConditions.
func (v voice) keyConditions(entries map[string]api.Condition) (*expr.KeyCondition, error) {
	conditions := legacyConditions(entries)
	if err := v.checkLegacyValues(conditions); err != nil {
		return nil, err
	}
	k, err := expr.LegacyKeyConditions(conditions)
	return k, v.refuseExpression(err)
}

// updates compiles AttributeUpdates.
func (v voice) updates(entries map[string]api.AttributeValueUpdate) (*expr.Update, error) {
	updates := make([]expr.LegacyUpdate, 0, len(entries))
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		if err := v.checkValue(e.Value); err != nil {
			return nil, err
		}
		updates = append(updates, expr.LegacyUpdate{Attribute: name, Action: value(e.Action), Value: e.Value})
	}
	u, err := expr.LegacyUpdates(updates)
	return u, v.refuseExpression(err)
}

// attributesToGet compiles AttributesToGet; an absent one projects nothing away.
func attributesToGet(names []string) (*expr.Projection, error) {
	if names == nil {
		return nil, nil
	}
	p, err := expr.LegacyProjection(names)
	return p, bare.refuseExpression(err)
}

func (v voice) checkValue(value attr.Value) error {
	if fault := faultOf(v, value); fault != "" {
		return v.refuse(fault)
	}
	return nil
}

func (v voice) checkLegacyValues(conditions []expr.LegacyCondition) error {
	for _, c := range conditions {
		for _, value := range c.Values {
			if err := v.checkValue(value); err != nil {
				return err
			}
		}
	}
	return nil
}

func legacyConditions(entries map[string]api.Condition) []expr.LegacyCondition {
	conditions := make([]expr.LegacyCondition, 0, len(entries))
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		conditions = append(conditions, expr.LegacyCondition{
			Attribute: name, Operator: value(e.ComparisonOperator), Values: e.AttributeValueList,
			HasValues: e.AttributeValueList != nil,
		})
	}
	return conditions
}
