package main

// appendFile generates the encoders of a service's structures.
//
// Every member is written with a leading comma, and closeObject turns the first into the opening brace: no member has
// to know whether it is the first.
func (g *generator) appendFile(m *model) *source {
	out := newSource()
	for _, s := range g.owned(m) {
		out.f("// AppendJSON appends the JSON object; absent members are left out.")
		out.f("func (s *%s) AppendJSON(dst []byte) []byte {", s.name)
		out.f("start := len(dst)")
		for _, member := range s.Members.names {
			shape := s.Members.by[member].Shape
			out.f("if s.%s != nil {", exported(member))
			out.f("dst = append(dst, `,%q:`...)", member)
			field := "s." + exported(member)
			if m.pointed(shape) && m.shape(shape).Type != "structure" {
				field = "*" + field
			}
			m.appendValue(out, shape, field)
			out.f("}")
		}
		out.f("return closeObject(dst, start)")
		out.f("}\n")
	}
	for _, name := range m.Operations.names {
		if m.Operations.by[name].Output == "" {
			out.f("// AppendJSON appends nothing: the answer has an empty body.")
			out.f("func (s *%sOutput) AppendJSON(dst []byte) []byte { return dst }\n", name)
		}
	}
	return out
}

// appendValue generates the statement that writes one value.
func (m *model) appendValue(out *source, name, value string) {
	s := m.shape(name)
	switch m.wireKind(name) {
	case "string", "enum":
		out.f("dst = attr.AppendJSONString(dst, %s)", value)
	case "integer", "long":
		out.f("dst = strconv.AppendInt(dst, %s, 10)", value)
	case "double":
		out.f("dst = appendDouble(dst, %s)", value)
	case "timestamp":
		out.f("dst = appendTimestamp(dst, %s)", value)
	case "boolean":
		out.f("dst = strconv.AppendBool(dst, %s)", value)
	case "structure", "value", "attributes":
		out.f("dst = %s.AppendJSON(dst)", value)
	case "list":
		out.f("dst = appendList(dst, %s, %s)", value, m.appender(s.Member.Shape))
	case "map":
		out.f("dst = appendMap(dst, %s, %s)", value, m.appender(s.Value.Shape))
	}
}

// appender gives the function that writes one element of a list or map.
func (m *model) appender(name string) string {
	switch m.wireKind(name) {
	case "string", "enum":
		return "attr.AppendJSONString"
	case "double":
		return "appendDouble"
	case "timestamp":
		return "appendTimestamp"
	}
	var body source
	m.appendValue(&body, name, "v")
	return "func(dst []byte, v " + m.goType(name) + ") []byte {\n" + body.body.String() + "return dst\n}"
}
