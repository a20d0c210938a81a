package admin_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"stator/internal/base/metric"
	"stator/internal/cluster/insight"
	"stator/internal/edge/admin"
	"stator/internal/edge/httpapi"
	"stator/internal/model/advice"
	"stator/internal/model/api"
	"stator/internal/model/cost"
)

// fakeOperator splits and meters the table "t" and knows no other; "f" is on fire.
type fakeOperator struct{}

func (fakeOperator) Split(_ context.Context, table string, at []byte) (string, error) {
	switch table {
	case "t":
		return "split at " + string(at), nil
	case "f":
		return "", errors.New("disk on fire")
	}
	return "", api.NewResourceNotFoundException("Requested resource not found: Table: " + table + " not found")
}

func (fakeOperator) Workload(_ context.Context, table string) (cost.Workload, error) {
	switch table {
	case "t":
		return cost.Workload{Table: table, Resources: []cost.Resource{{Bytes: 7}}}, nil
	case "f":
		return cost.Workload{}, errors.New("disk on fire")
	}
	return cost.Workload{}, api.NewResourceNotFoundException("Requested resource not found: Table: " + table + " not found")
}

func (fakeOperator) Use(_ context.Context, table string) (advice.Use, error) {
	return advice.Use{OnDemand: true}, nil
}

func (fakeOperator) Throttles(_ context.Context, table string) (insight.Explanation, error) {
	return insight.Explanation{Table: table, Requests: 7}, nil
}

func (fakeOperator) Heat(_ context.Context, table string) (insight.Ring, error) {
	return insight.Ring{Table: table}, nil
}

func (fakeOperator) Contributors(_ context.Context, table string) (insight.Report, error) {
	return insight.Report{Table: table}, nil
}

func newDoor(change func(*admin.Options)) (*admin.Door, *admin.Options, *bytes.Buffer) {
	var log bytes.Buffer
	o := admin.Options{
		Operator: fakeOperator{},
		Requests: metric.NewRequests(slices.Values([]string{"DynamoDB_20120810.GetItem", "DynamoDB_20120810.PutItem"})),
		Log:      slog.New(slog.NewTextHandler(&log, nil)),
	}
	if change != nil {
		change(&o)
	}
	return admin.New(o), &o, &log
}

// A process that is up and of no use turns red, with the reason; it is alive all the same.
func TestNotReadyForAReason(t *testing.T) {
	reason := errors.New("this node is cut off")
	d, _, _ := newDoor(func(o *admin.Options) { o.Ready = func() error { return reason } })
	d.SetReady(true)
	if code, text := ask(d, "GET", "/readyz"); code != 503 || text != "this node is cut off\n" {
		t.Errorf("/readyz: %d %q", code, text)
	}
	if code, _ := ask(d, "GET", "/healthz"); code != 200 {
		t.Errorf("/healthz: %d", code)
	}
	reason = nil
	if code, _ := ask(d, "GET", "/readyz"); code != 200 {
		t.Errorf("/readyz without a reason: %d", code)
	}
}

