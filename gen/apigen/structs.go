package main

// structsFile declares a service's structures, inputs and outputs among them.
func (g *generator) structsFile(m *model) *source {
	out := newSource()
	roles := m.roles()
	for _, s := range g.owned(m) {
		role, ok := roles[s.name]
		if !ok {
			role = "is " + article(s.name) + " structure of the " + titles[m.file] + " API"
		}
		out.f("// %s %s.", s.name, role)
		out.f("type %s struct {", s.name)
		for _, member := range s.Members.names {
			out.f("%s %s", exported(member), m.fieldType(s.Members.by[member].Shape))
		}
		if beside, ok := besides[s.name]; ok {
			out.f("\n%s", beside)
		}
		out.f("}\n")
	}
	// An operation without output still answers with something that has the Output methods.
	for _, name := range m.Operations.names {
		if m.Operations.by[name].Output == "" {
			out.f("// %sOutput is the output of %s: nothing, not even a JSON object.", name, name)
			out.f("type %sOutput struct{}\n", name)
		}
	}
	return out
}

// besides are fields that no client sends: what a door has to say to an operation about a structure, and what the operation found out about
// it.
var besides = map[string]string{
	"BatchStatementRequest":  "// Denied is why the caller may not have this done, nil when it may.\nDenied *Error\n" + statementTable,
	"ExecuteStatementInput":  statementTable,
	"ParameterizedStatement": statementTable,
	"GetItemOutput":          arenaBeside,
	"QueryOutput":            arenaBeside,
	"ScanOutput":             arenaBeside,
}

const arenaBeside = "// Arena is where items lie; nil: they lie by themselves. Bind releases it.\nArena *attr.Arena"

const statementTable = "// Table is what Statement calls its table, empty until it is parsed.\nTable string"

var titles = map[string]string{
	"dynamodb":                "DynamoDB",
	"dynamodb-streams":        "DynamoDB Streams",
	"application-autoscaling": "Application Auto Scaling",
}

// roles says of inputs and outputs which operation they belong to.
func (m *model) roles() map[string]string {
	roles := map[string]string{}
	add := func(name, role, operation string) {
		if before, ok := roles[name]; ok {
			roles[name] = before + " and " + operation
		} else {
			roles[name] = "is the " + role + " of " + operation
		}
	}
	for _, name := range m.Operations.names {
		op := m.Operations.by[name]
		add(op.Input, "input", name)
		if op.Output != "" {
			add(op.Output, "output", name)
		}
	}
	return roles
}

// enumsFile declares the values of a service's enums.
func (g *generator) enumsFile(m *model) *source {
	out := newSource()
	for _, name := range m.Shapes.names {
		s := m.shape(name)
		if len(s.Enum) == 0 || g.owner[name] != m {
			continue
		}
		out.f("// The values of %s.", name)
		out.f("const (")
		for _, value := range s.Enum {
			out.f("%s%s = %q", name, camel(value), value)
		}
		out.f(")\n")
	}
	return out
}
