package trace_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"stator/internal/base/trace"
)

// diary writes down what it is told.
type diary struct{ lines []string }

type depthKey struct{}

func (d *diary) Begin(ctx context.Context, part string) (context.Context, trace.Span) {
	depth, _ := ctx.Value(depthKey{}).(string)
	d.lines = append(d.lines, depth+part)
	return context.WithValue(ctx, depthKey{}, depth+"  "), line{d, depth + part}
}

func (d *diary) Position(ctx context.Context) []byte {
	depth, _ := ctx.Value(depthKey{}).(string)
	return []byte(depth)
}

func (d *diary) Resume(ctx context.Context, position []byte) context.Context {
	return context.WithValue(ctx, depthKey{}, string(position))
}

type line struct {
	diary *diary
	text  string
}

func (l line) Note(key, value string) {
	l.diary.lines = append(l.diary.lines, l.text+": "+key+" "+value)
}

func (l line) End(err error) {
	if err != nil {
		l.diary.lines = append(l.diary.lines, l.text+" failed: "+err.Error())
	}
}

// A part is told to the recorder of its context, within the part that it was begun in: on another node too.
func TestPartsAreToldWhereTheyBelong(t *testing.T) {
	var d diary
	ctx, whole := trace.From(t.Context(), &d, nil, "PutItem")
	ctx, call := trace.Begin(ctx, trace.Call)
	call.Note("node", "2")
	position := trace.Position(ctx)
	_, there := trace.From(t.Context(), &d, position, trace.Serving)
	there.End(errors.New("no leader"))
	call.End(nil)
	whole.End(nil)
	want := []string{"PutItem", "  call", "  call: node 2", "    serving", "    serving failed: no leader"}
	if !slices.Equal(d.lines, want) {
		t.Errorf("told %q, want %q", d.lines, want)
	}
}

// Where nobody records, nothing is told and nothing allocated.
func TestNobodyRecords(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if position := trace.Position(ctx); position != nil {
		t.Errorf("a position %q", position)
	}
	if _, span := trace.From(ctx, nil, []byte("here"), trace.Serving); span != trace.Nothing {
		t.Errorf("a span %v", span)
	}
	allocations := testing.AllocsPerRun(100, func() {
		within, span := trace.Begin(ctx, trace.Routing)
		span.End(within.Err())
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkNobodyRecords(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		_, span := trace.Begin(ctx, trace.StorageRead)
		span.End(nil)
	}
}
