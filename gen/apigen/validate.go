package main

import (
	"fmt"
	"slices"
	"strings"
)

// validateFile generates the constraint checks of a service's inputs.
func (g *generator) validateFile(m *model) *source {
	out := newSource()
	v := &validator{generator: g, m: m, out: out}
	reachable := g.reachable(m)
	inputs := map[string]bool{}
	for _, name := range m.Operations.names {
		inputs[m.Operations.by[name].Input] = true
	}
	for _, s := range g.owned(m) {
		if !reachable[s.name] {
			continue
		}
		if inputs[s.name] {
			v.validateMethod(s)
		}
		if v.checked(s.name) {
			v.checkMethod(s)
		}
	}
	v.rules(reachable)
	return out
}

// validator generates the checks of one service.
type validator struct {
	*generator
	m   *model
	out *source
}

// validateMethod generates the exported check of an input.
func (v *validator) validateMethod(s *shape) {
	v.out.f("// Validate checks the input against the constraints of the service's model.")
	v.out.f("func (s *%s) Validate() error {", s.name)
	if !v.checked(s.name) {
		v.out.f("return nil\n}\n")
		return
	}
	constructor := "NewValidationException"
	if v.m.Metadata.ErrorTypePrefix == "" {
		constructor = "NewAutoScalingValidationException"
	}
	v.out.f("var c checks\ns.check(&c, nil)\nreturn c.err(%s)\n}\n", constructor)
}

// checkMethod generates the check of a structure that stands at a path.
func (v *validator) checkMethod(s *shape) {
	v.out.f("func (s *%s) check(c *checks, at *path) {", s.name)
	t, split := v.overlay.Together[s.name]
	if split {
		v.out.f("if s.%s == nil {\ns.checkTogether(c, at)\nreturn\n}\nc.first = true", exported(t.Without))
	}
	v.checkMembers(s, v.overlay.Order[s.name])
	v.out.f("}\n")
	if !split {
		return
	}
	v.out.f("func (s *%s) checkTogether(c *checks, at *path) {\nc.together = true", s.name)
	v.checkMembers(s, t.Members)
	v.out.f("}\n")
}

// checkMembers checks the members, those of order before the others.
func (v *validator) checkMembers(s *shape, order []string) {
	members := slices.Clone(order)
	for _, member := range s.Members.names {
		if !slices.Contains(members, member) {
			members = append(members, member)
		}
	}
	for _, member := range members {
		v.checkMember(s, member)
	}
}

func (v *validator) checkMember(s *shape, member string) {
	use := use{structure: s.name, member: member, shape: s.Members.by[member].Shape, field: "s." + exported(member)}
	inner := v.valueCheck(use)
	required := s.requires(member) && !v.overlay.Limits[use.target()].Optional
	switch {
	case required && inner == "":
		v.out.f("if %s == nil {\n%s\n}", use.field, v.absent(use))
	case required:
		v.out.f("if %s == nil {\n%s\n} else {\n%s}", use.field, v.absent(use), inner)
	case inner != "":
		v.out.f("if %s != nil {\n%s}", use.field, inner)
	}
}

// use is a member of a structure, as the checks see it.
type use struct {
	structure, member, shape string
	field                    string // the Go expression of the field
}

func (u use) target() string { return u.structure + "." + u.member }

// absent gives the statement for a required member that is missing.
func (v *validator) absent(u use) string {
	for _, missing := range v.overlay.Missing {
		for _, name := range missing.Operations {
			if v.m.Operations.by[name] != nil && v.m.Operations.by[name].Input == u.structure && missing.Member == u.member {
				return fmt.Sprintf("c.only(%q)", missing.Text)
			}
		}
	}
	return fmt.Sprintf("c.null(at, %q)", u.member)
}

// valueCheck gives the statements that check a present member, or nothing.
func (v *validator) valueCheck(u use) string {
	var out source
	s := v.m.shape(u.shape)
	limit := v.overlay.Limits[u.target()]
	if limit.Drop {
		return ""
	}
	switch v.m.wireKind(u.shape) {
	case "string":
		if rule := v.textRule(u); rule != "" {
			out.f("c.str(at, %q, *%s, &%s)", u.member, u.field, rule)
		}
	case "enum":
		if text, ok := v.overlay.Misfit[u.target()]; ok {
			out.f("if !enum%s.has(*%s) {\nc.only(%q)\n}", u.shape, u.field, text)
			break
		}
		out.f("c.enum(at, %q, *%s, &enum%s)", u.member, u.field, u.shape)
	case "integer", "long":
		if bounded(s) {
			out.f("c.number(at, %q, *%s, %s)", u.member, u.field, v.bounds(u))
		}
	case "structure":
		if v.checked(u.shape) {
			out.f("%s.check(c, &path{up: at, name: %q})", u.field, u.member)
		}
	case "list", "map":
		v.containerCheck(&out, u)
	}
	return out.body.String()
}

// bounds gives the literal of a member's bounds, the overlay's before the model's.
func (v *validator) bounds(u use) string {
	s := v.m.shape(u.shape)
	low, high := s.Min, s.Max
	if limit := v.overlay.Limits[u.target()]; limit.Max != nil {
		high = limit.Max
	}
	return boundsLiteral(low, high, v.overlay.Bare[u.target()])
}

func boundsLiteral(low, high *int64, bare bool) string {
	fields := []string{"min: unbounded", "max: unbounded"}
	if low != nil {
		fields[0] = fmt.Sprintf("min: %d", *low)
	}
	if high != nil {
		fields[1] = fmt.Sprintf("max: %d", *high)
	}
	if bare {
		fields = append(fields, "bare: true")
	}
	return "bounds{" + strings.Join(fields, ", ") + "}"
}

func bounded(s *shape) bool { return s.Min != nil || s.Max != nil }

// textRule names the rule of a string member, if it has one.
func (v *validator) textRule(u use) string {
	names := v.overlay.TableNames
	if u.shape == names.Shape && u.member == names.Member {
		if slices.Contains(names.MinOne, u.structure) {
			return "ruleTableNameFromOne"
		}
		return "ruleTableName"
	}
	return v.shapeRule(u.shape)
}

func (v *validator) shapeRule(name string) string {
	if s := v.m.shape(name); s.Type != "string" || (!bounded(s) && s.Pattern == "") {
		return ""
	}
	return v.ruleName(name)
}

// ruleName is the variable that holds a string shape's rule.
func (v *validator) ruleName(name string) string { return "text" + v.m.prefix() + name }

// checked tells whether anything about a shape, or in it, is to be checked.
func (v *validator) checked(name string) bool {
	s := v.m.shape(name)
	switch v.m.wireKind(name) {
	case "value", "attributes":
		return false
	case "enum":
		return true
	case "structure":
		for _, member := range s.Members.names {
			if s.requires(member) || v.checked(s.Members.by[member].Shape) {
				return true
			}
		}
		return false
	case "list":
		return bounded(s) || v.checked(s.Member.Shape)
	case "map":
		return bounded(s) || v.overlay.KeyedByName[name] || v.checked(s.Key.Shape) || v.checked(s.Value.Shape)
	}
	return bounded(s) || s.Pattern != ""
}
