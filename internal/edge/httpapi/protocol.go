package httpapi

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-faster/jx"

	"stator/internal/base/clock"
	"stator/internal/base/limiter"
	"stator/internal/base/metric"
	"stator/internal/base/trace"
	"stator/internal/cluster/session"
	"stator/internal/edge/iam"
	"stator/internal/edge/sigv4"
	"stator/internal/model/api"
)

const (
	contentType10 = "application/x-amz-json-1.0"
	contentType11 = "application/x-amz-json-1.1"
	contentJSON   = "application/json"

	unknownOperationText = "<UnknownOperationException/>\n" // errors.json http-not-post

	autoScaling       = "application-autoscaling"
	autoScalingPrefix = "AnyScaleFrontendService."
)

// Authenticator decides whether a request's signature is believed, and whose it is: nil when nobody knows.
type Authenticator interface {
	Check(*sigv4.Request) (*sigv4.Caller, *sigv4.Failure)
}

// Authorizer decides whether a caller may do what it asks for.
type Authorizer interface {
	Authorize(iam.Request) error
}

// Options are what a Protocol is made of. Calls, Auth, Budget, IDs, Clock, Log and Region must be set.
type Options struct {
	Calls    map[string]api.Call // by X-Amz-Target
	Auth     Authenticator
	Policies Authorizer      // nil: whoever is let in may do anything
	Budget   *limiter.Budget // see NewBudget
	IDs      *RequestIDs
	Clock    clock.Clock
	Log      *slog.Logger
	Region   string
	Requests *metric.Requests // counts the requests of each target; nil: none are counted
	Hosts    *Hosts           // nil: any Host header will do
	Nodes    func() []string  // the addresses of the living nodes, for GET /localnodes; nil: this one is alone
	Origin   string           // the origin that CORS lets in, or "*"; empty: no CORS headers
	Cluster  uint64           // the cluster whose sessions these are; 0: this node is alone
	Patience time.Duration    // how long a request waits for memory; 0: one second
	Traces   trace.Recorder   // records where the time of requests goes; nil: nobody
}

// Protocol answers requests. It is immutable and safe for concurrent use.
type Protocol struct {
	routes   map[string]*route
	unknown  *metric.Operation
	auth     Authenticator
	policies Authorizer
	budget   *limiter.Budget
	ids      *RequestIDs
	clock    clock.Clock
	log      *slog.Logger
	health   string
	nodes    func() []string
	hosts    *Hosts
	origin   string
	cluster  uint64
	patience time.Duration
	traces   trace.Recorder
}

// route is everything there is to know of an operation before it is called.
type route struct {
	call    api.Call
	target  string
	name    string
	service string // which signatures are scoped to
	action  string // what policies call it
	reserve int64  // bytes of budget charged for the operation besides those for its body
	metrics *metric.Operation
}

// UnknownTarget is the name under which Requests counts what is addressed to no operation.
const UnknownTarget = "Unknown"

// New returns the protocol of the given operations. A target that has no Call is answered as an unknown operation.
func New(o Options) *Protocol {
	p := &Protocol{
		routes: make(map[string]*route, len(o.Calls)), unknown: &metric.Operation{},
		auth: o.Auth, policies: o.Policies, budget: o.Budget, ids: o.IDs, clock: o.Clock, log: o.Log, hosts: o.Hosts, origin: o.Origin,
		health:   "healthy: dynamodb." + o.Region + ".amazonaws.com ",
		patience: o.Patience, nodes: o.Nodes, cluster: o.Cluster, traces: o.Traces,
	}
	if p.patience == 0 {
		p.patience = patienceMax
	}
	for target, call := range o.Calls {
		p.routes[target] = newRoute(target, call, o.Requests)
	}
	if o.Requests != nil && o.Requests.Operation(UnknownTarget) != nil {
		p.unknown = o.Requests.Operation(UnknownTarget)
	}
	return p
}

func newRoute(target string, call api.Call, requests *metric.Requests) *route {
	r := &route{call: call, target: target, service: signingService([]byte(target)), reserve: requestBytes}
	_, name, _ := strings.Cut(target, ".")
	r.name = name
	if pages[name] {
		r.reserve += pageBytes
	}
	r.action = r.service + ":" + name
	if requests != nil {
		r.metrics = requests.Operation(target)
	}
	if r.metrics == nil {
		r.metrics = &metric.Operation{} // counted, but nobody looks
	}
	return r
}

func signingService(target []byte) string {
	if bytes.HasPrefix(target, []byte(autoScalingPrefix)) {
		return autoScaling
	}
	return "dynamodb"
}

