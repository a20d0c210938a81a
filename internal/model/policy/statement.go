package policy

// statement is one sentence of a document: who may, or may not, do what to what, and when.
type statement struct {
	sid       string
	deny      bool
	principal *principal // nil in an identity document
	actions   choice
	resources choice
	// All conditions must hold.
	conditions []condition
}

func (s *statement) concerns(r *Request) bool {
	if !s.actions.has(r.Action, r.Facts) || !s.resources.has(r.Resource, r.Facts) {
		return false
	}
	if s.principal != nil && !s.principal.concerns(r.Facts, s.deny) {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(r.Facts) {
			return false
		}
	}
	return true
}

// choice is a list of patterns, or with not all that none of them matches.
type choice struct {
	not      bool
	texts    []string
	patterns []pattern
}

func (c *choice) has(text string, f Facts) bool {
	for _, p := range c.patterns {
		if p.matches(text, f) {
			return !c.not
		}
	}
	return c.not
}
