package main

import (
	"slices"
	"strings"
)

// exception is one error type on the wire.
type exception struct {
	constructor   string // the Go name behind "New"
	name          string
	wireType      string
	status        int
	messageMember string
	reasonsMember string
	sentence      string
}

// exceptions collects the errors of all services. Where a name means another thing to Application Auto Scaling, its
// constructor is set apart by a prefix.
func (g *generator) exceptions() []exception {
	var all []exception
	taken := map[string]bool{}
	for _, e := range g.overlay.Errors {
		taken[e.Name] = true
		all = append(all, exception{
			constructor: e.Name, name: e.Name, wireType: e.WireType, status: e.Status, messageMember: e.MessageMember,
			sentence: "an error of the protocol, not of one service",
		})
	}
	for _, m := range g.models {
		for _, name := range m.Shapes.names {
			s := m.shape(name)
			if !s.Exception || (taken[name] && m.Metadata.ErrorTypePrefix != "") {
				continue
			}
			e := exception{
				constructor: name, name: name, wireType: m.Metadata.ErrorTypePrefix + name, status: s.Error.HTTPStatusCode,
				sentence: "an error of " + titles[m.file],
			}
			if taken[name] {
				e.constructor = "AutoScaling" + name
			}
			taken[name] = true
			for _, member := range s.Members.names {
				switch strings.ToLower(member) {
				case "message":
					e.messageMember = member
				case "throttlingreasons":
					e.reasonsMember = member
				}
			}
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b exception) int { return strings.Compare(a.constructor, b.constructor) })
	return all
}

// errorsFile generates a constructor for each error, and the form in which it goes over the wire.
func (g *generator) errorsFile() *source {
	out := newSource()
	all := g.exceptions()
	out.f("var (")
	for _, e := range all {
		out.f("form%s = form{wireType: %q, message: %q, reasons: %q}",
			e.constructor, e.wireType, e.messageMember, e.reasonsMember)
	}
	out.f(")\n")
	for _, e := range all {
		out.f("// New%s makes %s %s, %s.", e.constructor, article(e.name), e.name, e.sentence)
		out.f("func New%s(message string) *Error {", e.constructor)
		out.f("return &Error{Type: %q, Status: %d, Message: message, form: &form%s}", e.name, e.status, e.constructor)
		out.f("}\n")
	}
	out.f("// formOf finds the form of an error that was not made by a constructor.")
	out.f("func formOf(name string) *form {")
	out.f("switch name {")
	for _, e := range all {
		if e.constructor == e.name {
			out.f("case %q:\nreturn &form%s", e.name, e.constructor)
		}
	}
	out.f("}\nreturn nil\n}")
	return out
}
