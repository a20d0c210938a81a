package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"stator/internal/edge/httpapi"
	"stator/internal/model/api"
)

// quick are limits that make a test of patience short.
func quick() httpapi.Limits {
	return httpapi.Limits{
		Head: 300 * time.Millisecond, Stall: 300 * time.Millisecond, Idle: 5 * time.Second, Write: 2 * time.Second,
		Discard: 100 * time.Millisecond, Connections: 600,
	}
}

// patient are limits that a test does not come to on any machine. Only the rest of what was refused is not waited for.
func patient() httpapi.Limits {
	limits := httpapi.DefaultLimits()
	limits.Stall, limits.Discard = waitMax, quick().Discard
	return limits
}

// waitMax ends a wait for what does not come.
const waitMax = time.Minute

// serve starts a server on loopback and returns its address.
func serve(t testing.TB, limits httpapi.Limits, change func(*httpapi.Options)) (*harness, *httpapi.Server, string) {
	t.Helper()
	h := newHarness(t, change)
	s := httpapi.NewServer(h.protocol, limits)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		s.Shutdown(ctx) // connections of the test may still be open
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return h, s, l.Addr().String()
}

type client struct {
	net.Conn
	t      testing.TB
	reader *bufio.Reader
}

func dial(t testing.TB, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(waitMax))
	return &client{conn, t, bufio.NewReader(conn)}
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads one response: its status and body.
func (c *client) answer() (*http.Response, string) {
	c.t.Helper()
	r, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatalf("reading an answer: %v", err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatalf("reading an answer's body: %v", err)
	}
	return r, string(body)
}

// closed checks that the server has nothing more to say.
func (c *client) closed() {
	c.t.Helper()
	rest, err := io.ReadAll(c.reader)
	var timeout net.Error
	if err == nil && len(rest) > 0 {
		c.t.Errorf("%d more bytes before the connection closed: %.200q", len(rest), rest)
	} else if errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Error("the connection was not closed")
	}
}

// head is a request line with the headers of a signed call.
func head(operation string, more ...string) string {
	return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20260301T000000Z\r\n" +
		"X-Amz-Target: DynamoDB_20120810." + operation + "\r\nAuthorization: " + authorization + "\r\n" +
		strings.Join(append(more, ""), "\r\n") + "\r\n"
}

func request(operation, body string) string {
	return head(operation, fmt.Sprintf("Content-Length: %d", len(body))) + body
}

func TestServerAnswersAHealthCheckerWithoutAHost(t *testing.T) {
	_, _, address := serve(t, patient(), func(o *httpapi.Options) { o.Hosts = httpapi.NewHosts("127.0.0.1:8000") })
	c := dial(t, address)
	c.send("GET / HTTP/1.0\r\n\r\n")
	if r, answer := c.answer(); r.StatusCode != 200 || !strings.HasPrefix(answer, "healthy: ") {
		t.Errorf("status %d, %q", r.StatusCode, answer)
	}
	c.closed()
}

func TestServerAnswersOnOneConnection(t *testing.T) {
	_, _, address := serve(t, patient(), nil)
	c := dial(t, address)
	for _, size := range []int{2, 8 << 10, 8<<10 + 1, 64 << 10, 64<<10 + 1, 1 << 20, 2} {
		body := `{"a":"` + strings.Repeat("x", max(0, size-8)) + `"}`
		c.send(request("PutItem", body))
		r, answer := c.answer()
		if r.StatusCode != 200 || answer != body {
			t.Errorf("%d bytes: status %d with %d bytes", size, r.StatusCode, len(answer))
		}
		for _, name := range []string{"X-Amzn-Requestid", "X-Amz-Crc32", "Content-Type", "Server", "Date", "Content-Length"} {
			if r.Header.Get(name) == "" {
				t.Errorf("%d bytes: the answer lacks %s", size, name)
			}
		}
	}
	c.send(head("PutItem", "Transfer-Encoding: chunked") + "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n")
	if _, answer := c.answer(); answer != `{"a":1}` {
		t.Errorf("chunked: %q", answer)
	}
	c.send(head("PutItem", "Expect: 100-continue", "Content-Length: 2"))
	if r, _ := c.answer(); r.StatusCode != 100 {
		t.Errorf("Expect: 100-continue was answered %d", r.StatusCode)
	}
	c.send("{}")
	if r, _ := c.answer(); r.StatusCode != 200 {
		t.Errorf("after 100-continue: status %d", r.StatusCode)
	}
	c.send("GET http://localhost:8000/?x HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, answer := c.answer(); !strings.HasPrefix(answer, "healthy: ") {
		t.Errorf("GET: %q", answer)
	}
}

