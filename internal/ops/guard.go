package ops

import (
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// guard is the condition of a put or delete, in either of its spellings.
type guard struct {
	voice      voice
	expected   map[string]api.ExpectedAttributeValue
	operator   *string
	expression *string
	names      map[string]string
	values     attr.Map
}

func (g *guard) checkMix() error {
	return mixture{
		expressions: []parameter{{"ConditionExpression", g.expression != nil}},
		legacy:      []parameter{{"Expected", g.expected != nil}, {"ConditionalOperator", g.operator != nil}},
		names:       g.names,
		values:      g.values,
	}.check(g.voice)
}

// compile is the condition, nil when there is none.
func (g *guard) compile() (*expr.Condition, error) {
	if g.expression == nil {
		return g.voice.expected(g.expected, g.operator)
	}
	x := newExpressions(g.voice, g.names, g.values)
	condition := x.condition(expr.ConditionExpression, g.expression)
	return condition, x.finish()
}
