package main

// operationsFile generates the registry: what the doors need to know of an operation before they can call it.
func (g *generator) operationsFile() *source {
	out := newSource()
	out.f("// Operations are all operations of the three services, by service and then by name.")
	out.f("var Operations = []Operation{")
	for _, m := range g.models {
		for _, name := range m.Operations.names {
			op := m.Operations.by[name]
			out.f("{Service: %q, Name: %q, Target: %q, Signing: %q, ContentType: %q, ReadOnly: %t, Idempotent: %t},",
				m.file, name, m.Metadata.TargetPrefix+"."+name, m.Metadata.SigningName, m.Metadata.ContentType,
				op.ReadOnly, op.Idempotent)
		}
	}
	out.f("}\n")
	out.f("// Lookup finds the operation that an X-Amz-Target header names.")
	out.f("func Lookup(target string) (*Operation, bool) {")
	out.f("switch target {")
	index := 0
	for _, m := range g.models {
		for _, name := range m.Operations.names {
			out.f("case %q:\nreturn &Operations[%d], true", m.Metadata.TargetPrefix+"."+name, index)
			index++
		}
	}
	out.f("}\nreturn nil, false\n}")
	return out
}
