// Package otlp sends the parts of requests' latency to a collector of OpenTelemetry. It does not know which parts there are.
package otlp

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	parts "stator/internal/base/trace"
)

// tracesPath is where a collector takes spans, if its URL does not say.
const tracesPath = "/v1/traces"

// Options say where spans go, and who sends them.
type Options struct {
	URL     string
	Release string
	Node    string // by which this process is told from others
	Log     *slog.Logger
}

// Recorder records spans and sends them by and by. What finds no room in its queue is dropped: a request never waits for a collector.
type Recorder struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

var _ parts.Recorder = (*Recorder)(nil)

// New returns a recorder. What OpenTelemetry's own environment variables say of sampling, headers and attributes holds.
func New(ctx context.Context, o Options) (*Recorder, error) {
	at, err := url.Parse(o.URL)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fmt.Errorf("%q is no address of a collector: write it like http://127.0.0.1:4318", o.URL)
	}
	if at.Path == "" || at.Path == "/" {
		at.Path = tracesPath
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(at.String()))
	if err != nil {
		return nil, fmt.Errorf("sending traces to %s: %w", o.URL, err)
	}
	from, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "stator"), attribute.String("service.version", o.Release), attribute.String("service.instance.id", o.Node),
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("naming the sender of traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { o.Log.Warn("traces were not sent", "error", err) }))
	r := &Recorder{provider: sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(from))}
	r.tracer = r.provider.Tracer("stator")
	return r, nil
}

// Close sends what is left, until ctx ends.
func (r *Recorder) Close(ctx context.Context) error {
	if err := r.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("sending the last traces: %w", err)
	}
	return nil
}

// Begin implements trace.Recorder.
func (r *Recorder) Begin(ctx context.Context, part string) (context.Context, parts.Span) {
	ctx, s := r.tracer.Start(ctx, part, trace.WithSpanKind(kindOf(ctx, part)))
	return ctx, span{s}
}

// kindOf tells by where a part begins whether it crosses from one process to another.
func kindOf(ctx context.Context, part string) trace.SpanKind {
	within := trace.SpanContextFromContext(ctx)
	switch {
	case part == parts.Call:
		return trace.SpanKindClient
	case !within.IsValid() || within.IsRemote():
		return trace.SpanKindServer
	}
	return trace.SpanKindInternal
}

// header is the one that says where a request is in its trace.
const header = "traceparent"

// Position implements trace.Recorder.
func (r *Recorder) Position(ctx context.Context) []byte {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	if carrier[header] == "" {
		return nil
	}
	return []byte(carrier[header])
}

// Resume implements trace.Recorder.
func (r *Recorder) Resume(ctx context.Context, position []byte) context.Context {
	if len(position) == 0 {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{header: string(position)})
}

// span is one of OpenTelemetry's.
type span struct{ trace.Span }

// Note implements trace.Span.
func (s span) Note(key, value string) { s.SetAttributes(attribute.String(key, value)) }

// End implements trace.Span.
func (s span) End(err error) {
	if err != nil {
		s.SetStatus(codes.Error, err.Error())
	}
	s.Span.End()
}
