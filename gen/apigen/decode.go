package main

import "strings"

// decodeFile generates the decoders of a service's inputs and of what they contain.
func (g *generator) decodeFile(m *model) *source {
	out := newSource()
	reachable := g.reachable(m)
	for _, s := range g.owned(m) {
		if reachable[s.name] {
			m.decodeStructure(out, s)
		}
	}
	return out
}

// decodeStructure generates the Decode method. The member names are compared as bytes, which costs no allocation.
func (m *model) decodeStructure(out *source, s *shape) {
	out.f("// Decode reads the JSON object: unknown members are skipped, a null is an absent member, the last of")
	out.f("// equal members counts. A value of the wrong JSON type is an *attr.Mismatch.")
	out.f("func (s *%s) Decode(d *jx.Decoder) error {", s.name)
	out.f("members, err := object(d, %q)", m.javaType(s.name))
	out.f("if err != nil {\nreturn err\n}")
	out.f("for members.Next() {")
	if len(s.Members.names) > 0 {
		out.f("switch string(members.Key()) {")
		for _, member := range s.Members.names {
			out.f("case %q:", member)
			out.f("err = %s", m.readField(s.Members.by[member].Shape, "s."+exported(member)))
		}
		out.f("default:\nerr = d.Skip()\n}")
	} else {
		out.f("err = d.Skip()")
	}
	out.f("if err != nil {\nreturn err\n}")
	out.f("}\nreturn members.Err()\n}\n")
}

// readField gives the call that reads a structure's member.
func (m *model) readField(name, field string) string {
	switch m.wireKind(name) {
	case "structure":
		return "readStructure(d, &" + field + ", (*" + name + ").Decode)"
	case "value":
		return "readMemberValue(d, &" + field + ")"
	case "string", "enum":
		return "readText(d, &" + field + ")"
	case "list", "map", "attributes":
		return m.readCall(name, "d", "&"+field)
	}
	return "readPointer(d, &" + field + ", " + m.reader(name) + ")"
}

// readCall gives the call that reads into *target.
func (m *model) readCall(name, decoder, target string) string {
	s := m.shape(name)
	switch m.wireKind(name) {
	case "list":
		return "readList(" + decoder + ", " + target + ", " + m.reader(s.Member.Shape) + ")"
	case "map":
		return "readMap(" + decoder + ", " + target + ", \"" + m.javaType(name) + "\", " + m.reader(s.Value.Shape) + ")"
	}
	return m.reader(name) + "(" + decoder + ", " + target + ")"
}

// reader gives the function that reads one value of the shape into a pointer.
func (m *model) reader(name string) string {
	switch m.wireKind(name) {
	case "string", "enum":
		return "readString"
	case "integer":
		return "readInteger"
	case "long":
		return "readLong"
	case "double":
		return "readDouble"
	case "timestamp":
		return "readTimestamp"
	case "boolean":
		return "readBoolean"
	case "value":
		return "readValue"
	case "attributes":
		return "readAttributes"
	case "structure":
		return "func(d *jx.Decoder, v *" + name + ") error { return v.Decode(d) }"
	}
	return "func(d *jx.Decoder, v *" + m.goType(name) + ") error { return " + m.readCall(name, "d", "v") + " }"
}

// javaType is the service's own name of a shape's type, which stands in its serialization errors.
func (m *model) javaType(name string) string {
	s := m.shape(name)
	switch s.Type {
	case "structure":
		prefix := strings.TrimSuffix(m.Metadata.ErrorTypePrefix, "#")
		if prefix == "" {
			prefix = "com.amazonaws.applicationautoscaling"
		}
		return prefix + "." + name
	case "list":
		return "java.util.List<" + m.javaType(s.Member.Shape) + ">"
	case "map":
		return "java.util.Map<java.lang.String, " + m.javaType(s.Value.Shape) + ">"
	case "integer":
		return "java.lang.Integer"
	case "timestamp":
		return "java.util.Date"
	}
	return "java.lang." + exported(s.Type)
}
