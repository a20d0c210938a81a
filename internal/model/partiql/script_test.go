package partiql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/go-faster/jx"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/partiql"
)

// script is the state a golden file builds up: item, parameters and key set it, all other commands are asked once a line.
type script struct {
	item       attr.Map
	parameters []attr.Value
	hash, sort string
}

func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		s := &script{hash: "pk", sort: "sk"}
		datadriven.RunTest(t, path, s.run)
	})
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "item":
		s.item = decode(t, d.Input)
		return ""
	case "parameters":
		s.parameters = nil
		if d.Input != "" {
			list, _ := decode(t, `{"l":{"L":`+d.Input+`}}`).Get("l")
			for v := range list.Elements() {
				s.parameters = append(s.parameters, v)
			}
		}
		return ""
	case "key":
		s.hash, s.sort = d.CmdArgs[0].Key, ""
		if len(d.CmdArgs) > 1 {
			s.sort = d.CmdArgs[1].Key
		}
		return ""
	}
	var out strings.Builder
	for line := range strings.SplitSeq(d.Input, "\n") {
		fmt.Fprintf(&out, "%s\n", s.answer(d.Cmd, strings.ReplaceAll(line, `\n`, "\n")))
	}
	return out.String()
}

func decode(t testing.TB, text string) attr.Map {
	t.Helper()
	m, err := attr.DecodeMap(jx.DecodeStr(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answer runs one line: a whole statement for the command statement, otherwise the part of one that the command is named after.
func (s *script) answer(command, line string) string {
	before := map[string]string{
		"where": `SELECT * FROM "T" WHERE `, "branches": `SELECT * FROM "T" WHERE `, "pin": `SELECT * FROM "T" WHERE `,
		"set": `UPDATE "T" SET `, "value": `INSERT INTO "T" VALUE {'v': `, "columns": `SELECT `,
	}
	after := map[string]string{"set": ` WHERE pk = 'k'`, "value": `}`, "columns": ` FROM "T"`}
	b, err := s.bind(before[command] + line + after[command])
	if err != nil {
		return err.Error()
	}
	switch command {
	case "where":
		return fmt.Sprint(b.Where.Condition().Holds(s.item))
	case "columns":
		return json(b.Columns.Apply(s.item))
	case "set":
		return s.changed(b)
	case "value":
		return json(b.Item)
	case "branches":
		return s.branches(b)
	case "pin":
		return s.pin(b)
	}
	return s.shown(b)
}

func (s *script) bind(text string) (*partiql.Bound, error) {
	statement, err := partiql.Parse(text)
	if err != nil {
		return nil, err
	}
	if err := statement.CheckColumns(); err != nil {
		return nil, err
	}
	return statement.Bind(s.parameters)
}

func json(m attr.Map) string {
	if len(m) == 0 {
		return "nothing"
	}
	return string(m.AppendJSON(nil))
}

// shown is a statement without what the other commands show.
func (s *script) shown(b *partiql.Bound) string {
	verbs := map[partiql.Verb]string{
		partiql.Select: "select", partiql.Insert: "insert", partiql.Update: "update", partiql.Delete: "delete", partiql.Exists: "exists",
	}
	text := verbs[b.Verb] + " " + b.Table
	if b.Index != "" {
		text += "." + b.Index
	}
	if b.Where != nil {
		text += fmt.Sprint(" where ", b.Where.Condition().Holds(s.item))
	}
	for _, o := range b.Order {
		text += fmt.Sprint(" by ", o.Name, " ", o.Descending)
	}
	if b.Verb == partiql.Insert {
		text += " " + json(b.Item)
	}
	if b.Verb == partiql.Update {
		text += " " + s.changed(b)
	}
	if b.Returning.Given {
		text += " returning " + b.Returning.String()
	}
	return text
}

func (s *script) changed(b *partiql.Bound) string {
	after, err := b.Changes.Apply(s.item, nil)
	if err != nil {
		return err.Error()
	}
	var parts []string
	for name, value := range after.All() {
		if old, found := s.item.Get(name); !found || !attr.Equal(old, value) {
			parts = append(parts, name+"="+string(value.AppendJSON(nil)))
		}
	}
	for name := range s.item.All() {
		if _, found := after.Get(name); !found {
			parts = append(parts, "-"+name)
		}
	}
	if parts == nil {
		return "no change"
	}
	return strings.Join(parts, " ")
}

func (s *script) branches(b *partiql.Bound) string {
	branches, err := b.Where.Branches(s.hash, s.sort)
	if err != nil {
		return err.Error()
	}
	if branches == nil {
		return "scan"
	}
	ops := map[expr.KeyOp]string{expr.EQ: "=", expr.LT: "<", expr.LE: "<=", expr.GT: ">", expr.GE: ">=", expr.Between: "between", expr.BeginsWith: "begins"}
	texts := make([]string, len(branches))
	for i, branch := range branches {
		texts[i] = branch.Hash.Text()
		for _, part := range branch.Sort {
			texts[i] += " " + part.Name + ops[part.Op]
			for _, v := range part.Values {
				texts[i] += v.Text()
			}
		}
		if branch.Void {
			texts[i] += " void"
		}
		if branch.Open {
			texts[i] += " open"
		}
		if len(branch.Rest) > 0 {
			texts[i] += " rest " + strings.Join(branch.Rest, ",")
		}
	}
	return strings.Join(texts, " | ")
}

func (s *script) pin(b *partiql.Bound) string {
	key := []string{s.hash}
	if s.sort != "" {
		key = append(key, s.sort)
	}
	pin := b.Where.Pin(key)
	text := json(pin.Key)
	if pin.Conflict != "" {
		text += " conflict " + pin.Conflict
	}
	if pin.Bare() {
		text += " bare"
	}
	condition, err := pin.Condition(s.hash)
	if err != nil {
		return err.Error()
	}
	text += fmt.Sprint(", holds ", condition.Holds(s.item))
	if _, ok := b.Where.Lookup(key); ok {
		text += ", lookup"
	}
	return text
}
