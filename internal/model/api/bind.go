package api

import (
	"context"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"stator/internal/model/attr"

	"github.com/go-faster/jx"
)

// Input is what every generated input can do.
type Input interface {
	Decode(*jx.Decoder) error
	Validate() error
}

// Output is what every generated output can do.
type Output interface {
	AppendJSON([]byte) []byte
}

// Call runs one operation: it decodes and checks body, and appends the answer to dst. An *Error is for the client, any
// other error is a fault; dst is returned as it was with both. Body is not kept. Each allow, if any is given, is asked in
// between, and its error ends the call.
type Call func(ctx context.Context, body []byte, dst []byte, allow ...Allow) (out []byte, err error)

// Allow decides whether an operation may be run on an input, which is lawful by itself.
type Allow func(Input) error

// Bind makes a Call of a typed operation.
func Bind[I any, P interface {
	*I
	Input
}, O Output](handle func(context.Context, P) (O, error)) Call {
	return func(ctx context.Context, body []byte, dst []byte, allow ...Allow) ([]byte, error) {
		in := P(new(I))
		if err := Parse(body, in); err != nil {
			return dst, err
		}
		if err := in.Validate(); err != nil {
			return dst, err
		}
		for _, allowed := range allow {
			if err := allowed(in); err != nil {
				return dst, err
			}
		}
		out, err := handle(ctx, in)
		if err != nil {
			return dst, err
		}
		dst = out.AppendJSON(dst)
		if page, ok := any(out).(lent); ok {
			page.arena().Release()
		}
		return dst, nil
	}
}

// lent is an output whose items may lie in an arena: it is not looked at again once it is written.
type lent interface{ arena() *attr.Arena }

func (s *GetItemOutput) arena() *attr.Arena { return s.Arena }
func (s *QueryOutput) arena() *attr.Arena   { return s.Arena }
func (s *ScanOutput) arena() *attr.Arena    { return s.Arena }

var (
	errNotAnObject = errors.New("the body is not a JSON object")
	errTrailing    = errors.New("bytes follow the JSON object")
)

var decoders = sync.Pool{New: func() any { return jx.DecodeBytes(nil) }}

// Parse reads a request's body, which must be one JSON object in valid UTF-8 and nothing else. Errors are
// SerializationExceptions: without a message when the body is no JSON object, with one when a member has the wrong type.
func Parse(body []byte, in Input) error {
	if !utf8.Valid(body) {
		return NewSerializationException("")
	}
	d := decoders.Get().(*jx.Decoder)
	d.ResetBytes(body)
	err := parse(d, in)
	// A pooled decoder must not keep the body alive.
	d.ResetBytes(nil)
	decoders.Put(d)
	if err == nil {
		return nil
	}
	// The service parses the whole body before it looks at types, so a syntax error further on wins over a mismatch.
	var mismatch *attr.Mismatch
	if errors.As(err, &mismatch) && jx.Valid(body) {
		return NewSerializationException(mismatch.Text)
	}
	return NewSerializationException("")
}

func parse(d *jx.Decoder, in Input) error {
	if d.Next() != jx.Object {
		return errNotAnObject
	}
	if err := in.Decode(d); err != nil {
		return err
	}
	// Next answers Invalid at the end as for garbage: only Skip tells them apart, by io.EOF.
	if err := d.Skip(); err == nil || !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}
