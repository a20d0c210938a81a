package insight

import (
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// Report is what contributor insights tell of a table and its global indexes.
type Report struct {
	Table    string `json:"table"`
	Capacity string `json:"capacity"`
	// Resources are those whose insights are turned on.
	Resources []Resource `json:"resources"`
	// Missing are the nodes that did not answer.
	Missing []Missing `json:"missing,omitempty"`
}

// Resource is the table, or an index of it.
type Resource struct {
	Index string     `json:"index,omitempty"` // "": the table itself
	Rules []RuleKeys `json:"rules"`
	// Uncounted is how many nodes count no keys of it, since they count those of CountedMax others.
	Uncounted int `json:"uncounted,omitempty"`
}

// RuleKeys are the keys that a rule names.
type RuleKeys struct {
	Rule string `json:"rule"` // the service's name
	// Kind is its kind, Unit what PerSecond of the keys counts.
	Kind table.Rule `json:"kind"`
	Keys []KeyShare `json:"keys"`
}

// KeyShare is a key, in words, with its part.
type KeyShare struct {
	Key       string  `json:"key"`
	PerSecond float64 `json:"perSecond"`
}

// Tell reports the keys of a table, by payer, where some nodes left them uncounted.
func Tell(t *table.Table, capacityMode string, by map[uint64]Contributors, uncounted map[uint64]int) Report {
	r := Report{Table: t.Name, Capacity: capacityMode, Resources: []Resource{}}
	add := func(p capacity.Payer, name string) {
		of, key := p.Insights(), p.Key()
		if !of.On {
			return
		}
		resource := Resource{Index: name, Rules: []RuleKeys{}, Uncounted: uncounted[p.ID()]}
		for _, rule := range of.Rules(len(key.Range) > 0) {
			keys := RuleKeys{Rule: of.Name(rule, t.Name, name), Kind: rule, Keys: []KeyShare{}}
			list := by[p.ID()][rule]
			for _, c := range list[:min(len(list), ContributorsMax)] {
				keys.Keys = append(keys.Keys, KeyShare{Key: named(key.Attributes(), c.Key), PerSecond: c.PerSecond})
			}
			resource.Rules = append(resource.Rules, keys)
		}
		r.Resources = append(r.Resources, resource)
	}
	add(capacity.Payer{Table: t}, "")
	for i := range t.Global {
		add(capacity.Payer{Table: t, Index: &t.Global[i]}, t.Global[i].Name)
	}
	return r
}