// ask sends a request as the operator's tools do.
func ask(d *admin.Door, method, target string, header ...string) (int, string) {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "localhost:8001"
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestHealthAndReadiness(t *testing.T) {
	d, _, _ := newDoor(func(o *admin.Options) { o.Token = "secret" })
	if code, _ := ask(d, "GET", "/healthz"); code != 200 {
		t.Errorf("/healthz: %d", code)
	}
	for _, ready := range []bool{false, true, false} {
		d.SetReady(ready)
		if code, _ := ask(d, "GET", "/readyz"); (code == 200) != ready {
			t.Errorf("/readyz: %d when ready is %v", code, ready)
		}
	}
}

func TestMetrics(t *testing.T) {
	var lookups metric.Histogram
	lookups.Observe(time.Millisecond)
	latency := lookups.Snapshot()
	d, o, _ := newDoor(func(o *admin.Options) {
		o.Samples = func() []admin.Sample {
			return []admin.Sample{
				{Name: "stator_disk_bytes", Help: "Bytes on disk.", Value: 4096},
				{Name: "stator_compactions_total", Help: "Compactions.", Value: 7, Counter: true, Labels: map[string]string{"level": "1"}},
				{Name: "stator_lookup_seconds", Help: "Lookups.", Latency: &latency},
			}
		}
		o.IndexLag = func() []admin.IndexLag {
			return []admin.IndexLag{{Table: "t", Index: "by-name", Changes: 3, Bytes: 900}}
		}
	})
	get := o.Requests.Operation("DynamoDB_20120810.GetItem")
	get.Done(100, 1000, 100*time.Microsecond)
	get.Done(100, 60, 3*time.Millisecond)
	for _, err := range []string{"ResourceNotFoundException", "ValidationException", "ThrottlingException", "InternalServerError"} {
		get.Failed(err)
	}
	code, text := ask(d, "GET", "/metrics")
	if code != 200 {
		t.Fatalf("status %d: %s", code, text)
	}
	for _, want := range []string{
		`stator_request_duration_seconds_bucket{operation="GetItem",service="dynamodb",le="0.000131072"} 1`,
		`stator_request_duration_seconds_bucket{operation="GetItem",service="dynamodb",le="+Inf"} 2`,
		`stator_request_duration_seconds_count{operation="GetItem",service="dynamodb"} 2`,
		`stator_request_errors_total{error="ResourceNotFoundException",operation="GetItem",service="dynamodb"} 1`,
		`stator_request_received_bytes_total{operation="GetItem",service="dynamodb"} 200`,
		`stator_request_sent_bytes_total{operation="GetItem",service="dynamodb"} 1060`,
		`stator_user_errors_total{operation="GetItem",service="dynamodb"} 2`,
		`stator_lookup_seconds_bucket{le="0.001048576"} 1`,
		`stator_lookup_seconds_sum 0.001`,
		"# TYPE stator_disk_bytes gauge\nstator_disk_bytes 4096",
		"# TYPE stator_compactions_total counter\nstator_compactions_total{level=\"1\"} 7",
		`stator_index_lag_changes{index="by-name",table="t"} 3`,
		`stator_index_lag_bytes{index="by-name",table="t"} 900`,
		"go_goroutines ",
	} {
		if !strings.Contains(text, want+"\n") && !strings.Contains(text, "\n"+want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
	if strings.Contains(text, "PutItem") {
		t.Error("an operation that was never called is shown")
	}
}

func TestSplit(t *testing.T) {
	d, _, log := newDoor(nil)
	const contentType, json = "Content-Type", "application/json"
	for _, test := range []struct {
		method, target string
		header         []string
		code           int
		text           string
	}{
		{"POST", "/split?table=t&at=%7B%22pk%22%3A%7B%22S%22%3A%22a%22%7D%7D", []string{contentType, json}, 200, `split at {"pk":{"S":"a"}}`},
		{"POST", "/split?table=t", []string{contentType, json}, 200, "split at "},
		{"POST", "/split", []string{contentType, json}, 400, "which table?"},
		{"POST", "/split?table=x", []string{contentType, json}, 400, "ResourceNotFoundException: "},
		{"POST", "/split?table=f", []string{contentType, json}, 500, "disk on fire"},
		{"POST", "/split?table=t", []string{contentType, "text/plain"}, 415, "application/json"},
		{"GET", "/split?table=t", []string{contentType, json}, 405, ""},
	} {
		code, text := ask(d, test.method, test.target, test.header...)
		if code != test.code || !strings.HasPrefix(text, test.text) && !strings.Contains(text, test.text) {
			t.Errorf("%s %s: %d %q, want %d %q", test.method, test.target, code, text, test.code, test.text)
		}
	}
	if !strings.Contains(log.String(), "split failed") {
		t.Errorf("a fault was not logged: %s", log.String())
	}
}

func TestGuards(t *testing.T) {
	open, _, _ := newDoor(func(o *admin.Options) { o.Hosts = httpapi.NewHosts("127.0.0.1:8001") })
	closed, _, _ := newDoor(func(o *admin.Options) { o.Token, o.Pprof = "secret", true })
	for _, test := range []struct {
		name   string
		door   *admin.Door
		target string
		header []string
		code   int
	}{
		{"no token asked for", open, "/metrics", nil, 200},
		{"a web page's name", open, "/metrics", []string{"Host", "evil.example"}, 403},
		{"no token given", closed, "/metrics", nil, 401},
		{"a wrong token", closed, "/metrics", []string{"Authorization", "Bearer secret2"}, 401},
		{"the token", closed, "/metrics", []string{"Authorization", "Bearer secret"}, 200},
		{"the token from anywhere", closed, "/metrics", []string{"Authorization", "Bearer secret", "Host", "db.example"}, 200},
		{"profiles without the token", closed, "/debug/pprof/cmdline", nil, 401},
		{"profiles", closed, "/debug/pprof/cmdline", []string{"Authorization", "Bearer secret"}, 200},
		{"profiles not asked for", open, "/debug/pprof/cmdline", nil, 404},
	} {
		if code, _ := ask(test.door, "GET", test.target, test.header...); code != test.code {
			t.Errorf("%s: %d, want %d", test.name, code, test.code)
		}
	}
}

func TestServeAndShutdown(t *testing.T) {
	d, _, _ := newDoor(nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- d.Serve(l) }()
	r, err := http.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(r.Body); string(body) != "ok\n" {
		t.Errorf("got %q", body)
	}
	if err := d.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestTelling(t *testing.T) {
	d, _, log := newDoor(nil)
	for _, test := range []struct {
		target string
		code   int
		text   string
	}{
		{"/workload?table=t", 200, `"bytes":7`},
		{"/workload", 400, "which table? GET /workload?table=NAME"},
		{"/workload?table=x", 400, "ResourceNotFoundException: "},
		{"/workload?table=f", 500, "disk on fire"},
		{"/use?table=t", 200, `"onDemand":true`},
		{"/throttles?table=t", 200, `"requests":7`},
		{"/heat?table=t", 200, `"spaces":`},
		{"/insights?table=t", 200, `"resources":`},
	} {
		code, text := ask(d, "GET", test.target)
		if code != test.code || !strings.Contains(text, test.text) {
			t.Errorf("%s: %d %q, want %d %q", test.target, code, text, test.code, test.text)
		}
	}
	if !strings.Contains(log.String(), "path=/workload") {
		t.Errorf("a fault was not logged: %s", log.String())
	}
}
