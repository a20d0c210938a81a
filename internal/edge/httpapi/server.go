package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"
)

const (
	serverName       = "Server" // what the service calls itself
	connectionsMax   = 8192
	headerBytesMax   = 16 << 10 // request line and headers (semantics §1.4)
	writeBufferBytes = 16 << 10 // a page of ten items of 1 KB goes out in one piece
	firstBytes       = 8 << 10  // of a body, which fasthttp reads before it calls the handler
	keptBytesMax     = 64 << 10 // the largest answer whose memory stays with its connection
	discardBytesMax  = 64 << 20 // how much of a refused body is read for the sake of the answer
)

// Limits are how long a Server waits for its clients.
type Limits struct {
	Head        time.Duration // for a request's line, headers and first 8 KiB
	Stall       time.Duration // for each further 64 KiB of its body
	Idle        time.Duration // for the next request
	Write       time.Duration // for an answer to be taken
	Discard     time.Duration // for the rest of a body that was refused
	Connections int           // served at once
}

// DefaultLimits suit clients on any network that carries 64 KiB in ten seconds.
func DefaultLimits() Limits {
	return Limits{
		Head: 30 * time.Second, Stall: 10 * time.Second, Idle: 5 * time.Minute,
		Write: 60 * time.Second, Discard: 2 * time.Second, Connections: connectionsMax,
	}
}

// Server serves a Protocol over HTTP/1.1.
type Server struct {
	protocol *Protocol
	limits   Limits
	http     *fasthttp.Server
	base     context.Context // under which operations run
	stop     context.CancelFunc
}

// NewServer returns a server that has not begun to listen.
func NewServer(p *Protocol, limits Limits) *Server {
	s := &Server{protocol: p, limits: limits}
	s.base, s.stop = context.WithCancel(context.Background())
	s.http = &fasthttp.Server{
		Handler:      s.handle,
		ErrorHandler: refuseMalformed,
		Logger:       debugLogger{p.log},
		Name:         serverName,

		Concurrency:     limits.Connections,
		ReadBufferSize:  headerBytesMax,
		WriteBufferSize: writeBufferBytes,
		ReadTimeout:     limits.Head,
		IdleTimeout:     limits.Idle,
		WriteTimeout:    limits.Write,

		// Bodies are read by us, as they arrive: fasthttp would make room for all that was announced.
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		MaxRequestBodySize:           bodyBytesMax,

		LazyRequestTime:      true,
		NoDefaultContentType: true,
		CloseOnShutdown:      true,
	}
	return s
}

// Serve answers the connections of a listener until Shutdown. It may be given a TLS listener.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(listener{l, s}); err != nil {
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	}
	return nil
}

// ServeConn answers the requests of one connection until it ends. The caller closes it.
func (s *Server) ServeConn(c net.Conn) error { return s.http.ServeConn(s.unhurry(c)) }

// Shutdown stops accepting and waits until requests under way are answered. When ctx ends first, they are cancelled and
// ctx's error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.stop()
	return s.http.ShutdownWithContext(ctx)
}

// exchange is the memory of one request and its answer.
type exchange struct {
	request  Request
	response Response
	first    [firstBytes]byte
}

var exchanges = sync.Pool{New: func() any { return &exchange{} }}

func (s *Server) handle(c *fasthttp.RequestCtx) {
	x := exchanges.Get().(*exchange)
	w := &x.response
	w.Body = c.Response.SwapBody(nil)
	in, err := s.readBody(c, x)
	if err == nil {
		head := &c.Request.Header
		x.request.Method = alias(head.Method())
		x.request.Target = requestTarget(head.RequestURI())
		x.request.Headers = head
		x.request.Remote, x.request.Secure = c.RemoteAddr(), c.IsTLS()
		s.protocol.Handle(s.base, &x.request, w)
	} else {
		s.refuseBody(c, w, err)
	}
	if in != nil {
		in.close()
	}
	x.request = Request{}
	s.send(c, x)
}

// alias makes a string of bytes that belong to the request. It must not outlive the handler.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// requestTarget takes scheme and host off a target in absolute form, which proxies are sent.
func requestTarget(uri []byte) string {
	target := alias(uri)
	for i := 0; i+2 < len(target) && target[0] != '/'; i++ {
		if target[i:i+3] != "://" {
			continue
		}
		for j := i + 3; j < len(target); j++ {
			if target[j] == '/' || target[j] == '?' {
				return target[j:]
			}
		}
		return "/"
	}
	return target
}

