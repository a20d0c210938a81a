package ops

import (
	"strings"

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

// tableMissing is the answer of operations on tables to a name, or an ARN, that no table here has.
func (o *Ops) tableMissing(name string) error {
	if err := o.elsewhere(name); err != nil {
		return err
	}
	return nameMissing(name)
}

func nameMissing(name string) error {
	return api.NewResourceNotFoundException("Requested resource not found: Table: " + name + " not found")
}

// elsewhere refuses the ARN of another region or account.
func (o *Ops) elsewhere(arn string) error {
	parts := strings.SplitN(arn, ":", 6)
	switch {
	case len(parts) < 6:
		return nil
	case parts[3] != o.account.Region:
		return api.NewValidationException("1 validation error detected: Invalid AWS region in '" + arn + "'")
	case parts[4] != o.account.Number:
		return accessDenied()
	}
	return nil
}

// accessDenied is the answer to an ARN of another account, where no policy of that account's can be asked.
func accessDenied() error { return api.NewAccessDeniedException("Access is denied") }

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
