package httpapi

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"

	"stator/internal/base/must"
	"stator/internal/model/api"
)

const (
	faultText    = "The request processing has failed because of an unknown error, exception or failure."
	throttleText = "Throughput exceeds what the server can hold in memory at once: requests under way use all of it. Try again."
)

// fail makes an answer of what went wrong. An error of the API is for the client; of what is wrong with the server it
// learns only that something is, and the log has the rest under the request's identifier.
func (p *Protocol) fail(ctx context.Context, called *route, err error, w *Response) {
	var known *api.Error
	switch {
	case errors.As(err, &known):
	case errors.Is(err, errBodyTooLarge):
		p.tooLarge(w)
		return
	case errors.Is(err, errEncodingUnknown), errors.Is(err, errEncodingBroken):
		known = api.NewInternalServerError(faultText) // what DynamoDB calls it too, though the client is at fault
	case errors.Is(err, errNoMemory):
		known = api.NewThrottlingException(throttleText)
	default:
		p.logFault(ctx, called, err, w)
		known = api.NewInternalServerError(faultText)
		if called.service == autoScaling {
			known = api.NewInternalServiceException(faultText)
		}
	}
	called.metrics.Failed(known.Type)
	p.refuse(w, known)
}

// refuseUnread answers a request whose body could not be read because there is no memory for it.
func (p *Protocol) refuseUnread(w *Response) {
	w.RequestID, w.Identified = p.ids.Next(), true
	w.Close = true
	p.refuse(w, api.NewThrottlingException(throttleText))
	w.CRC = crc32.ChecksumIEEE(w.Body)
	p.unknown.Failed("ThrottlingException")
}

func (p *Protocol) refuse(w *Response, e *api.Error) {
	w.Status = e.Status
	if w.ContentType == "" {
		w.ContentType = contentType10
	}
	w.Body = e.AppendJSON(w.Body[:0])
}

// logFault writes the one line that a fault is worth. A client that went away is none.
func (p *Protocol) logFault(ctx context.Context, called *route, err error, w *Response) {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return
	}
	var crash *panicked
	if errors.As(err, &crash) {
		p.log.Error("a request panicked", "request", string(w.RequestID[:]), "target", called.target,
			"panic", panicText(crash.value), "stack", string(crash.stack))
		return
	}
	p.log.Error("a request failed", "request", string(w.RequestID[:]), "target", called.target, "error", err)
}

// panicText shows only values that hold no item data by their nature.
func panicText(value any) string {
	switch value := value.(type) {
	case *must.Broken:
		return value.Error()
	case runtime.Error:
		return value.Error()
	}
	return fmt.Sprintf("a value of type %T", value)
}