// readBody reads the body into x.request. A body of up to 8 KiB has arrived already and is copied; a larger one goes
// through an intake, which the caller must close.
func (s *Server) readBody(c *fasthttp.RequestCtx, x *exchange) (*intake, error) {
	stream := c.RequestBodyStream()
	if stream == nil {
		return nil, nil
	}
	announced := c.Request.Header.ContentLength()
	if 0 <= announced && announced <= firstBytes {
		n, err := io.ReadFull(stream, x.first[:announced])
		x.request.Body = x.first[:n]
		return nil, err
	}
	if announced > bodyBytesMax {
		return nil, errBodyTooLarge
	}
	in := newIntake(s.protocol.budget, announced, s.protocol.patience)
	body, err := in.read(stream, func() error { return c.SetReadDeadline(time.Now().Add(s.limits.Stall)) })
	x.request.Body = body
	return in, err
}

// refuseBody answers a request whose body could not be read. Unless the connection is broken, the rest of the body is
// taken and thrown away for a while: a client that is still sending when the connection closes never sees the answer.
func (s *Server) refuseBody(c *fasthttp.RequestCtx, w *Response, err error) {
	w.reset()
	w.Close = true
	var timeout net.Error
	switch {
	case errors.Is(err, errBodyTooLarge):
		s.protocol.tooLarge(w)
	case errors.Is(err, errNoMemory):
		s.protocol.refuseUnread(w)
	case errors.As(err, &timeout) && timeout.Timeout():
		w.Status = fasthttp.StatusRequestTimeout
		return
	default:
		w.Status = fasthttp.StatusBadRequest
		return
	}
	if c.SetReadDeadline(time.Now().Add(s.limits.Discard)) == nil {
		_, _ = io.CopyN(io.Discard, c.RequestBodyStream(), discardBytesMax) // whatever comes of it
	}
}

// send hands the response to fasthttp. A small body lies in the connection's own buffer; a larger one goes with the
// budget it holds, which is given back once it is sent.
func (s *Server) send(c *fasthttp.RequestCtx, x *exchange) {
	w := &x.response
	writeHead(&c.Response, w)
	if cap(w.Body) <= keptBytesMax {
		c.Response.SwapBody(w.Body)
		w.Release()
		w.Body = nil
		exchanges.Put(x)
		return
	}
	c.Response.SetBodyStream(&outgoing{x: x}, len(w.Body))
}

// writeHead is Response.Headers without an allocation.
func writeHead(to *fasthttp.Response, w *Response) {
	head := &to.Header
	head.SetStatusCode(w.Status)
	if w.Close {
		head.SetConnectionClose()
	}
	if w.ContentType != "" {
		head.SetContentType(w.ContentType)
	}
	if w.Identified {
		var digits [10]byte
		head.SetCanonical(headerRequestID, w.RequestID[:])
		head.SetCanonical(headerCRC, strconv.AppendUint(digits[:0], uint64(w.CRC), 10))
	}
	if w.ContentEncoding == "" && w.Origin == "" && w.Session == "" {
		return
	}
	for name, value := range w.Headers() {
		head.Set(name, value)
	}
}

var (
	headerRequestID = []byte("X-Amzn-Requestid")
	headerCRC       = []byte("X-Amz-Crc32")
)

// outgoing is a large body on its way to the client.
type outgoing struct {
	x    *exchange
	sent int
}

// Read implements io.Reader.
func (o *outgoing) Read(b []byte) (int, error) {
	n := copy(b, o.x.response.Body[o.sent:])
	o.sent += n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close is called when the body is sent or the connection is lost.
func (o *outgoing) Close() error {
	if o.x != nil {
		o.x.response.Release()
		o.x.response.Body = nil
		exchanges.Put(o.x)
		o.x = nil
	}
	return nil
}

// refuseMalformed answers what is no HTTP request. The connection is closed after it: where the next request would begin
// is not known.
func refuseMalformed(c *fasthttp.RequestCtx, err error) {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		c.SetStatusCode(fasthttp.StatusRequestTimeout)
		return
	}
	c.SetStatusCode(fasthttp.StatusBadRequest) // headers beyond their bound too, as DynamoDB does
}

// debugLogger takes what fasthttp logs, which is what clients do wrong.
type debugLogger struct{ log *slog.Logger }

// Printf implements fasthttp.Logger.
func (l debugLogger) Printf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("http", "text", fmt.Sprintf(format, args...))
	}
}
