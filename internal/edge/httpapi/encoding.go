package httpapi

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"sync"
)

const (
	gzipOverBytes = 4 << 10   // shorter answers are sent as they are (semantics §20.4)
	gzipWorkBytes = 512 << 10 // what a compressor works in, charged to the budget
)

var (
	errEncodingUnknown = errors.New("unknown content encoding")
	errEncodingBroken  = errors.New("the body is not what its content encoding says")
)

// openEncoded returns the decoded form of body. The zlib form of deflate is what the standard means, the bare one is
// what some clients send.
func openEncoded(encoding string, body []byte) (io.Reader, error) {
	source := bufio.NewReader(bytes.NewReader(body))
	switch strings.ToLower(encoding) {
	case "gzip", "x-gzip":
		r, err := gzip.NewReader(source)
		if err != nil {
			return nil, errEncodingBroken
		}
		return r, nil
	case "deflate":
		if head, err := source.Peek(2); err != nil || head[0]&0x0f != 8 || (int(head[0])<<8|int(head[1]))%31 != 0 {
			return flate.NewReader(source), nil
		}
		r, err := zlib.NewReader(source)
		if err != nil {
			return nil, errEncodingBroken
		}
		return r, nil
	}
	return nil, errEncodingUnknown
}

// acceptsGzip reads an Accept-Encoding header. Quality values other than zero are not weighed: gzip is the only
// encoding offered.
func acceptsGzip(header []byte) bool {
	for len(header) > 0 {
		var coding []byte
		coding, header, _ = bytes.Cut(header, []byte(","))
		name, parameter, _ := bytes.Cut(coding, []byte(";"))
		if bytes.EqualFold(bytes.TrimSpace(name), []byte("gzip")) {
			quality, given := bytes.CutPrefix(bytes.TrimSpace(parameter), []byte("q="))
			return !given || len(bytes.Trim(quality, "0.")) > 0
		}
	}
	return false
}

// compressor is a reusable gzip writer with the buffer it writes to.
type compressor struct {
	out bytes.Buffer
	zip *gzip.Writer
}

var compressors = sync.Pool{New: func() any {
	c := &compressor{}
	// The fastest level: an answer crosses a network once.
	c.zip, _ = gzip.NewWriterLevel(&c.out, gzip.BestSpeed)
	return c
}}

// compress replaces the body by its gzip form, if that is shorter. It does nothing when there is no memory for the work:
// an uncompressed answer is as right.
func (p *Protocol) compress(w *Response) {
	if !p.budget.Try(laneWork, gzipWorkBytes) {
		return
	}
	defer p.budget.Give(p.budget.Charge(laneWork, gzipWorkBytes))
	c := compressors.Get().(*compressor)
	defer compressors.Put(c)
	c.out.Reset()
	c.zip.Reset(&c.out)
	// A bytes.Buffer takes everything, so neither can fail.
	_, _ = c.zip.Write(w.Body)
	_ = c.zip.Close()
	if c.out.Len() < len(w.Body) {
		w.Body = append(w.Body[:0], c.out.Bytes()...)
		w.ContentEncoding = "gzip"
	}
	if c.out.Cap() > bodyBytesMax/16 {
		c.out = bytes.Buffer{} // a large one is not worth keeping
	}
}
