package api

import (
	"stator/internal/model/attr"
)

// Error is an error of the API: what the client is told. Everything else that goes wrong is a fault, which the client
// only sees as an InternalServerError.
type Error struct {
	// Type is the short name that SDKs dispatch on, for example "ResourceNotFoundException".
	Type string
	// Status is the HTTP status.
	Status int
	// Message is the text for people; an empty one is left out of the answer.
	Message string

	// Item is the item that made a condition fail, if the request asked for it (ConditionalCheckFailedException).
	Item attr.Map
	// CancellationReasons has one entry for each action (TransactionCanceledException).
	CancellationReasons []CancellationReason
	// ThrottlingReasons tells which limit of which resource was hit (the throttling errors).
	ThrottlingReasons []ThrottlingReason
	// ResourceName is the ARN that Application Auto Scaling did not find, or that has too many tags.
	ResourceName string

	form *form
}

// form is how an error goes over the wire (semantics §1.5).
type form struct {
	wireType string // the __type value, with its namespace
	message  string // the member that holds the message: "message" or "Message"
	reasons  string // the member that holds throttling reasons, if the error has one
}

// Error implements error with the type and the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}

// AppendJSON appends the answer's body.
func (e *Error) AppendJSON(dst []byte) []byte {
	f := e.form
	if f == nil {
		f = formOf(e.Type)
	}
	if f == nil {
		f = &form{wireType: e.Type, message: "message"}
	}
	dst = append(dst, `{"__type":`...)
	dst = attr.AppendJSONString(dst, f.wireType)
	if e.Message != "" {
		dst = append(dst, `,"`...)
		dst = append(dst, f.message...)
		dst = append(dst, `":`...)
		dst = attr.AppendJSONString(dst, e.Message)
	}
	return append(e.appendExtras(dst, f), '}')
}

// appendExtras appends the members that some errors have besides the message.
func (e *Error) appendExtras(dst []byte, f *form) []byte {
	if e.Item != nil {
		dst = append(dst, `,"Item":`...)
		dst = e.Item.AppendJSON(dst)
	}
	if e.CancellationReasons != nil {
		dst = append(dst, `,"CancellationReasons":`...)
		dst = appendList(dst, e.CancellationReasons, func(dst []byte, r CancellationReason) []byte { return r.AppendJSON(dst) })
	}
	if e.ThrottlingReasons != nil && f.reasons != "" {
		dst = append(dst, `,"`...)
		dst = append(dst, f.reasons...)
		dst = append(dst, `":`...)
		dst = appendList(dst, e.ThrottlingReasons, func(dst []byte, r ThrottlingReason) []byte { return r.AppendJSON(dst) })
	}
	if e.ResourceName != "" {
		dst = append(dst, `,"ResourceName":`...)
		dst = attr.AppendJSONString(dst, e.ResourceName)
	}
	return dst
}