func TestPipelinedRequestsAreAnsweredInOrderUntilTheGarbage(t *testing.T) {
	_, _, address := serve(t, patient(), nil)
	c := dial(t, address)
	large := `{"n":"` + strings.Repeat("y", 100_000) + `"}`
	go c.Write([]byte(request("PutItem", `{"n":1}`) + request("PutItem", large) + request("GetItem", "{") +
		request("GetItem", "{}") + "\x00\x01 nonsense\r\n\r\n" + request("GetItem", "{}")))
	for i, want := range []string{`{"n":1}`, large, "", `{"Item":{"pk":{"S":"a"}}}`} {
		if r, answer := c.answer(); answer != want && want != "" {
			t.Errorf("request %d: status %d with %.100q", i+1, r.StatusCode, answer)
		}
	}
	if r, _ := c.answer(); r.StatusCode != 400 {
		t.Errorf("garbage: status %d", r.StatusCode)
	}
	c.closed()
}

func TestMalformedHeadsAreRefused(t *testing.T) {
	_, _, address := serve(t, patient(), nil)
	for name, test := range map[string]struct {
		text   string
		status int
	}{
		"no HTTP":              {"\x16\x03\x01\x02\x00\r\n\r\n", 400},
		"negative length":      {head("GetItem", "Content-Length: -5"), 400},
		"length of letters":    {head("GetItem", "Content-Length: ten"), 400},
		"two lengths":          {head("GetItem", "Content-Length: 2", "Content-Length: 5") + "{}", 400},
		"length and chunked":   {head("GetItem", "Content-Length: 2", "Transfer-Encoding: chunked") + "{}", 400},
		"a broken chunk":       {head("GetItem", "Transfer-Encoding: chunked") + "zz\r\n{}\r\n0\r\n\r\n", 400},
		"headers of 20 KB":     {head("GetItem", "X-Filler: "+strings.Repeat("z", 20<<10), "Content-Length: 2") + "{}", 400},
		"a request line of 20": {"GET /" + strings.Repeat("z", 20<<10) + " HTTP/1.1\r\n\r\n", 400},
		"17 MiB announced":     {head("PutItem", "Content-Length: 17825792") + strings.Repeat("x", 9000), 413},
		"a huge number":        {head("PutItem", "Content-Length: 99999999999999999999"), 400},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, address)
			go io.WriteString(c, test.text)
			if r, body := c.answer(); r.StatusCode != test.status || body != "" {
				t.Errorf("status %d with %q, want %d with nothing", r.StatusCode, body, test.status)
			}
			c.closed()
		})
	}
}

// A body over the limit is refused whether its size was announced or not, and the client that sends it whole gets to
// read the answer.
func TestTooLargeBodiesAreAnswered(t *testing.T) {
	h, _, address := serve(t, httpapi.DefaultLimits(), nil)
	body := strings.Repeat("x", 17<<20)
	for name, framing := range map[string]string{
		"announced": fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body,
		"chunked":   fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body),
	} {
		c := dial(t, address)
		c.send(strings.TrimSuffix(head("PutItem"), "\r\n") + framing)
		r, answer := c.answer()
		if r.StatusCode != 413 || answer != "" || r.Header.Get("X-Amzn-Requestid") != "" {
			t.Errorf("%s: status %d, %q, %v", name, r.StatusCode, answer, r.Header)
		}
		c.closed()
	}
	if used := h.budget.Used(); used != 0 {
		t.Errorf("%d bytes of the budget are still held", used)
	}
}

