package httpapi_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/base/clock"
	"stator/internal/base/limiter"
	"stator/internal/base/metric"
	"stator/internal/base/must"
	"stator/internal/cluster/session"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/sigv4"
	"stator/internal/model/api"
)

const authorization = "AWS4-HMAC-SHA256 Credential=me/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00"

// headers is an http.Header seen through the interface of the protocol.
type headers http.Header

func (h headers) Peek(name string) []byte {
	if v := http.Header(h).Get(name); v != "" {
		return []byte(v)
	}
	return nil
}

func (h headers) PeekAll(name string) (all [][]byte) {
	for _, v := range http.Header(h).Values(name) {
		all = append(all, []byte(v))
	}
	return all
}

// fakeCalls stand for the operations: each does one thing that an operation may do.
func fakeCalls() map[string]api.Call {
	answer := func(text string) api.Call {
		return func(_ context.Context, _, dst []byte, _ ...api.Allow) ([]byte, error) {
			return append(dst, text...), nil
		}
	}
	fails := func(err error) api.Call {
		return func(_ context.Context, _, dst []byte, _ ...api.Allow) ([]byte, error) { return dst, err }
	}
	return map[string]api.Call{
		"DynamoDB_20120810.GetItem": answer(`{"Item":{"pk":{"S":"a"}}}`),
		"DynamoDB_20120810.PutItem": func(_ context.Context, body, dst []byte, _ ...api.Allow) ([]byte, error) {
			return append(dst, body...), nil
		},
		"DynamoDB_20120810.TagResource":   answer(""),
		"DynamoDB_20120810.Scan":          answer(`{"Items":[` + strings.Repeat(`{"pk":{"S":"aaaaaaaaaa"}},`, 1000) + `{}]}`),
		"DynamoDB_20120810.DescribeTable": fails(api.NewResourceNotFoundException("Requested resource not found: Table: t not found")),
		"DynamoDB_20120810.DeleteItem":    fails(fmt.Errorf("writing the batch: %w", errors.New("disk on fire"))),
		"DynamoDB_20120810.UpdateItem": func(context.Context, []byte, []byte, ...api.Allow) ([]byte, error) {
			var none []byte
			return none[len(none):1:1], nil
		},
		"DynamoDB_20120810.Query": func(context.Context, []byte, []byte, ...api.Allow) ([]byte, error) {
			panic(&must.Broken{Text: "versions rise"})
		},
		"DynamoDB_20120810.DeleteTable":        func(context.Context, []byte, []byte, ...api.Allow) ([]byte, error) { panic("an item's attribute") },
		"AnyScaleFrontendService.TagResource":  answer(`{}`),
		"AnyScaleFrontendService.DeleteAnyone": fails(errors.New("no such luck")),
		"DynamoDB_20120810.BatchGetItem": func(ctx context.Context, _, dst []byte, _ ...api.Allow) ([]byte, error) {
			s := session.Of(ctx)
			if s == nil {
				return append(dst, `{}`...), nil
			}
			seen := s.Index(101)
			s.Saw(101, seen+7)
			if seen > 7 {
				return dst, api.NewConditionalCheckFailedException("")
			}
			return fmt.Appendf(dst, `{"Seen":%d}`, seen), nil
		},
		"DynamoDB_20120810.ListTables": func(_ context.Context, body, dst []byte, _ ...api.Allow) ([]byte, error) {
			var in api.ListTablesInput
			return dst, api.Parse(body, &in)
		},
	}
}

// harness is a protocol with its parts in reach.
type harness struct {
	protocol *httpapi.Protocol
	budget   *limiter.Budget
	requests *metric.Requests
	log      bytes.Buffer
}