// Handle answers one request; semantics §1.2 has the order of the checks. What the service checks first but is costly
// (that the body is JSON) is checked when it comes to matter: while the body is decoded, or before another complaint.
func (p *Protocol) Handle(ctx context.Context, r *Request, w *Response) {
	started := p.clock.Now()
	w.reset()
	if len(r.Body) > bodyBytesMax {
		p.tooLarge(w)
		return
	}
	w.RequestID, w.Identified = p.ids.Next(), true
	w.ContentType = contentType10
	metrics := p.unknown
	if !p.answerPlain(r, w) {
		metrics = p.answerCall(ctx, r, w)
	}
	if !w.Identified {
		return
	}
	if len(w.Body) > compressOverBytes {
		if encoding := acceptedEncoding(r.Headers.Peek("Accept-Encoding")); encoding != "" {
			p.compress(w, encoding)
		}
	}
	w.CRC = crc32.ChecksumIEEE(w.Body)
	metrics.Done(len(r.Body), len(w.Body), p.clock.Now().Sub(started))
}

// tooLarge is the one answer without an identifier (errors.json http-too-large).
func (p *Protocol) tooLarge(w *Response) {
	w.Status, w.Body, w.ContentType, w.Identified, w.Close = 413, w.Body[:0], "", false, true
}

// answerPlain answers what is not a call of an operation, and reports whether it was such.
func (p *Protocol) answerPlain(r *Request, w *Response) bool {
	if p.hosts != nil && !p.hosts.Allows(r.Headers.Peek("Host")) {
		w.Close = true
		p.refuse(w, &api.Error{Type: "AccessDeniedException", Status: 403,
			Message: "The Host header names neither this machine nor the address the server listens at."})
		p.unknown.Failed("AccessDeniedException")
		return true
	}
	if p.origin != "" {
		p.allowOrigin(r, w)
	}
	if r.Method == "POST" {
		w.ContentType = answerType(r.Headers.Peek("Content-Type"), r.Headers.Peek("X-Amz-Target"))
		if w.ContentType != "" {
			return false
		}
		if len(r.Body) == 0 {
			w.ContentType = contentJSON
			return false
		}
	}
	w.ContentType = ""
	switch {
	case r.Method == "OPTIONS" && w.Origin != "":
		w.Preflight = &Preflight{
			Methods: string(r.Headers.Peek("Access-Control-Request-Method")),
			Headers: string(r.Headers.Peek("Access-Control-Request-Headers")),
		}
	case r.Method == "GET" && p.nodes != nil && pathOf(r.Target) == localNodesPath:
		w.ContentType = contentJSON
		w.Body = appendNodes(w.Body, p.nodes())
	case r.Method == "GET" && pathOf(r.Target) == "/":
		w.Body = append(w.Body, p.health...)
	default:
		w.Status = 404
		w.Body = append(w.Body, unknownOperationText...)
		p.unknown.Failed("UnknownOperationException")
	}
	return true
}

// allowOrigin lets a browser's page read the answer if it comes from the configured origin.
func (p *Protocol) allowOrigin(r *Request, w *Response) {
	origin := r.Headers.Peek("Origin")
	if len(origin) > 0 && (p.origin == "*" || string(origin) == p.origin) {
		w.Origin = p.origin
	}
}

// answerType is the content type to answer a request of the given one with: the same, or none when it is not one in which
// the target's service speaks.
func answerType(header, target []byte) string {
	kind, _, _ := bytes.Cut(header, []byte(";"))
	switch kind = bytes.TrimSpace(kind); {
	case string(kind) == contentType10:
		return contentType10
	case string(kind) == contentType11 && signingService(target) == autoScaling:
		return contentType11
	case bytes.EqualFold(kind, []byte(contentJSON)):
		return contentJSON
	}
	return ""
}

// answerCall runs the operation that the request is addressed to.
func (p *Protocol) answerCall(ctx context.Context, r *Request, w *Response) *metric.Operation {
	target := r.Headers.Peek("X-Amz-Target")
	called, known := p.routes[string(target)]
	if !known {
		called = &route{target: UnknownTarget, name: UnknownTarget, service: signingService(target), metrics: p.unknown}
	}
	ctx, span := p.begin(ctx, called, r, w)
	err := p.run(ctx, called, r, w)
	if err != nil {
		p.fail(ctx, called, err, w)
	}
	span.End(told(err))
	return called.metrics
}

