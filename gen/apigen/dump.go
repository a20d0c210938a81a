package main

import "strings"

// dumpFile generates the text forms of structures that constraint failures of lists and maps echo. They follow the
// service's own: KeySchemaElement(attributeName=pk, keyType=HASH).
func (g *generator) dumpFile(m *model) *source {
	out := newSource()
	dumped, echoed := g.dumped(m)
	for _, name := range echoed {
		out.f("func dump%s(dst []byte, v %s) []byte {\nreturn %s\n}\n", m.prefix()+name, m.goType(name), m.dumpCall(name, "dst", "v"))
	}
	for _, s := range g.owned(m) {
		if !dumped[s.name] {
			continue
		}
		out.f("func (s *%s) dump(dst []byte) []byte {", s.name)
		out.f("dst = append(dst, \"%s(\"...)", s.name)
		out.f("start := len(dst)")
		for _, member := range s.Members.names {
			shape := s.Members.by[member].Shape
			field := "s." + exported(member)
			out.f("if %s != nil {", field)
			out.f("dst = dumpName(dst, start, %q)", strings.ToLower(member[:1])+member[1:])
			if m.pointed(shape) && m.shape(shape).Type != "structure" {
				field = "*" + field
			}
			out.f("dst = %s\n}", m.dumpCall(shape, "dst", field))
		}
		out.f("return append(dst, ')')\n}\n")
	}
	return out
}

// dumped gives the shapes inside of lists and maps that failures may echo, and the names of those lists and maps.
func (g *generator) dumped(m *model) (map[string]bool, []string) {
	var echoed []string
	v := &validator{generator: g, m: m}
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] || name == attributeValue {
			return
		}
		seen[name] = true
		s := m.shape(name)
		for _, member := range s.Members.names {
			visit(s.Members.by[member].Shape)
		}
		for _, r := range []*reference{s.Member, s.Value} {
			if r != nil {
				visit(r.Shape)
			}
		}
	}
	reachable := g.reachable(m)
	for _, name := range m.Shapes.names {
		if kind := m.wireKind(name); reachable[name] && (kind == "list" || kind == "map") && !g.overlay.JSON[name] && v.echoed(name) {
			echoed = append(echoed, name)
			visit(name)
		}
	}
	return seen, echoed
}

// dumpCall gives the expression that appends a value's text form.
func (m *model) dumpCall(name, dst, value string) string {
	s := m.shape(name)
	switch m.wireKind(name) {
	case "string", "enum":
		return "append(" + dst + ", " + value + "...)"
	case "integer", "long":
		return "strconv.AppendInt(" + dst + ", " + value + ", 10)"
	case "double", "timestamp":
		return "appendDouble(" + dst + ", " + value + ")"
	case "boolean":
		return "strconv.AppendBool(" + dst + ", " + value + ")"
	case "value":
		return "append(" + dst + ", " + value + ".Text()...)"
	case "attributes":
		return "dumpAttributes(" + dst + ", " + value + ")"
	case "list":
		return "dumpList(" + dst + ", " + value + ", " + m.dumper(s.Member.Shape) + ")"
	case "map":
		return "dumpMap(" + dst + ", " + value + ", " + m.dumper(s.Value.Shape) + ")"
	}
	return value + ".dump(" + dst + ")"
}

func (m *model) dumper(name string) string {
	if m.wireKind(name) == "attributes" {
		return "dumpAttributes"
	}
	return "func(dst []byte, v " + m.goType(name) + ") []byte { return " + m.dumpCall(name, "dst", "v") + " }"
}
