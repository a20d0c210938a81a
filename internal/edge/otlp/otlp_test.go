package otlp_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stator/internal/base/trace"
	"stator/internal/edge/otlp"
)

func TestNoCollectors(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://", ":"} {
		if _, err := otlp.New(t.Context(), otlp.Options{URL: url}); err == nil || !strings.Contains(err.Error(), "write it like") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// A position is W3C's, and what is none changes nothing.
func TestPositions(t *testing.T) {
	r := recorder(t, "http://127.0.0.1:1")
	const position = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	if got := string(r.Position(r.Resume(t.Context(), []byte(position)))); got != position {
		t.Errorf("resumed at %q", got)
	}
	for _, none := range []string{"", "00-0-0-0", strings.Repeat("x", 1000)} {
		if got := r.Position(r.Resume(t.Context(), []byte(none))); got != nil {
			t.Errorf("%q is taken for %q", none, got)
		}
	}
}

// A collector that does not answer keeps no request waiting: what does not fit the queue is dropped.
func TestSlowCollector(t *testing.T) {
	answer := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-answer }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(answer) })
	r := recorder(t, server.URL)
	for range 100_000 {
		_, span := trace.From(t.Context(), r, nil, "GetItem")
		span.End(nil)
	}
}

func recorder(t *testing.T, url string) *otlp.Recorder {
	t.Helper()
	r, err := otlp.New(t.Context(), otlp.Options{URL: url, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_ = r.Close(ctx) // it has nobody to send to
	})
	return r
}
