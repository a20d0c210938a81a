package node_test

import (
	"cmp"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collected "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"stator/internal/base/clock"
	"stator/internal/base/trace"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/otlp"
	"stator/internal/edge/sigv4"
	"stator/internal/node"
)

// collector takes spans as OpenTelemetry's own does.
type collector struct {
	t  *testing.T
	at string

	mu    sync.Mutex // guards what follows
	spans []*spans.Span
	nodes map[string]string // who sent a span, by its id
}

func newCollector(t *testing.T) *collector {
	c := &collector{t: t, nodes: map[string]string{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.at = server.URL
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request collected.ExportTraceServiceRequest
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = proto.Unmarshal(body, &request)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		c.t.Errorf("%s: %v", r.URL.Path, err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		node := ""
		for _, a := range resource.Resource.Attributes {
			if a.Key == "service.instance.id" {
				node = a.Value.GetStringValue()
			}
		}
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans, c.nodes[string(s.SpanId)] = append(c.spans, s), node
			}
		}
	}
}

// recorder sends to the collector. All that it recorded is there once the returned function has ended.
func (c *collector) recorder(name string) (r *otlp.Recorder, sent func()) {
	r, err := otlp.New(c.t.Context(), otlp.Options{URL: c.at, Node: name})
	if err != nil {
		c.t.Fatal(err)
	}
	return r, func() {
		if err := r.Close(c.t.Context()); err != nil {
			c.t.Error(err)
		}
	}
}

// trees are the traces that begin with an operation, a line a span, each part deeper than what it is part of.
func (c *collector) trees(operation string) (trees []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortFunc(c.spans, func(a, b *spans.Span) int { return cmp.Compare(a.StartTimeUnixNano, b.StartTimeUnixNano) })
	for _, s := range c.spans {
		if s.Name == operation {
			trees = append(trees, c.tree(s, 0))
		}
	}
	return trees
}

func (c *collector) tree(s *spans.Span, depth int) string {
	text := strings.Repeat("  ", depth) + s.Name + " on " + c.nodes[string(s.SpanId)] + "\n"
	for _, part := range c.spans {
		if string(part.ParentSpanId) == string(s.SpanId) {
			text += c.tree(part, depth+1)
		}
	}
	return text
}

// door sends requests to a node as clients do.
type door struct {
	t         *testing.T
	transport httpapi.Transport
}

func newDoor(t *testing.T, n *node.Node, r trace.Recorder) door {
	ids, err := httpapi.NewRequestIDs(strings.NewReader(strings.Repeat("x", 64)))
	if err != nil {
		t.Fatal(err)
	}
	return door{t, httpapi.Transport{Protocol: httpapi.New(httpapi.Options{
		Calls: n.Calls(), Auth: sigv4.WellFormed{}, Budget: httpapi.NewBudget(httpapi.MemoryBytesMin), IDs: ids, Clock: clock.System{}, Traces: r,
	})}}
}

func (d door) ask(operation, body string, header ...string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, "http://localhost/", strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", dynamo+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Date", "20261129T120000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=key/20261129/us-east-1/dynamodb/aws4_request, "+
		"SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := d.transport.RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		d.t.Errorf("%s: %s", operation, text)
	}
}

const putA, getA = `{"TableName": "things", "Item": {"pk": {"S": "a"}}}`, `{"TableName": "things", "Key": {"pk": {"S": "a"}}}`

// A trace has the parts of a request's latency, from the door to the disk, and goes on from one that the client began.
func TestTraceOfANode(t *testing.T) {
	c := newCollector(t)
	recorder, sent := c.recorder("one")
	n, err := node.Open(t.Context(), node.Options{Data: t.TempDir(), DiskReserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, n) })
	made(t, n.Calls())
	d := newDoor(t, n, recorder)
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	d.ask("PutItem", putA, "Traceparent", "00-"+traceID+"-00f067aa0ba902b7-01")
	d.ask("GetItem", getA)
	sent()
	want := []string{
		"PutItem on one\n  routing on one\n    partition lookup on one\n    storage read on one\n    replication on one\n",
		"GetItem on one\n  routing on one\n    partition lookup on one\n    storage read on one\n",
	}
	if got := slices.Concat(c.trees("PutItem"), c.trees("GetItem")); !slices.Equal(got, want) {
		t.Errorf("the traces are\n%s", strings.Join(got, "\n"))
	}
	for _, s := range c.spans {
		if s.Name == "PutItem" && hex.EncodeToString(s.TraceId) != traceID {
			t.Errorf("the put is of trace %x, where its client began %s", s.TraceId, traceID)
		}
	}
}

// A request that is answered by another node has that node's parts in its trace.
func TestTraceOfACluster(t *testing.T) {
	c := newCollector(t)
	first := membership(t)
	var doors []door
	var ends []func()
	for i, name := range []string{"one", "two", "three"} {
		m := first
		if i > 0 {
			m = membership(t, first.Address)
		}
		recorder, sent := c.recorder(name)
		n, err := node.Open(t.Context(), node.Options{Data: t.TempDir(), DiskReserve: -1, Membership: m, Traces: recorder})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closed(t, n) })
		if i == 0 {
			made(t, n.Calls())
		}
		comes(t, n.Calls(), dynamo+"DescribeTable", `{"TableName": "things"}`, `"TableStatus":"ACTIVE"`)
		doors, ends = append(doors, newDoor(t, n, recorder)), append(ends, sent)
	}
	// The table has one partition, which at least two of the three nodes do not lead.
	for _, d := range doors {
		d.ask("PutItem", putA)
		d.ask("GetItem", strings.Replace(getA, "{", `{"ConsistentRead": true, `, 1))
	}
	for _, sent := range ends {
		sent()
	}
	for _, test := range []struct {
		operation string
		parts     []string
	}{{"PutItem", []string{trace.StorageRead, trace.Replication}}, {"GetItem", []string{trace.StorageRead}}} {
		trees := c.trees(test.operation)
		far := slices.IndexFunc(trees, func(tree string) bool { return strings.Contains(tree, "\n    call on ") })
		if len(trees) != len(doors) || far < 0 {
			t.Fatalf("%s: the traces are\n%s", test.operation, strings.Join(trees, "\n"))
		}
		asked := strings.TrimPrefix(strings.SplitN(trees[far], "\n", 2)[0], test.operation+" on ")
		for _, part := range append([]string{trace.Serving}, test.parts...) {
			_, at, found := strings.Cut(trees[far], "  "+part+" on ")
			if !found || strings.HasPrefix(at, asked+"\n") {
				t.Errorf("%s: another node's %s is not in\n%s", test.operation, part, trees[far])
			}
		}
	}
}