func TestSlowClientsAreLetGo(t *testing.T) {
	h, _, address := serve(t, quick(), nil)
	for name, text := range map[string]string{
		"half a request line": "POST / HT",
		"half a head":         head("PutItem")[:100],
		"half a short body":   head("PutItem", "Content-Length: 100") + "{",
		"half a long body":    head("PutItem", "Content-Length: 1000000") + strings.Repeat("x", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, address)
			c.send(text)
			if r, _ := c.answer(); r.StatusCode != 408 {
				t.Errorf("status %d, want 408", r.StatusCode)
			}
			c.closed()
		})
	}
	if used := h.budget.Used(); used != 0 {
		t.Errorf("%d bytes of the budget are still held", used)
	}
}

// A client that says it is done before its body is whole must not have half a body taken for the whole.
func TestBodiesCutOffAreRefused(t *testing.T) {
	called := false
	_, _, address := serve(t, patient(), func(o *httpapi.Options) {
		o.Calls["DynamoDB_20120810.PutItem"] = func(_ context.Context, _, dst []byte, _ ...api.Allow) ([]byte, error) {
			called = true
			return dst, nil
		}
	})
	for _, framing := range []string{"Content-Length: 100", "Content-Length: 100000", "Transfer-Encoding: chunked"} {
		c := dial(t, address)
		c.send(head("PutItem", framing) + "2\r\n{}" + strings.Repeat(" ", 10))
		c.Conn.(*net.TCPConn).CloseWrite()
		if r, _ := c.answer(); r.StatusCode != 400 {
			t.Errorf("%s: status %d, want 400", framing, r.StatusCode)
		}
	}
	if called {
		t.Error("the operation was called with a part of a body")
	}
}

// Clients that announce 16 MiB and then stop hold no more than their share, and others are served meanwhile.
func TestHalfSentBodiesLeaveRoomForOthers(t *testing.T) {
	limits := patient()
	limits.Discard = waitMax // what is refused is large, and must be sent before the answer is looked for
	h, _, address := serve(t, limits, func(o *httpapi.Options) { o.Patience = 50 * time.Millisecond })
	quarter := make([]byte, 4<<20)
	const ceiling = httpapi.MemoryBytesMin * 5 / 8
	for deadline := time.Now().Add(waitMax); h.budget.Used() < ceiling-6<<20; {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are held, expected about %d", h.budget.Used(), ceiling)
		}
		c := dial(t, address)
		c.send(head("PutItem", "Content-Length: 16777216"))
		c.Write(quarter) // the last may be refused halfway
		time.Sleep(10 * time.Millisecond)
	}
	if used := h.budget.Used(); used > ceiling {
		t.Errorf("%d bytes are held, want at most %d", used, ceiling)
	}
	c := dial(t, address)
	for _, size := range []int{10, 400 << 10} {
		body := `{"a":"` + strings.Repeat("x", size) + `"}`
		c.send(request("PutItem", body))
		if r, answer := c.answer(); r.StatusCode != 200 {
			t.Errorf("%d bytes: status %d, %s", size, r.StatusCode, answer)
		}
	}
	c.send(request("PutItem", `{"a":"`+strings.Repeat("x", 15<<20)+`"}`))
	if r, answer := c.answer(); r.StatusCode != 400 || !strings.Contains(answer, "#ThrottlingException") || r.Header.Get("X-Amz-Crc32") == "" {
		t.Errorf("15 MiB: status %d, %.200s", r.StatusCode, answer)
	}
}

func TestALargeAnswerIsHeldUntilTaken(t *testing.T) {
	const size = 8 << 20
	scan := func(o *httpapi.Options) {
		o.Calls["DynamoDB_20120810.Scan"] = func(_ context.Context, _, dst []byte, _ ...api.Allow) ([]byte, error) {
			return append(dst, make([]byte, size)...), nil
		}
	}
	h, _, address := serve(t, patient(), scan)
	c := dial(t, address)
	c.send(request("Scan", "{}"))
	holds(t, h, size)
	if _, answer := c.answer(); len(answer) != size {
		t.Errorf("%d bytes arrived, want %d", len(answer), size)
	}
	// The next exchange on the connection starts after the first has been released.
	c.send(request("GetItem", "{}"))
	c.answer()
	holds(t, h, 0)
	// A client that never reads is let go.
	hasty := patient()
	hasty.Write = time.Second
	h, _, address = serve(t, hasty, scan)
	idle := dial(t, address)
	idle.send(request("Scan", "{}"))
	holds(t, h, size)
	holds(t, h, 0)
}