func newHarness(t testing.TB, change func(*httpapi.Options)) *harness {
	t.Helper()
	ids, err := httpapi.NewRequestIDs(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{budget: httpapi.NewBudget(httpapi.MemoryBytesMin)}
	calls := fakeCalls()
	targets := []string{httpapi.UnknownTarget}
	for target := range calls {
		targets = append(targets, target)
	}
	h.requests = metric.NewRequests(slices.Values(targets))
	o := httpapi.Options{
		Calls: calls, Auth: sigv4.WellFormed{}, Budget: h.budget, IDs: ids, Region: "us-east-1", Requests: h.requests,
		Clock: clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)),
		Log:   slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{ReplaceAttr: withoutTime})),
	}
	if change != nil {
		change(&o)
	}
	h.protocol = httpapi.New(o)
	return h
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "stack" {
		return slog.Attr{}
	}
	return a
}

func (h *harness) do(method, target string, header http.Header, body []byte) *httpapi.Response {
	w := &httpapi.Response{}
	h.protocol.Handle(context.Background(), &httpapi.Request{Method: method, Target: target, Headers: headers(header), Body: body}, w)
	return w
}

// call is a well-formed call of an operation.
func (h *harness) call(operation, body string, more http.Header) *httpapi.Response {
	header := http.Header{
		"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"DynamoDB_20120810." + operation},
		"Authorization": {authorization}, "X-Amz-Date": {"20260301T000000Z"}, "Host": {"localhost:8000"},
	}
	for name, values := range more {
		header[name] = values
	}
	return h.do("POST", "/", header, []byte(body))
}

