package api

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// unbounded stands for a bound that is not there.
const unbounded = math.MinInt64

// bounds are the least and the greatest value or length, inclusive.
type bounds struct {
	min, max int64
	bare     bool
}

func (b bounds) hold(v int64) bool {
	return (b.min == unbounded || v >= b.min) && (b.max == unbounded || v <= b.max)
}

// lengthText lists the constraints on a length, as failures of an element's length do.
func (b bounds) lengthText() string {
	return lengthText(b.min, b.max)
}

func lengthText(low, high int64) string {
	var parts []string
	if high != unbounded {
		parts = append(parts, maxLength(high))
	}
	if low != unbounded {
		parts = append(parts, minLength(low))
	}
	return strings.Join(parts, ", ")
}

func minLength(n int64) string {
	return "Member must have length greater than or equal to " + strconv.FormatInt(n, 10)
}

func maxLength(n int64) string {
	return "Member must have length less than or equal to " + strconv.FormatInt(n, 10)
}

// enumRule holds the values of an enum in the service's order.
type enumRule []string

func (r enumRule) has(value string) bool {
	return slices.Contains(r, value)
}

func (r enumRule) text() string {
	return "Member must satisfy enum value set: [" + strings.Join(r, ", ") + "]"
}

// textRule is what a string must satisfy. Lengths are in code points.
type textRule struct {
	min, max int64
	pattern  *pattern
	// echoEmpty tells that an empty string is echoed, alone that its failure is reported without the others.
	echoEmpty, alone bool
	// arn tells that an ARN of at most arnLengthMax is taken in place of a name.
	arn bool
}

// arnLengthMax is the longest ARN that stands for a table's name (semantics §4).
const arnLengthMax = 1024

func (r *textRule) isARN(value string) bool {
	return r.arn && strings.HasPrefix(value, "arn:")
}

func (r *textRule) holds(value string) bool {
	if r.isARN(value) {
		return len(value) <= arnLengthMax
	}
	length := int64(utf8.RuneCountInString(value))
	return (bounds{min: r.min, max: r.max}).hold(length) && (r.pattern == nil || r.pattern.match(value))
}

// broken lists the constraints that a value does not satisfy.
func (r *textRule) broken(value string) []string {
	if r.isARN(value) {
		return []string{maxLength(arnLengthMax)}
	}
	var constraints []string
	if r.pattern != nil && !r.pattern.match(value) {
		constraints = append(constraints, r.pattern.text())
	}
	length := int64(utf8.RuneCountInString(value))
	if r.min != unbounded && length < r.min {
		constraints = append(constraints, minLength(r.min))
	}
	if r.max != unbounded && length > r.max {
		constraints = append(constraints, maxLength(r.max))
	}
	return constraints
}

// text lists all constraints, as failures of a list's element or a map's key do.
func (r *textRule) text() string {
	text := lengthText(r.min, r.max)
	if r.pattern == nil {
		return text
	}
	if text != "" {
		text += ", "
	}
	return text + r.pattern.text()
}
