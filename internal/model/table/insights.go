package table

import "strconv"

// insightsSettleMillis is how long contributor insights are said to be on their way, in the service about a second (semantics §17.10).
// Nothing here takes that long.
const insightsSettleMillis = 1000

// Insights tells whether it is counted which keys of a table or global index are asked for and throttled most. The zero value is what was
// never turned on.
type Insights struct {
	On            bool  `json:"on,omitempty"`
	ThrottledOnly bool  `json:"throttledOnly,omitempty"` // accesses are not counted
	ChangedMillis int64 `json:"changedMillis,omitempty"` // epoch milliseconds, 0 = never
	RulesMillis   int64 `json:"rulesMillis,omitempty"`   // when it was last turned on, which stands in the names of the rules
}

// Settled tells whether the last change is over.
func (i Insights) Settled(nowMillis int64) bool {
	return nowMillis < i.ChangedMillis || nowMillis-i.ChangedMillis >= insightsSettleMillis
}

// Changed is i turned on, for throttled keys only or for all, or off: in which case it keeps what it counted. The same setting changes
// nothing.
func (i Insights) Changed(on, throttledOnly bool, nowMillis int64) Insights {
	if on == i.On && (!on || throttledOnly == i.ThrottledOnly) {
		return i
	}
	next := i
	next.On, next.ChangedMillis = on, nowMillis
	if on {
		next.ThrottledOnly = throttledOnly
		if !i.On {
			next.RulesMillis = nowMillis
		}
	}
	return next
}

// Rule is one thing that insights tell.
type Rule string

// The rules, by the service's names: of partition keys, or of partition keys with sort keys, those asked for or throttled most.
const (
	AccessedPartitions  Rule = "PKC"
	AccessedItems       Rule = "SKC"
	ThrottledPartitions Rule = "PKT"
	ThrottledItems      Rule = "SKT"
)

// Rules are those that are in force for something with a sort key or without.
func (i Insights) Rules(sorted bool) (rules []Rule) {
	if !i.On {
		return nil
	}
	for _, rule := range []Rule{AccessedPartitions, AccessedItems, ThrottledPartitions, ThrottledItems} {
		items := rule == AccessedItems || rule == ThrottledItems
		accessed := rule == AccessedPartitions || rule == AccessedItems
		if (sorted || !items) && (!accessed || !i.ThrottledOnly) {
			rules = append(rules, rule)
		}
	}
	return rules
}

// Name is what the service calls a rule of a table, or of an index of it.
func (i Insights) Name(rule Rule, tableName, indexName string) string {
	if indexName != "" {
		tableName += "-" + indexName
	}
	return "DynamoDBContributorInsights-" + string(rule) + "-" + tableName + "-" + strconv.FormatInt(i.RulesMillis, 10)
}
