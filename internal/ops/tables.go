package ops

import (
	"stator/internal/model/api"
	"stator/internal/model/table"
)

// tableCalls is the table of built operations on tables as a whole.
func (o *Ops) tableCalls() map[string]api.Call {
	return map[string]api.Call{
		"CreateTable":          api.Bind(o.CreateTable),
		"DescribeTable":        api.Bind(o.DescribeTable),
		"UpdateTable":          api.Bind(o.UpdateTable),
		"DeleteTable":          api.Bind(o.DeleteTable),
		"ListTables":           api.Bind(o.ListTables),
		"TagResource":          api.Bind(o.TagResource),
		"UntagResource":        api.Bind(o.UntagResource),
		"ListTagsOfResource":   api.Bind(o.ListTagsOfResource),
		"UpdateTimeToLive":     api.Bind(o.UpdateTimeToLive),
		"DescribeTimeToLive":   api.Bind(o.DescribeTimeToLive),
		"DescribeLimits":       api.Bind(o.DescribeLimits),
		"DescribeEndpoints":    api.Bind(o.DescribeEndpoints),
		"PutResourcePolicy":    api.Bind(o.PutResourcePolicy),
		"GetResourcePolicy":    api.Bind(o.GetResourcePolicy),
		"DeleteResourcePolicy": api.Bind(o.DeleteResourcePolicy),

		"UpdateContributorInsights":   api.Bind(o.UpdateContributorInsights),
		"DescribeContributorInsights": api.Bind(o.DescribeContributorInsights),
		"ListContributorInsights":     api.Bind(o.ListContributorInsights),

		"DescribeTableReplicaAutoScaling": api.Bind(o.DescribeTableReplicaAutoScaling),
		"UpdateTableReplicaAutoScaling":   api.Bind(o.UpdateTableReplicaAutoScaling),

		"DescribeContinuousBackups": api.Bind(o.DescribeContinuousBackups),
		"UpdateContinuousBackups":   api.Bind(o.UpdateContinuousBackups),
	}
}

// tableMissing is the answer of operations on tables to a name that no table has.
func tableMissing(name string) error {
	return api.NewResourceNotFoundException("Requested resource not found: Table: " + name + " not found")
}

// inUse are the words that open most refusals of changes to what is changing.
const inUse = "Attempt to change a resource which is still in use: "

// tableBusy refuses changes to a table that is not settled in a state (errors.json riu-*).
func tableBusy(t *table.Table) error {
	switch t.State {
	case table.Creating:
		return api.NewResourceInUseException(inUse + "Table is being created: " + t.Name)
	case table.Updating:
		return api.NewResourceInUseException(inUse + "Table is being updated: " + t.Name)
	case table.Deleting:
		return api.NewResourceInUseException(inUse + "Table is being deleted: " + t.Name)
	}
	return nil
}

// firstText is the ValidationException with the first text there is, nil when there is none.
func firstText(texts ...string) error {
	for _, text := range texts {
		if text != "" {
			return api.NewValidationException(text)
		}
	}
	return nil
}

// invalidValue is a ValidationException with the words that open most of them.
func invalidValue(text string) error {
	return api.NewValidationException("One or more parameter values were invalid: " + text)
}
