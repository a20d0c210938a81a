package api

import "strconv"

// checks collects the constraint failures of one input, in the order of the service's report. The generated check
// methods fill it; a valid input costs no allocation.
type checks struct {
	count int
	text  []byte
	// alone is the failure that stands for itself: nothing else is reported beside it.
	alone string
	// yielding is the failure that is reported only when there is no other.
	yielding string
	// first tells that one failure is reported at most, together that no failure stands for itself.
	first, together bool
}

// failuresMax is how many failures one answer lists (semantics §4).
const failuresMax = 10

// err gives the error for what was collected, made by the service's constructor, or nil.
func (c *checks) err(constructor func(string) *Error) error {
	switch {
	case c.alone != "":
		return constructor(c.alone)
	case c.count == 0 && c.yielding == "":
		return nil
	case c.count == 0:
		return constructor(c.yielding)
	}
	return constructor(envelope(c.count) + string(c.text))
}

// envelope begins the message of the service's validation framework.
func envelope(count int) string {
	if count == 1 {
		return "1 validation error detected: "
	}
	return strconv.Itoa(count) + " validation errors detected: "
}

// only makes text the whole message, unless one was before it.
func (c *checks) only(text string) {
	if c.alone == "" {
		c.alone = text
	}
}

// begin starts a failure and tells whether there is room for it.
func (c *checks) begin() bool {
	if c.count == failuresMax || c.first && c.count == 1 {
		return false
	}
	if c.count++; c.count > 1 {
		c.text = append(c.text, "; "...)
	}
	return true
}

// null adds the failure of a required member that is absent.
func (c *checks) null(at *path, name string) {
	if !c.begin() {
		return
	}
	c.text = append(c.text, "Value null at '"...)
	c.text = at.appendField(c.text, name, lowered)
	c.text = append(c.text, "' failed to satisfy constraint: Member must not be null"...)
}

// fail adds a failure that echoes the value.
func (c *checks) fail(at *path, name string, value func([]byte) []byte, constraint string) {
	if !c.begin() {
		return
	}
	c.text = append(c.text, "Value '"...)
	c.text = value(c.text)
	c.text = append(c.text, "' at '"...)
	c.text = at.appendField(c.text, name, lowered)
	c.text = append(c.text, "' failed to satisfy constraint: "...)
	c.text = append(c.text, constraint...)
}

// yield keeps a failure that is not worth telling beside others.
func (c *checks) yield(at *path, name string, value func([]byte) []byte, constraint string) {
	c.yielding = single(at, name, value, constraint)
}

// single is the message of one failure that echoes the value.
func single(at *path, name string, value func([]byte) []byte, constraint string) string {
	c := checks{}
	c.fail(at, name, value, constraint)
	return envelope(1) + string(c.text)
}

// bare adds a failure that neither echoes the value nor lowers the path (semantics §0(b)).
func (c *checks) bare(at *path, name, constraint string) {
	if !c.begin() {
		return
	}
	c.text = append(c.text, "Value at '"...)
	c.text = at.appendField(c.text, name, verbatim)
	c.text = append(c.text, "' failed to satisfy constraint: "...)
	c.text = append(c.text, constraint...)
}

// str checks a string.
func (c *checks) str(at *path, name, value string, rule *textRule) {
	if rule.holds(value) {
		return
	}
	echo := func(dst []byte) []byte { return append(dst, value...) }
	if value == "" && rule.min > 0 {
		constraint := minLength(rule.min)
		if !rule.echoEmpty {
			c.bare(at, name, constraint)
			return
		}
		if !rule.alone || c.together {
			c.fail(at, name, echo, constraint)
			return
		}
		// An empty table name is reported alone (semantics §0(c)), whatever else was found before.
		c.only(single(at, name, echo, constraint))
		return
	}
	for _, constraint := range rule.broken(value) {
		c.fail(at, name, echo, constraint)
	}
}

// number checks an integer.
func (c *checks) number(at *path, name string, value int64, limits bounds) {
	if limits.hold(value) {
		return
	}
	constraint := "Member must have value greater than or equal to " + strconv.FormatInt(limits.min, 10)
	if limits.max != unbounded && value > limits.max {
		constraint = "Member must have value less than or equal to " + strconv.FormatInt(limits.max, 10)
	}
	if limits.bare {
		c.bare(at, name, constraint)
		return
	}
	c.fail(at, name, func(dst []byte) []byte { return strconv.AppendInt(dst, value, 10) }, constraint)
}

// container is a list or map as failures see it: its length, its text form.
type container struct {
	length int
	text   func([]byte) []byte
}

// size checks the length of a list or map.
func (c *checks) size(at *path, name string, value container, limits bounds) {
	length := int64(value.length)
	if limits.hold(length) {
		return
	}
	constraint := minLength(limits.min)
	if limits.max != unbounded && length > limits.max {
		constraint = maxLength(limits.max)
	}
	if limits.bare {
		c.bare(at, name, constraint)
		return
	}
	c.fail(at, name, value.text, constraint)
}

// enum checks an enum value.
func (c *checks) enum(at *path, name, value string, rule *enumRule) {
	if !rule.has(value) {
		c.fail(at, name, func(dst []byte) []byte { return append(dst, value...) }, rule.text())
	}
}
