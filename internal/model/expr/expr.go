// Package expr is the expression language of DynamoDB: conditions, updates, projections, key conditions and their legacy spellings, parsed, checked and
// evaluated over encoded items. It does not know tables, key schemas or requests.
package expr

import "strconv"

// Kind is the name of the request parameter an expression came from. It appears in messages.
type Kind string

// The parameters that hold expressions.
const (
	ConditionExpression       Kind = "ConditionExpression"
	FilterExpression          Kind = "FilterExpression"
	KeyConditionExpression    Kind = "KeyConditionExpression"
	ProjectionExpression      Kind = "ProjectionExpression"
	UpdateExpression          Kind = "UpdateExpression"
	SearchConditionExpression Kind = "SearchConditionExpression"
)

// Error is a refusal of an expression, of its operands or of its execution. Text is the message of DynamoDB's ValidationException without the
// "1 validation error detected: " envelope, which some operations add (semantics §0).
type Error struct{ Text string }

// Error returns the message.
func (e *Error) Error() string { return e.Text }

// refuse names the parameter whose text is at fault.
func (k Kind) refuse(text string) error { return &Error{k.says(text)} }

func (k Kind) says(text string) string { return "Invalid " + string(k) + ": " + text }

// TooLong is the refusal of a condition or a filter whose text is too long: an Error, of which the older of the service's two layers tells
// how long the text is.
type TooLong struct {
	refusal *Error
	bytes   int
}

// Error returns the message without the length.
func (t *TooLong) Error() string { return t.refusal.Text }

// Sized is the message with the length.
func (t *TooLong) Sized() string {
	return t.refusal.Text + " expression size: " + strconv.Itoa(t.bytes)
}

// Unwrap is the Error that it is.
func (t *TooLong) Unwrap() error { return t.refusal }
