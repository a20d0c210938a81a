package httpapi_test

import (
	"context"
	"hash/crc32"
	"net/http"
	"strings"
	"testing"
	"time"

	"stator/internal/edge/httpapi"
	"stator/internal/model/api"
)

func checkCRC(t *testing.T, w *httpapi.Response) {
	t.Helper()
	if want := crc32.ChecksumIEEE(w.Body); w.CRC != want {
		t.Errorf("CRC %d, want %d", w.CRC, want)
	}
}

func TestRequestsWithoutMemoryAreThrottled(t *testing.T) {
	h := newHarness(t, func(o *httpapi.Options) { o.Patience = 20 * time.Millisecond })
	h.budget.Owe(httpapi.MemoryBytesMin)
	started := time.Now()
	w := h.call("GetItem", "{}", nil)
	if w.Status != 400 || !strings.Contains(string(w.Body), "#ThrottlingException") {
		t.Errorf("got %s", render(w))
	}
	if waited := time.Since(started); waited < 20*time.Millisecond {
		t.Errorf("it was throttled after %v, without waiting", waited)
	}
	h.budget.Give(httpapi.MemoryBytesMin)
	if w := h.call("GetItem", "{}", nil); w.Status != 200 {
		t.Errorf("with memory: status %d", w.Status)
	}
}

func TestAnAnswerHoldsItsBytesUntilItIsSent(t *testing.T) {
	h := newHarness(t, nil)
	w := h.call("Scan", "{}", nil)
	if used := h.budget.Used(); used != int64(len(w.Body)) {
		t.Errorf("%d bytes are held for an answer of %d", used, len(w.Body))
	}
	w.Release()
	w.Release()
	if used := h.budget.Used(); used != 0 {
		t.Errorf("%d bytes are held after the answer was sent", used)
	}
}

// What a compressor writes is charged beside what it works in: where there is no room for both, the answer goes out as it is.
func TestCompressedBytesAreCharged(t *testing.T) {
	const answered, work = 100 << 10, 512 << 10
	for _, free := range []int64{answered + work, answered + work - 1} {
		h := newHarness(t, func(o *httpapi.Options) {
			o.Calls["DynamoDB_20120810.Scan"] = func(_ context.Context, _, dst []byte, _ ...api.Allow) ([]byte, error) {
				o.Budget.Owe(httpapi.MemoryBytesMin - answered - free)
				return append(dst, make([]byte, answered)...), nil
			}
		})
		w := h.call("Scan", "{}", http.Header{"Accept-Encoding": {"gzip"}})
		if compressed := w.ContentEncoding != ""; compressed != (free >= answered+work) {
			t.Errorf("with %d bytes free: compressed %v", free, compressed)
		}
	}
}

func TestRequestsAreCounted(t *testing.T) {
	h := newHarness(t, nil)
	h.call("GetItem", "{}", nil)
	h.call("DescribeTable", "{}", nil)
	h.call("Nonsense", "{}", nil)
	for target, want := range map[string]struct {
		count  uint64
		failed string
	}{
		"DynamoDB_20120810.GetItem":       {1, ""},
		"DynamoDB_20120810.DescribeTable": {1, "ResourceNotFoundException"},
		httpapi.UnknownTarget:             {1, "UnknownOperationException"},
		"DynamoDB_20120810.PutItem":       {0, ""},
	} {
		o := h.requests.Operation(target)
		if got := o.Latency().Count; got != want.count {
			t.Errorf("%s: %d requests, want %d", target, got, want.count)
		}
		if errors := o.Errors(); want.failed != "" && errors[want.failed] != 1 || want.failed == "" && len(errors) != 0 {
			t.Errorf("%s: errors %v, want %q", target, errors, want.failed)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	ids, err := httpapi.NewRequestIDs(strings.NewReader(strings.Repeat("some noise", 10)))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[httpapi.RequestID]bool{}
	for range 1000 {
		id := ids.Next()
		if seen[id] {
			t.Fatalf("%s was issued twice", id[:])
		}
		seen[id] = true
		if strings.Trim(string(id[:]), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Fatalf("%s has other than upper-case letters and digits", id[:])
		}
	}
	if _, err := httpapi.NewRequestIDs(strings.NewReader("short")); err == nil {
		t.Error("a source that ran dry went unnoticed")
	}
}

// A name let in must not let another one in behind it.
func TestHostsRemembersOnlyTheSameHeader(t *testing.T) {
	hosts := httpapi.NewHosts("127.0.0.1:8000")
	for range 2 {
		if !hosts.Allows([]byte("localhost:8000")) || hosts.Allows([]byte("evil.example:8000")) {
			t.Error("the answer depends on who came before")
		}
	}
}

func TestHosts(t *testing.T) {
	for _, test := range []struct {
		listen, header string
		want           bool
	}{
		{"127.0.0.1:8000", "localhost:8000", true},
		{"127.0.0.1:8000", "LOCALHOST", true},
		{"127.0.0.1:8000", "localhost.:8000", true},
		{"127.0.0.1:8000", "db.localhost:1", true},
		{"127.0.0.1:8000", "127.9.9.9:8000", true},
		{"127.0.0.1:8000", "[::1]:8000", true},
		{"127.0.0.1:8000", "[::1]", true},
		{"127.0.0.1:8000", "[::ffff:127.0.0.1]", true},
		{"127.0.0.1:8000", "", true},
		{"127.0.0.1:8000", "evil.example:8000", false},
		{"127.0.0.1:8000", "notlocalhost", false},
		{"127.0.0.1:8000", "localhost.evil.example", false},
		{"127.0.0.1:8000", "192.168.1.5:8000", false},
		{"db.internal.example:8000", "db.internal.example:8000", true},
		{"0.0.0.0:8000", "192.168.1.5:8000", true},
		{"0.0.0.0:8000", "stator:8000", true},
		{":8000", "stator", true},
		{"0.0.0.0:8000", "evil.example", false},
		{"0.0.0.0:8000", "", true},
	} {
		if got := httpapi.NewHosts(test.listen).Allows([]byte(test.header)); got != test.want {
			t.Errorf("listening at %s, Host %q: %v, want %v", test.listen, test.header, got, test.want)
		}
	}
}
