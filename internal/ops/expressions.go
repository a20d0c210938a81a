package ops

import (
	"errors"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// voice is how an operation words the refusals that need no table: of expressions, attribute values and parameters that do not go
// together. Since June 2026 single-item writes put the framework's envelope before them, all other operations stay bare; what is found
// after the table is known is bare everywhere (semantics §0(a)). BatchWriteItem, Scan, transactions and statements still look at values in
// the older of the service's two layers, which has words of its own for what is wrong with one.
type voice byte

const (
	bare voice = iota
	enveloped
	older
)

const envelope = "1 validation error detected: "

// refuse is the ValidationException with text in this voice.
func (v voice) refuse(text string) error {
	if v == enveloped {
		text = envelope + text
	}
	return api.NewValidationException(text)
}

// faultOf is what is wrong with a value or a map of them, "" when nothing is.
func faultOf[T interface {
	Fault() string
	OlderFault() string
}](v voice, of T) string {
	if v == older {
		return of.OlderFault()
	}
	return of.Fault()
}

// refuseExpression turns a refusal of an expression into an answer; what is no refusal passes.
func (v voice) refuseExpression(err error) error {
	if long, ok := errors.AsType[*expr.TooLong](err); ok && v == older {
		return v.refuse(long.Sized())
	}
	if refused, ok := errors.AsType[*expr.Error](err); ok {
		return v.refuse(refused.Text)
	}
	return err
}

// checkValues refuses an item or a key with a fault in one of its values or names. The older layer looks at names first.
func (v voice) checkValues(values attr.Map) error {
	text := faultOf(v, values)
	if text == "" || v == older {
		for name := range values.All() {
			if wrong := expr.CheckName(name); wrong != "" {
				text = wrong
				break
			}
		}
	}
	if text != "" {
		return v.refuse(text)
	}
	return nil
}

// parameter is a request member that is an expression, or the legacy spelling of one.
type parameter struct {
	name  string
	given bool
}

// mixture is what a request says in expressions and what in their legacy spellings, in the order messages list them.
type mixture struct {
	expressions []parameter
	legacy      []parameter
	names       map[string]string
	values      attr.Map
}

// check refuses legacy parameters beside expressions, and names or values without an expression that could use them (semantics §8.2,
// §9.1).
func (m mixture) check(v voice) error {
	expressions := given(m.expressions)
	if legacy := given(m.legacy); len(expressions) > 0 && len(legacy) > 0 {
		return v.refuse("Can not use both expression and non-expression parameters in the same request: " +
			"Non-expression parameters: {" + strings.Join(legacy, ", ") + "} " +
			"Expression parameters: {" + strings.Join(expressions, ", ") + "}")
	}
	if m.names != nil && len(expressions) == 0 {
		return v.refuse("ExpressionAttributeNames can only be specified when using expressions")
	}
	if m.values == nil {
		return nil
	}
	return m.checkValueBearing(v)
}

// checkValueBearing refuses values when no expression is given that may hold one; a projection may not.
func (m mixture) checkValueBearing(v voice) error {
	var bearing []string
	for _, p := range m.expressions {
		if p.name == string(expr.ProjectionExpression) {
			continue
		}
		if p.given {
			return nil
		}
		bearing = append(bearing, p.name)
	}
	text := "ExpressionAttributeValues can only be specified when using expressions"
	if v != enveloped && len(bearing) > 0 {
		verb := " is null"
		if len(bearing) > 1 {
			verb = " are null"
		}
		text += ": " + strings.Join(bearing, " and ") + verb
	}
	return v.refuse(text)
}

// given lists the names of the parameters that are there.
func given(parameters []parameter) []string {
	var names []string
	for _, p := range parameters {
		if p.given {
			names = append(names, p.name)
		}
	}
	return names
}

// expressions compiles the expressions of one request in the order DynamoDB looks at them (semantics §8.5). The first refusal stays, and
// everything after it compiles to nothing.
type expressions struct {
	voice voice
	names *expr.Names
	err   error
}

// newExpressions checks the names and values of a request. A request without any compiles nothing and costs nothing. The older layer names
// the alias of a faulty value; everywhere else it is looked for first and spoken of as if it were the item's.
func newExpressions(v voice, names map[string]string, values attr.Map) *expressions {
	x := &expressions{voice: v, names: expr.NewNames(names, values)}
	if fault := values.Fault(); v != older && fault != "" {
		x.err = v.refuse(fault)
		return x
	}
	x.err = x.names.Check()
	return x
}

func (x *expressions) update(text *string) *expr.Update {
	if x.err != nil || text == nil {
		return nil
	}
	var u *expr.Update
	u, x.err = expr.ParseUpdate(*text, x.names)
	return u
}

func (x *expressions) condition(kind expr.Kind, text *string) *expr.Condition {
	if x.err != nil || text == nil {
		return nil
	}
	var c *expr.Condition
	c, x.err = expr.ParseCondition(kind, *text, x.names)
	return c
}

func (x *expressions) keyCondition(text *string) *expr.KeyCondition {
	if x.err != nil || text == nil {
		return nil
	}
	var k *expr.KeyCondition
	k, x.err = expr.ParseKeyCondition(*text, x.names)
	return k
}

func (x *expressions) projection(text *string) *expr.Projection {
	if x.err != nil || text == nil {
		return nil
	}
	var p *expr.Projection
	p, x.err = expr.ParseProjection(*text, x.names)
	return p
}

// finish refuses what was wrong, or names and values that no expression used.
func (x *expressions) finish() error {
	if x.err == nil {
		x.err = x.names.Unused()
	}
	return x.voice.refuseExpression(x.err)
}