// begin begins the trace of a request, or a part of one that the client began.
func (p *Protocol) begin(ctx context.Context, called *route, r *Request, w *Response) (context.Context, trace.Span) {
	if p.traces == nil {
		return ctx, trace.Nothing
	}
	ctx, span := trace.From(ctx, p.traces, r.Headers.Peek("Traceparent"), called.name)
	span.Note("aws.request_id", string(w.RequestID[:]))
	return ctx, span
}

// told is what a trace is told of an error: of a refusal its type, since the words of one may show what is in an item.
func told(err error) error {
	if refused, ok := errors.AsType[*api.Error](err); ok {
		return errors.New(refused.Type)
	}
	return err
}

// panicked is the error that a panic becomes.
type panicked struct {
	value any
	stack []byte
}

func (e *panicked) Error() string { return "the request panicked" }

// run takes a request through its checks to the operation. A panic ends this request only: what it left undone is in its
// own memory, since data is changed by batches that are whole or not there.
func (p *Protocol) run(ctx context.Context, called *route, r *Request, w *Response) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{value, debug.Stack()}
		}
	}()
	body := r.Body
	if encoding := bytes.TrimSpace(r.Headers.Peek("Content-Encoding")); len(encoding) > 0 && string(encoding) != "identity" {
		in := newIntake(p.budget, -1, p.patience)
		defer in.close()
		if body, err = decode(in, string(encoding), r.Body); err != nil {
			return err
		}
	}
	caller, err := p.admit(called, r, body)
	if err != nil {
		return err
	}
	if err := p.reserve(called, len(body), w); err != nil {
		return err
	}
	s, err := session.Parse(r.Headers.Peek(headerSession), p.cluster)
	if err != nil {
		return badSession(err)
	}
	if s != nil {
		ctx = session.With(ctx, s)
	}
	w.Body, err = called.call(ctx, body, w.Body, p.allowed(called, caller, r)...)
	if s != nil {
		w.Session = string(s.AppendHeader(nil)) // a refusal shows something too
	}
	if err != nil {
		return err
	}
	w.settle()
	return nil
}

// headerSession is no header of DynamoDB: see docs/sessions.md.
const headerSession = "X-Stator-Session"

func badSession(err error) error {
	return api.NewValidationException("The x-stator-session header is invalid: " + err.Error() +
		". Send back what an answer of this database had, or the word new to begin another session")
}

// decode undoes the encoding of a body.
func decode(in *intake, encoding string, body []byte) ([]byte, error) {
	plain, err := openEncoded(encoding, body)
	if err != nil {
		return nil, err
	}
	body, err = in.read(plain, func() error { return nil })
	if err != nil && !errors.Is(err, errBodyTooLarge) && !errors.Is(err, errNoMemory) {
		err = errEncodingBroken
	}
	return body, err
}

// admit checks that there is such an operation, then the signature. Before either complaint comes that the body is no
// JSON object, unless there is none.
func (p *Protocol) admit(called *route, r *Request, body []byte) (*sigv4.Caller, error) {
	if called.call == nil {
		if len(body) > 0 && !isObject(body) {
			return nil, api.NewSerializationException("")
		}
		return nil, api.NewUnknownOperationException("")
	}
	r.signed = sigv4.Request{Method: r.Method, Target: r.Target, Headers: r.Headers, Body: r.Body, Service: called.service}
	caller, failure := p.auth.Check(&r.signed)
	if failure == nil {
		return caller, nil
	}
	if len(body) > 0 && !isObject(body) {
		return nil, api.NewSerializationException("")
	}
	return nil, &api.Error{Type: failure.Type, Status: 400, Message: failure.Message}
}

// allowed is what a call asks about its input before it runs: the policies, if there are any.
func (p *Protocol) allowed(called *route, caller *sigv4.Caller, r *Request) []api.Allow {
	if p.policies == nil {
		return nil
	}
	return []api.Allow{func(in api.Input) error {
		return p.policies.Authorize(iam.Request{Caller: caller, Action: called.action, Input: in, Remote: r.Remote, Secure: r.Secure})
	}}
}

// isObject reports whether the body is one JSON object.
func isObject(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) && jx.Valid(body)
}

// reserve charges what the call is expected to need.
func (p *Protocol) reserve(called *route, bodyBytes int, w *Response) error {
	need := called.reserve + int64(bodyBytes)*workPerBodyByte
	if !p.budget.Take(laneWork, need, p.patience) {
		return errNoMemory
	}
	w.budget, w.held = p.budget, p.budget.Charge(laneWork, need)
	return nil
}
