package policy

import "github.com/go-faster/jx"

// Canonical is the document in the form that it is kept in and shown: without white space, members in a fixed order, a list
// of one value as the value. Documents that differ in nothing else have the same form.
func (d *Document) Canonical() []byte {
	var e jx.Encoder
	e.Obj(func(e *jx.Encoder) {
		e.Field("Version", func(e *jx.Encoder) { e.Str(d.version) })
		if d.id != "" {
			e.Field("Id", func(e *jx.Encoder) { e.Str(d.id) })
		}
		e.Field("Statement", func(e *jx.Encoder) {
			e.Arr(func(e *jx.Encoder) {
				for i := range d.statements {
					d.statements[i].encode(e)
				}
			})
		})
	})
	return e.Bytes()
}

func (s *statement) encode(e *jx.Encoder) {
	e.Obj(func(e *jx.Encoder) {
		if s.sid != "" {
			e.Field("Sid", func(e *jx.Encoder) { e.Str(s.sid) })
		}
		effect := "Allow"
		if s.deny {
			effect = "Deny"
		}
		e.Field("Effect", func(e *jx.Encoder) { e.Str(effect) })
		if s.principal != nil {
			e.Field(named("Principal", s.principal.not), s.principal.encode)
		}
		e.Field(named("Action", s.actions.not), func(e *jx.Encoder) { encodeList(e, s.actions.texts) })
		e.Field(named("Resource", s.resources.not), func(e *jx.Encoder) { encodeList(e, s.resources.texts) })
		if len(s.conditions) > 0 {
			e.Field("Condition", s.encodeConditions)
		}
	})
}

func (p *principal) encode(e *jx.Encoder) {
	if p.everyone {
		e.Str("*")
		return
	}
	e.Obj(func(e *jx.Encoder) {
		for _, g := range p.groups {
			e.Field(g.kind, func(e *jx.Encoder) { encodeList(e, g.values) })
		}
	})
}

// encodeConditions puts the keys of an operator together again: they stand next to each other, as they were read.
func (s *statement) encodeConditions(e *jx.Encoder) {
	e.Obj(func(e *jx.Encoder) {
		for first := 0; first < len(s.conditions); {
			last := first
			for last < len(s.conditions) && s.conditions[last].written == s.conditions[first].written {
				last++
			}
			together := s.conditions[first:last]
			e.Field(together[0].written, func(e *jx.Encoder) {
				e.Obj(func(e *jx.Encoder) {
					for i := range together {
						e.Field(together[i].name, func(e *jx.Encoder) { encodeList(e, together[i].texts()) })
					}
				})
			})
			first = last
		}
	})
}

func (c *condition) texts() []string {
	texts := make([]string, len(c.values))
	for i := range c.values {
		texts[i] = c.values[i].text
	}
	return texts
}

func encodeList(e *jx.Encoder, values []string) {
	if len(values) == 1 {
		e.Str(values[0])
		return
	}
	e.Arr(func(e *jx.Encoder) {
		for _, v := range values {
			e.Str(v)
		}
	})
}

func named(name string, not bool) string {
	if not {
		return "Not" + name
	}
	return name
}