// holds waits until so much of the budget is taken.
func holds(t *testing.T, h *harness, want int64) {
	t.Helper()
	for deadline := time.Now().Add(waitMax); h.budget.Used() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are held, want %d", h.budget.Used(), want)
		}
	}
}

func TestShutdownFinishesWhatIsUnderWay(t *testing.T) {
	entered, release := make(chan bool), make(chan bool)
	_, s, address := serve(t, patient(), func(o *httpapi.Options) {
		o.Calls["DynamoDB_20120810.PutItem"] = func(_ context.Context, _, dst []byte, _ ...api.Allow) ([]byte, error) {
			entered <- true
			<-release
			return append(dst, "{}"...), nil
		}
	})
	idle, busy := dial(t, address), dial(t, address)
	idle.send(request("GetItem", "{}"))
	idle.answer()
	busy.send(request("PutItem", "{}"))
	<-entered
	stopped := make(chan error)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	idle.closed()
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("a new connection was accepted")
	}
	close(release)
	r, _ := busy.answer()
	if r.StatusCode != 200 || !r.Close {
		t.Errorf("status %d, Connection: close %v", r.StatusCode, r.Close)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestShutdownCancelsWhatDoesNotFinish(t *testing.T) {
	entered, cancelled := make(chan bool), make(chan bool)
	_, s, address := serve(t, patient(), func(o *httpapi.Options) {
		o.Calls["DynamoDB_20120810.PutItem"] = func(ctx context.Context, _, dst []byte, _ ...api.Allow) ([]byte, error) {
			entered <- true
			<-ctx.Done()
			close(cancelled)
			return dst, ctx.Err()
		}
	})
	dial(t, address).send(request("PutItem", "{}"))
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); err == nil {
		t.Error("Shutdown did not tell that a request was left")
	}
	<-cancelled
}

func TestTransport(t *testing.T) {
	h := newHarness(t, nil)
	c := &http.Client{Transport: &httpapi.Transport{Protocol: h.protocol}}
	r, err := http.NewRequest(http.MethodPost, "http://stator.local/", strings.NewReader(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	r.Header.Set("X-Amz-Date", "20260301T000000Z")
	r.Header.Set("Authorization", authorization)
	w, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	body.ReadFrom(w.Body)
	if w.StatusCode != 200 || body.String() != `{"a":1}` || w.Header.Get("X-Amz-Crc32") == "" || w.Status != "200 OK" {
		t.Errorf("got %s, %q, %v", w.Status, body.String(), w.Header)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Do(r.Clone(ctx)); err == nil {
		t.Error("a cancelled request was answered")
	}
}

func FuzzServerHead(f *testing.F) {
	f.Add([]byte(request("GetItem", "{}")))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=\r\n\r\n"))
	f.Add([]byte(head("PutItem", "Transfer-Encoding: chunked") + "1\r\n{\r\n0\r\n\r\n"))
	f.Add([]byte(head("PutItem", "Content-Encoding: gzip", "Content-Length: 4") + "\x1f\x8b\x08\x00"))
	f.Add([]byte("OPTIONS http://: HTTP/1.0\r\nOrigin: x\r\nHost: [\r\n\r\n"))
	limits := quick()
	h := newHarness(f, func(o *httpapi.Options) {
		o.Hosts, o.Origin = httpapi.NewHosts("0.0.0.0:1"), "*"
		for target := range o.Calls {
			o.Calls[target] = func(_ context.Context, body, dst []byte, _ ...api.Allow) ([]byte, error) {
				var in api.PutItemInput
				return append(dst, "{}"...), api.Parse(body, &in)
			}
		}
	})
	s := httpapi.NewServer(h.protocol, limits)
	f.Fuzz(func(t *testing.T, sent []byte) {
		near, far := net.Pipe()
		done := make(chan error, 1)
		go func() {
			done <- s.ServeConn(far)
			far.Close()
		}()
		go func() {
			near.Write(sent)
			near.Write([]byte(strings.Repeat("\r\n", 4)))
			time.Sleep(5 * time.Millisecond)
			near.Close()
		}()
		io.Copy(io.Discard, near)
		<-done
	})
}
