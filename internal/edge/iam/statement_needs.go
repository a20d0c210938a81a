package iam

import (
	"strconv"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/partiql"
	"stator/internal/model/table"
)

// A statement needs an action of its own kind, whatever operation carries it.
var statementActions = map[partiql.Verb]string{
	partiql.Select: "dynamodb:PartiQLSelect", partiql.Exists: "dynamodb:PartiQLSelect", partiql.Insert: "dynamodb:PartiQLInsert",
	partiql.Update: "dynamodb:PartiQLUpdate", partiql.Delete: "dynamodb:PartiQLDelete",
}

// statementNeeds are those of operations that carry statements; ok is false for another operation.
func (g *Guard) statementNeeds(r *Request) (needs []need, ok bool) {
	add := func(text *string, parameters []attr.Value, onFailure *string) *need {
		n, lawful := g.statement(*text, parameters, onFailure)
		if !lawful {
			return &need{}
		}
		needs = append(needs, n)
		return &needs[len(needs)-1]
	}
	switch in := r.Input.(type) {
	case *api.ExecuteStatementInput:
		add(in.Statement, in.Parameters, in.ReturnValuesOnConditionCheckFailure).items.capacity = in.ReturnConsumedCapacity
	case *api.BatchExecuteStatementInput:
		for i := range in.Statements {
			s := &in.Statements[i]
			n := add(s.Statement, s.Parameters, s.ReturnValuesOnConditionCheckFailure)
			n.items.capacity, n.items.enclosing, n.denied = in.ReturnConsumedCapacity, "BatchExecuteStatement", &s.Denied
		}
	case *api.ExecuteTransactionInput:
		for i := range in.TransactStatements {
			s := &in.TransactStatements[i]
			n := add(s.Statement, s.Parameters, s.ReturnValuesOnConditionCheckFailure)
			n.items.capacity, n.items.enclosing = in.ReturnConsumedCapacity, "ExecuteTransaction"
		}
	default:
		return nil, false
	}
	return needs, true
}

// statement is what one statement needs. One that cannot be read needs nothing: the operation reads it in the same way, and
// refuses it.
func (g *Guard) statement(text string, parameters []attr.Value, onFailure *string) (n need, lawful bool) {
	parsed, err := partiql.Parse(text)
	if err != nil {
		return need{}, false
	}
	s, err := parsed.Bind(parameters)
	if err != nil {
		return need{}, false
	}
	var index *string
	if s.Index != "" {
		index = &s.Index
	}
	n = g.onTable(statementActions[s.Verb], s.Table, index)
	n.items = items{names: func(m *mentions) { mentionStatement(m, s) }, returned: returned(shown(s.Returning), onFailure)}
	if s.Verb == partiql.Select {
		n.items.selected = selected(nil, s.Columns != nil, index != nil)
	}
	if len(n.key.Hash) > 0 {
		n.nameItems(s)
	}
	return n, true
}

// nameItems finds the partition keys that a statement names, and whether it goes through a table because it names none.
func (n *need) nameItems(s *partiql.Bound) {
	hash := n.key.Hash[0].Name
	switch s.Verb {
	case partiql.Insert:
		n.items.keys = partitionKeys(s.Item)
	case partiql.Update, partiql.Delete, partiql.Exists:
		n.items.keys = partitionKeys(s.Where.Pin(n.key.Names()).Key)
	case partiql.Select:
		var values []string
		branches, err := s.Where.Branches(hash, "")
		for i := range branches {
			values = appendText(values, branches[i].Hash)
		}
		n.items.keys = func(table.Key) []string { return values }
		n.items.fullScan = strconv.FormatBool(err == nil && branches == nil)
	}
}

func mentionStatement(m *mentions, s *partiql.Bound) {
	m.item(s.Item)
	m.paths(s.Columns.Paths())
	m.paths(s.Where.Condition().Paths())
	m.paths(s.Changes.Paths())
	m.paths(s.Changes.Sources())
	for _, o := range s.Order {
		m.names = append(m.names, o.Name)
	}
}

// shown is the clause RETURNING as ReturnValues says it.
func shown(r partiql.Returning) *string {
	var kind string
	switch {
	case !r.Given:
		return nil
	case r.All && r.New:
		kind = api.ReturnValueAllNew
	case r.All:
		kind = api.ReturnValueAllOld
	case r.New:
		kind = api.ReturnValueUpdatedNew
	default:
		kind = api.ReturnValueUpdatedOld
	}
	return &kind
}
