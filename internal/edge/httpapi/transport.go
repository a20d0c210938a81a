package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
)

// Transport answers requests in-process: an http.RoundTripper without a socket.
type Transport struct {
	Protocol *Protocol
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := readAll(r)
	if err != nil {
		return nil, err
	}
	var w Response
	t.Protocol.Handle(r.Context(), &Request{Method: r.Method, Target: r.URL.RequestURI(), Headers: plainHeaders{r}, Body: body}, &w)
	w.Release()
	if err := r.Context().Err(); err != nil {
		return nil, err // as a client over a socket would see it
	}
	header := http.Header{"Server": {serverName}, "Content-Length": {strconv.Itoa(len(w.Body))}}
	for name, value := range w.Headers() {
		header.Set(name, value)
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.Status, http.StatusText(w.Status)), StatusCode: w.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(w.Body)), Body: io.NopCloser(bytes.NewReader(w.Body)), Request: r,
	}, nil
}

// readAll reads one byte more than a body may have, so that Handle sees that it is too large.
func readAll(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	return body, nil
}

// plainHeaders are the headers of an http.Request, with those that net/http keeps elsewhere.
type plainHeaders struct{ r *http.Request }

// Peek implements sigv4.Headers.
func (h plainHeaders) Peek(name string) []byte {
	if all := h.PeekAll(name); len(all) > 0 {
		return all[0]
	}
	return nil
}

// PeekAll implements sigv4.Headers.
func (h plainHeaders) PeekAll(name string) [][]byte {
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case name == "Host" && h.r.Host != "":
		return [][]byte{[]byte(h.r.Host)}
	case name == "Host":
		return [][]byte{[]byte(h.r.URL.Host)}
	case name == "Content-Length" && h.r.ContentLength >= 0:
		return [][]byte{strconv.AppendInt(nil, h.r.ContentLength, 10)}
	}
	var all [][]byte
	for _, value := range h.r.Header[name] {
		all = append(all, []byte(value))
	}
	return all
}
