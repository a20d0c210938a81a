package policy

import "strings"

// conditions gives written conditions their meaning.
func (r *reader) conditions(written []writtenCondition) ([]condition, error) {
	var conditions []condition
	for _, w := range written {
		c, err := r.condition(w)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

func (r *reader) condition(w writtenCondition) (condition, error) {
	c := condition{written: w.operator, name: w.key}
	if !c.parseOperator(w.operator) {
		return c, refuse("Invalid Condition type : " + w.operator)
	}
	var known bool
	if c.key, c.tag, known = keyNamed(w.key); !known {
		return c, refuse("Policy has an invalid condition key: " + w.key)
	}
	if fault := c.checkKey(); fault != "" {
		return c, refuse(unreadable + fault)
	}
	if len(w.values) == 0 {
		return c, refuse(unreadable + "A condition has no value: " + w.key)
	}
	for _, text := range w.values {
		matches, fault := c.operator.compile(text, r.variables())
		if fault != "" {
			return c, refuse(unreadable + fault)
		}
		c.values = append(c.values, value{text: text, matches: matches})
	}
	if c.operator.absence && len(c.values) > 1 {
		return c, refuse(unreadable + "Null takes one value")
	}
	return c, nil
}

// parseOperator takes the operator apart: ForAllValues:StringLikeIfExists.
func (c *condition) parseOperator(text string) bool {
	quantified, name, found := strings.Cut(text, ":")
	switch {
	case !found:
		name = text
	case quantified == "ForAllValues":
		c.quantity = forAll
	case quantified == "ForAnyValue":
		c.quantity = forAny
	default:
		return false
	}
	name, c.ifExists = strings.CutSuffix(name, "IfExists")
	c.operator = operators[name]
	// Whether there is a value is not asked of each value, nor if there is one.
	return c.operator != nil && !(c.operator.absence && (c.ifExists || c.quantity != single))
}

// checkKey refuses a comparison that could not come out in a way that its author means.
func (c *condition) checkKey() string {
	described := keys[c.key]
	switch {
	case c.operator.kinds&^described.kinds != 0:
		return c.name + " cannot be compared with " + c.written
	case described.many && c.quantity == single && !c.operator.absence:
		return c.name + " may have several values: " + c.written + " needs ForAllValues: or ForAnyValue: before it"
	}
	return ""
}
