// Package httpapi is the JSON protocol of DynamoDB over HTTP: a function from a request to a response, with servers as
// shells around it. It does not know what an operation does.
package httpapi

import (
	"iter"
	"net"
	"strconv"

	"stator/internal/base/limiter"
	"stator/internal/edge/sigv4"
)

// bodyBytesMax is the largest body, before and after its encoding is undone (semantics §1.2, §4).
const bodyBytesMax = 16 << 20

// Request is one HTTP request. Everything in it belongs to the caller and is not kept after Handle returns.
type Request struct {
	Method  string
	Target  string        // path and query, as they stood in the request line
	Headers sigv4.Headers // must know Host
	Body    []byte
	Remote  net.Addr // where it came from; nil: over no network
	Secure  bool     // whether over TLS

	signed sigv4.Request // here rather than in a variable of its own, which would be allocated for each request
}

// Response is one HTTP response. The shell gives it a Body to append to (only its capacity matters), sends what Handle
// left in it, and calls Release once the bytes are sent.
type Response struct {
	Status          int
	Body            []byte
	ContentType     string // empty: no such header
	ContentEncoding string // "gzip", "deflate" or empty
	RequestID       RequestID
	Identified      bool       // whether RequestID and CRC are sent: not when the body was too large to look at
	CRC             uint32     // CRC-32 (IEEE) of Body, as sent
	Session         string     // what the client's session has seen; empty: it asked for none
	Origin          string     // Access-Control-Allow-Origin; empty: no CORS headers
	Preflight       *Preflight // nil: it answers no preflight
	Close           bool       // end the connection after this response

	budget *limiter.Budget
	held   int64 // bytes of budget that this exchange holds
}

// Preflight is the answer to a CORS preflight: what the browser asked for is allowed.
type Preflight struct {
	Methods, Headers string
}

// reset prepares w for another exchange and keeps the memory of its body.
func (w *Response) reset() {
	*w = Response{Status: 200, Body: w.Body[:0]}
}

// Headers goes through the headers of the response, apart from Date, Server and Content-Length, which shells add.
func (w *Response) Headers() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		header := func(name, value string) bool { return value == "" || yield(name, value) }
		if !header("Content-Type", w.ContentType) || !header("Content-Encoding", w.ContentEncoding) {
			return
		}
		if w.Identified && !(header("X-Amzn-Requestid", string(w.RequestID[:])) &&
			header("X-Amz-Crc32", strconv.FormatUint(uint64(w.CRC), 10))) {
			return
		}
		if !header(headerSession, w.Session) {
			return
		}
		w.crossOrigin(header)
	}
}

func (w *Response) crossOrigin(header func(name, value string) bool) {
	const twoDays = "172800"
	if w.Origin == "" || !header("Access-Control-Allow-Origin", w.Origin) {
		return
	}
	if w.Origin != "*" && !header("Vary", "Origin") {
		return
	}
	exposed := "x-amzn-RequestId,x-amz-crc32"
	if w.Session != "" {
		exposed += ",x-stator-session"
	}
	_ = header("Access-Control-Expose-Headers", exposed) && w.Preflight != nil &&
		header("Access-Control-Allow-Methods", w.Preflight.Methods) &&
		header("Access-Control-Allow-Headers", w.Preflight.Headers) &&
		header("Access-Control-Max-Age", twoDays)
}

// settle exchanges what was charged beforehand for what the answer came to be, which is held until it is sent.
func (w *Response) settle() {
	need := int64(len(w.Body))
	if w.held >= need {
		w.budget.Give(w.held - need)
	} else {
		w.budget.Owe(need - w.held)
	}
	w.held = need
}

// Release gives back the budget that the exchange held. It may be called more than once.
func (w *Response) Release() {
	if w.held > 0 {
		w.budget.Give(w.held)
		w.held = 0
	}
}
