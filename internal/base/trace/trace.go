// Package trace says where the time of a request goes: the parts of it, each within another, are told to a recorder that the context
// carries. It does not know who collects them, nor what time it is: the recorder reads the clock, so that whoever decides something needs none.
package trace

import "context"

// The parts of a request's latency, each within another, and the first within an operation, which goes by its own name.
const (
	Routing     = "routing"          // from the plan of what is to be done to its answer
	Lookup      = "partition lookup" // which partition holds a key, and where its leader is
	Call        = "call"             // of another node, there and back
	Serving     = "serving"          // what that node takes for it
	StorageRead = "storage read"     // of what is asked for, or of what a write is decided over
	Replication = "replication"      // until a write is decided, agreed and durable, or a read may be answered
)

// Recorder collects the parts of requests. It is called by many at once.
type Recorder interface {
	// Begin begins a part of what ctx is in.
	Begin(ctx context.Context, part string) (context.Context, Span)
	// Position is where ctx is, as the header traceparent of W3C says it, for another process to go on from; nil where nobody collects.
	Position(ctx context.Context) []byte
	// Resume is ctx at a position, or as it is if that is none.
	Resume(ctx context.Context, position []byte) context.Context
}

// Span is a part under way.
type Span interface {
	// Note adds what is worth knowing of the part.
	Note(key, value string)
	// End ends the part, with what went wrong.
	End(err error)
}

type recorderKey struct{}

// With is a context whose parts are recorded.
func With(ctx context.Context, r Recorder) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}

// Of is the recorder of a context, nil if it has none.
func Of(ctx context.Context) Recorder {
	r, _ := ctx.Value(recorderKey{}).(Recorder)
	return r
}

// Begin begins a part of what ctx is in. Nobody records most requests: then it costs a look at the context, and the span is Nothing.
func Begin(ctx context.Context, part string) (context.Context, Span) {
	if r := Of(ctx); r != nil {
		return r.Begin(ctx, part)
	}
	return ctx, Nothing
}

// Position is where ctx is, nil where nobody records.
func Position(ctx context.Context) []byte {
	if r := Of(ctx); r != nil {
		return r.Position(ctx)
	}
	return nil
}

// From begins a part of what another process is in, for a recorder that may be nil.
func From(ctx context.Context, r Recorder, position []byte, part string) (context.Context, Span) {
	if r == nil {
		return ctx, Nothing
	}
	return r.Begin(r.Resume(With(ctx, r), position), part)
}

// Nothing is a span that nobody records.
var Nothing Span = nothing{}

type nothing struct{}

func (nothing) Note(string, string) {}
func (nothing) End(error)           {}
