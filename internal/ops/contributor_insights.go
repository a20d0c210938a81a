package ops

import (
	"context"
	"encoding/base64"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// UpdateContributorInsights says whether the keys of a table or global index are counted that are asked for and throttled most. What
// changes nothing is answered as done (semantics §17.10).
func (o *Ops) UpdateContributorInsights(ctx context.Context, in *api.UpdateContributorInsightsInput) (*api.UpdateContributorInsightsOutput, error) {
	if err := checkInsightsIndex(in.IndexName); err != nil {
		return nil, err
	}
	enable := *in.ContributorInsightsAction == api.ContributorInsightsActionEnable
	throttledOnly := value(in.ContributorInsightsMode) == api.ContributorInsightsModeThrottledKeys
	t, err := o.changeTable(ctx, o.tableName(*in.TableName), func(t *table.Table) (*table.Table, error) {
		c := t.Clone()
		of, err := insightsOf(c, in.IndexName)
		if err != nil {
			return nil, err
		}
		if enable {
			if err := of.ready(); err != nil {
				return nil, err
			}
		}
		changed := of.Changed(enable, throttledOnly, o.now().UnixMilli())
		if changed == *of.Insights {
			return t, nil
		}
		*of.Insights = changed
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	of, err := insightsOf(t, in.IndexName)
	if err != nil {
		return nil, err
	}
	return &api.UpdateContributorInsightsOutput{
		TableName: &t.Name, IndexName: in.IndexName, ContributorInsightsStatus: o.insightsStatus(of), ContributorInsightsMode: of.mode(),
	}, nil
}

// DescribeContributorInsights tells whether they are, and by which rules.
func (o *Ops) DescribeContributorInsights(ctx context.Context, in *api.DescribeContributorInsightsInput) (*api.DescribeContributorInsightsOutput, error) {
	if err := checkInsightsIndex(in.IndexName); err != nil {
		return nil, err
	}
	t, err := o.current(ctx, o.tableName(*in.TableName))
	if err != nil {
		return nil, err
	}
	of, err := insightsOf(t, in.IndexName)
	if err != nil {
		return nil, err
	}
	out := &api.DescribeContributorInsightsOutput{
		TableName: &t.Name, IndexName: in.IndexName, ContributorInsightsStatus: o.insightsStatus(of), ContributorInsightsMode: of.mode(),
	}
	if of.ChangedMillis != 0 {
		out.LastUpdateDateTime = seconds(of.ChangedMillis)
	}
	if *out.ContributorInsightsStatus == api.ContributorInsightsStatusEnabled {
		for _, rule := range of.Rules(of.sorted) {
			out.ContributorInsightsRuleList = append(out.ContributorInsightsRuleList, of.Name(rule, t.Name, value(in.IndexName)))
		}
	}
	return out, nil
}

// checkInsightsIndex refuses what is too short or too long for an index's name, in words that only these operations have.
func checkInsightsIndex(name *string) error {
	if name != nil && (len(*name) < 3 || len(*name) > 255) {
		return api.NewValidationException("IndexName must be at least 3 characters long and at most 255 characters long")
	}
	return nil
}

// insightsPageMax bounds a page of ListContributorInsights.
const insightsPageMax = 100

// ListContributorInsights lists what is not turned off, of one table or of all: a table before its indexes.
func (o *Ops) ListContributorInsights(ctx context.Context, in *api.ListContributorInsightsInput) (*api.ListContributorInsightsOutput, error) {
	var names []string
	if in.TableName == nil {
		names = o.names(ctx)
	} else {
		t, err := o.current(ctx, o.tableName(*in.TableName))
		if err != nil {
			return nil, err
		}
		names = []string{t.Name}
	}
	after, err := base64.RawURLEncoding.DecodeString(value(in.NextToken))
	if err != nil {
		return nil, api.NewValidationException(invalidToken)
	}
	list := []api.ContributorInsightsSummary{}
	for _, name := range names {
		if t, ok := o.catalog.Table(name); ok {
			list = append(list, o.insightsSummaries(t)...)
		}
	}
	size := insightsPageMax
	if most := value(in.MaxResults); most > 0 {
		size = int(most)
	}
	out := &api.ListContributorInsightsOutput{}
	out.ContributorInsightsSummaries, out.NextToken = pageAfter(list, summaryKey, string(after), size)
	return out, nil
}

// summaryKey sorts a table before its indexes, and both before other tables.
func summaryKey(s api.ContributorInsightsSummary) string {
	return *s.TableName + "\x00" + value(s.IndexName)
}

func (o *Ops) insightsSummaries(t *table.Table) (list []api.ContributorInsightsSummary) {
	add := func(index *string) {
		of, err := insightsOf(t, index)
		if err != nil {
			return
		}
		status := o.insightsStatus(of)
		if *status == api.ContributorInsightsStatusDisabled {
			return
		}
		list = append(list, api.ContributorInsightsSummary{
			TableName: &t.Name, IndexName: index, ContributorInsightsStatus: status, ContributorInsightsMode: of.mode(),
		})
	}
	add(nil)
	for i := range t.Global {
		add(&t.Global[i].Name)
	}
	return list
}

// insights are those of a table, or of a global index.
type insights struct {
	*table.Insights
	table  *table.Table
	index  *table.Index // nil: of the table
	sorted bool         // there is a sort key
}

// insightsOf finds them. Local indexes have none (semantics §17.10).
func insightsOf(t *table.Table, index *string) (insights, error) {
	if index == nil {
		return insights{Insights: &t.Insights, table: t, sorted: len(t.Key.Range) > 0}, nil
	}
	ix, ok := t.GlobalIndex(*index)
	if !ok {
		return insights{}, api.NewResourceNotFoundException("Requested resource not found: Index: " + *index + " not found for table: " + t.Name)
	}
	return insights{Insights: &ix.Insights, table: t, index: ix, sorted: len(ix.Key.Range) > 0}, nil
}

// ready refuses to turn them on for a table that is not there yet or no more, or for an index that is not settled (errors.json
// insights-state). They go on beside a table's change.
func (i insights) ready() error {
	unsettled := ""
	switch {
	case !i.table.Serves():
		unsettled = "TableStatus"
	case i.index != nil && i.index.Status != table.IndexActive:
		unsettled = "IndexStatus"
	default:
		return nil
	}
	return api.NewValidationException("Table or Index is not in a valid state to update Key Access Insights: " + unsettled +
		" must be ACTIVE to enable ContributorInsights.")
}

// mode is what is counted; nil for what was never turned on.
func (i insights) mode() *string {
	switch {
	case i.ChangedMillis == 0:
		return nil
	case i.ThrottledOnly:
		return ref(api.ContributorInsightsModeThrottledKeys)
	}
	return ref(api.ContributorInsightsModeAccessedAndThrottledKeys)
}

func (o *Ops) insightsStatus(i insights) *string {
	settled := i.Settled(o.now().UnixMilli())
	switch {
	case i.On && settled:
		return ref(api.ContributorInsightsStatusEnabled)
	case i.On:
		return ref(api.ContributorInsightsStatusEnabling)
	case settled:
		return ref(api.ContributorInsightsStatusDisabled)
	}
	return ref(api.ContributorInsightsStatusDisabling)
}