func TestProtocol(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		h := newHarness(t, nil)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "protocol":
				h = newHarness(t, func(o *httpapi.Options) {
					for _, arg := range d.CmdArgs {
						switch arg.Key {
						case "cors":
							o.Origin = arg.Vals[0]
						case "cluster":
							o.Cluster, _ = strconv.ParseUint(arg.Vals[0], 10, 64)
						case "listen":
							o.Hosts = httpapi.NewHosts(arg.Vals[0])
						}
					}
				})
				return ""
			case "request":
				h.log.Reset()
				w := h.do(parseRequest(t, d.Input))
				defer w.Release()
				return render(w) + h.log.String()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

// parseRequest reads a request line, headers, and after an empty line (written as a dot) the body. "Authorization: good"
// stands for a well-formed signature, "signed" for all headers that a client sends.
func parseRequest(t *testing.T, text string) (method, target string, header http.Header, body []byte) {
	head, rest, _ := strings.Cut(text+"\n", "\n.\n")
	header = http.Header{}
	for i, line := range strings.Split(strings.TrimSpace(head), "\n") {
		if i == 0 {
			method, target, _ = strings.Cut(line, " ")
			continue
		}
		if line == "signed" {
			header.Set("Authorization", authorization)
			header.Set("X-Amz-Date", "20260301T000000Z")
			header.Set("Content-Type", "application/x-amz-json-1.0")
			continue
		}
		name, value, found := strings.Cut(line, ": ")
		if !found {
			t.Fatalf("%q is no header", line)
		}
		header.Set(name, value)
	}
	return method, target, header, []byte(strings.TrimSuffix(rest, "\n"))
}

func render(w *httpapi.Response) string {
	var out strings.Builder
	fmt.Fprintln(&out, w.Status)
	for name, value := range w.Headers() {
		fmt.Fprintf(&out, "%s: %s\n", name, value)
	}
	if w.Close {
		fmt.Fprintln(&out, "(closes)")
	}
	if body := string(w.Body); len(body) > 2000 {
		fmt.Fprintf(&out, "(%d bytes)\n", len(body))
	} else if body != "" {
		fmt.Fprintf(&out, "%s\n", strings.TrimSuffix(body, "\n"))
	}
	return out.String()
}

func TestBodiesOver16MiB(t *testing.T) {
	h := newHarness(t, nil)
	largest := `{"a":"` + strings.Repeat("x", 16<<20-8) + `"}`
	if w := h.call("PutItem", largest, nil); w.Status != 200 || len(w.Body) != 16<<20 {
		t.Errorf("16 MiB: status %d with %d bytes", w.Status, len(w.Body))
	}
	w := h.call("PutItem", largest+" ", nil)
	if got := render(w); got != "413\n(closes)\n" {
		t.Errorf("over 16 MiB: %s", got)
	}
}

func zipped(t testing.TB, encoding string, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "bare deflate":
		w, _ = flate.NewWriter(&out, 6)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return out.Bytes()
}

func unzipped(t testing.TB, encoding string, body []byte) []byte {
	t.Helper()
	open := func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }
	if encoding == "deflate" {
		open = zlib.NewReader
	}
	r, err := open(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestEncodedBodies(t *testing.T) {
	h := newHarness(t, nil)
	plain := `{"a":"` + strings.Repeat("b", 200_000) + `"}`
	for _, encoding := range []string{"gzip", "deflate", "bare deflate"} {
		name := strings.TrimPrefix(encoding, "bare ")
		body := zipped(t, encoding, []byte(plain))
		w := h.call("PutItem", string(body), http.Header{"Content-Encoding": {name}})
		if w.Status != 200 || string(w.Body) != plain {
			t.Errorf("%s: status %d with %d bytes", encoding, w.Status, len(w.Body))
		}
		w.Release()
		w = h.call("PutItem", string(body[:len(body)/2]), http.Header{"Content-Encoding": {name}})
		if w.Status != 500 || !bytes.Contains(w.Body, []byte("InternalServerError")) {
			t.Errorf("%s, cut off: status %d with %d bytes", encoding, w.Status, len(w.Body))
		}
	}
	if w := h.call("PutItem", "{}", http.Header{"Content-Encoding": {"br"}}); w.Status != 500 {
		t.Errorf("br: status %d", w.Status)
	}
	if used := h.budget.Used(); used != 0 {
		t.Errorf("%d bytes of the budget are still held", used)
	}
}

// A few kilobytes that inflate to a gigabyte are given up at the limit, and cost no more than it.
func TestInflatingBombIsGivenUp(t *testing.T) {
	h := newHarness(t, nil)
	bomb := zipped(t, "gzip", make([]byte, 64<<20))
	w := h.call("PutItem", string(bomb), http.Header{"Content-Encoding": {"gzip"}})
	if w.Status != 413 || len(w.Body) != 0 || w.Identified {
		t.Errorf("got %s", render(w))
	}
	if used := h.budget.Used(); used != 0 {
		t.Errorf("%d bytes of the budget are still held", used)
	}
}

// The checksum is that of the bytes sent: stock clients compare it before they inflate.
func TestLargeAnswersAreCompressedOnDemand(t *testing.T) {
	h := newHarness(t, nil)
	plain := h.call("Scan", "{}", nil)
	for accept, want := range map[string]string{
		"gzip": "gzip", "GZIP": "gzip", "deflate": "deflate", "br, gzip;q=0.5": "gzip", "identity": "", "": "", "br": "", "x-gzip": "",
		"gzip, deflate": "gzip", "deflate, gzip": "deflate", "gzip;q=0.5, deflate;q=0.8": "deflate", "gzip;q=0.5, identity": "gzip",
		"*": "gzip", "*, deflate": "deflate", "*, gzip;q=0.5": "deflate", "*;q=0.1, gzip;q=0": "deflate", "*;q=0": "",
		"gzip;q=0": "", "gzip; q=0.0": "", "gzip;q= 0;q=1": "", "gzip;q=0, gzip;q=0.2": "gzip", "gzip;q=-1": "",
		// What is no number counts as 1, and nothing more than that.
		"deflate;q=0.5, gzip;q=x": "gzip", "gzip;q=2, deflate;q=3": "gzip", "deflate, gzip;q =0": "deflate", "gzip:q=1": "",
	} {
		w := h.call("Scan", "{}", http.Header{"Accept-Encoding": {accept}})
		if w.ContentEncoding != want {
			t.Errorf("Accept-Encoding %q: got %q", accept, w.ContentEncoding)
			continue
		}
		body := w.Body
		if want != "" {
			body = unzipped(t, want, w.Body)
		}
		if !bytes.Equal(body, plain.Body) {
			t.Errorf("Accept-Encoding %q changed the answer", accept)
		}
		checkCRC(t, w)
	}
	if w := h.call("GetItem", "{}", http.Header{"Accept-Encoding": {"gzip"}}); w.ContentEncoding != "" {
		t.Error("a short answer was compressed")
	}
}
