package main

import (
	"fmt"
	"strings"
)

// containerCheck generates the checks of a list or map: its length, its keys, its elements.
func (v *validator) containerCheck(out *source, u use) {
	s := v.m.shape(u.shape)
	if text, ok := v.overlay.Empty[u.target()]; ok {
		out.f("if len(%s) == 0 {\nc.only(%q)\n}", u.field, text)
	}
	var own source
	if bounded(s) || v.overlay.Limits[u.target()].Max != nil {
		own.f("c.size(at, %q, container{len(%s), dump}, %s)", u.member, u.field, v.bounds(u))
	}
	if s.Type == "map" {
		if rule := v.keyRule(u.shape); rule != "" {
			own.f("for key := range %s {\nif !%s.holds(key) {", u.field, rule)
			own.f("c.%s(at, %q, dump, \"Map keys must satisfy constraint: [\"+%s.text()+\"]\")\nbreak\n}\n}", v.keyFailure(u), u.member, rule)
		}
	}
	v.elementCheck(&own, u)
	if own.body.Len() > 0 {
		out.f("dump := func(dst []byte) []byte { %s }", v.echo(u))
		out.f("%s", strings.TrimSpace(own.body.String()))
	}
	v.nestedCheck(out, s, u.field, step{fmt.Sprintf("&path{up: at, name: %q}", u.member), "here"})
}

// keyFailure is how a bad key of a map is reported.
func (v *validator) keyFailure(u use) string {
	if v.overlay.Yielding[u.target()] {
		return "yield"
	}
	return "fail"
}

// echo gives the statements that append the text form of a list or map and return.
func (v *validator) echo(u use) string {
	if !v.overlay.JSON[u.shape] {
		return fmt.Sprintf("return dump%s(dst, %s)", v.m.prefix()+u.shape, u.field)
	}
	var body source
	v.m.appendValue(&body, u.shape, u.field)
	return "start := len(dst)\n" + body.body.String() + "return cutDump(dst, start)"
}

// echoed tells whether failures of a list or map may show its text form.
func (v *validator) echoed(name string) bool {
	s := v.m.shape(name)
	element := s.Member
	if s.Type == "map" {
		element = s.Value
		if v.keyRule(name) != "" {
			return true
		}
	}
	kind := v.m.wireKind(element.Shape)
	return bounded(s) || kind == "enum" || (kind == "string" && v.shapeRule(element.Shape) != "") ||
		(kind == "list" && bounded(v.m.shape(element.Shape)))
}

func (v *validator) keyRule(name string) string {
	if v.overlay.KeyedByName[name] {
		return "ruleTableName"
	}
	return v.shapeRule(v.m.shape(name).Key.Shape)
}

// elementCheck generates the check of elements that have no members: a bad one is a failure of the whole container.
func (v *validator) elementCheck(out *source, u use) {
	s := v.m.shape(u.shape)
	element, subject := s.Member, "Member"
	if s.Type == "map" {
		element, subject = s.Value, "Map value"
	}
	var holds, text string
	switch v.m.wireKind(element.Shape) {
	case "string":
		rule := v.shapeRule(element.Shape)
		if rule == "" {
			return
		}
		holds, text = rule+".holds(v)", rule+".text()"
	case "enum":
		holds, text = "enum"+element.Shape+".has(v)", "enum"+element.Shape+".text()"
	case "list":
		inner := v.m.shape(element.Shape)
		if !bounded(inner) {
			return
		}
		limits := boundsLiteral(inner.Min, inner.Max, false)
		holds, text = "("+limits+").hold(int64(len(v)))", "("+limits+").lengthText()"
	default:
		return
	}
	out.f("for _, v := range %s {\nif !%s {", u.field, holds)
	out.f("c.fail(at, %q, dump, %q+%s+\"]\")\nbreak\n}\n}", u.member, subject+" must satisfy constraint: [", text)
}

// step is the path of a container, and the variable that holds it in the generated code.
type step struct {
	path, variable string
}

// nestedCheck generates the checks inside of a container's elements. Maps are walked by key, so that the same input
// always gives the same answer.
func (v *validator) nestedCheck(out *source, s *shape, value string, at step) {
	element := s.Member
	if s.Type == "map" {
		element = s.Value
	}
	inner := v.m.shape(element.Shape)
	kind := v.m.wireKind(element.Shape)
	if !v.checked(element.Shape) || (kind != "structure" && !v.leadsToStructure(inner)) {
		return
	}
	out.f("%s := %s", at.variable, at.path)
	item := value + "[i]"
	next := fmt.Sprintf("&path{up: %s, index: i + 1}", at.variable)
	if s.Type == "map" {
		out.f("for _, key := range sortedKeys(%s) {\nv := %s[key]", value, value)
		item, next = "v", fmt.Sprintf("&path{up: %s, key: key}", at.variable)
	} else {
		out.f("for i := range %s {", value)
	}
	if kind == "structure" {
		out.f("%s.check(c, %s)", item, next)
	} else {
		v.nestedCheck(out, inner, item, step{next, "inside"})
	}
	out.f("}")
}

func (v *validator) leadsToStructure(s *shape) bool {
	switch s.Type {
	case "list":
		return v.m.shape(s.Member.Shape).Type == "structure"
	case "map":
		return v.m.shape(s.Value.Shape).Type == "structure"
	}
	return false
}
