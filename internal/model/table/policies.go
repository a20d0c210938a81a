package table

import "strconv"

// Policy is a resource-based policy, of the table or of one of its streams, as it was last changed.
type Policy struct {
	// Text is the document in its kept form; "" when the policy was deleted.
	Text string `json:"text,omitempty"`
	// ChangedMillis rises with each change and names the revision.
	ChangedMillis int64 `json:"changed"`
}

// Revision is the API's RevisionId.
func (p Policy) Revision() string { return strconv.FormatInt(p.ChangedMillis, 10) }

// Policy is the table's policy, or with a label that of its stream. There was none yet if ok is false.
func (t *Table) Policy(label string) (p Policy, ok bool) {
	p, ok = t.Policies[label]
	return p, ok
}

// WithPolicy is t with a policy of text, "" for none, of itself or of the stream with the label.
func (t *Table) WithPolicy(label, text string, nowMillis int64) *Table {
	c := t.Clone()
	if c.Policies == nil {
		c.Policies = map[string]Policy{}
	}
	c.Policies[label] = Policy{Text: text, ChangedMillis: max(nowMillis, c.Policies[label].ChangedMillis+1)}
	return c
}

// WithoutPolicies is t as partitions keep it: the doors alone ask policies.
func (t *Table) WithoutPolicies() *Table {
	if t.Policies == nil {
		return t
	}
	c := *t
	c.Policies = nil
	return &c
}
