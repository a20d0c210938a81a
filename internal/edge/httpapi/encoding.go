package httpapi

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	compressOverBytes = 4 << 10   // shorter answers are sent as they are (semantics §20.4)
	compressWorkBytes = 512 << 10 // what a compressor works in, charged to the budget with as much as it may write
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

// acceptedEncoding reads an Accept-Encoding header as DynamoDB does: the coding of the highest quality, of equal ones the
// first named, a * standing behind those named. Compression is preferred to identity whatever the header says of that.
// Empty: the client takes neither gzip nor deflate.
func acceptedEncoding(header []byte) string {
	best, most, others := "", 0.0, 0.0
	codings := []string{"gzip", "deflate"}
	offer := func(coding string, quality float64) {
		if quality > most {
			best, most = coding, quality
		}
	}
	for len(header) > 0 {
		var one []byte
		one, header, _ = bytes.Cut(header, []byte(","))
		name, parameters, _ := bytes.Cut(one, []byte(";"))
		switch name, quality := strings.ToLower(string(bytes.TrimSpace(name))), codingQuality(parameters); name {
		case "gzip", "deflate":
			codings = slices.DeleteFunc(codings, func(c string) bool { return c == name })
			offer(name, quality)
		case "*":
			others = quality
		}
	}
	for _, coding := range codings {
		offer(coding, others)
	}
	return best
}

// codingQuality is what the first "q=" says, wherever it stands, and 1 when that is more, no number or not there.
func codingQuality(parameters []byte) float64 {
	_, text, given := bytes.Cut(parameters, []byte("q="))
	if !given {
		return 1
	}
	text, _, _ = bytes.Cut(text, []byte(";"))
	quality, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	if err != nil {
		return 1
	}
	return min(quality, 1)
}

// compressor is a reusable writer of an encoding with the buffer it writes to.
type compressor struct {
	out bytes.Buffer
	zip interface {
		io.WriteCloser
		Reset(w io.Writer)
	}
}

// compressors work at the fastest level: an answer crosses a network once.
var compressors = map[string]*sync.Pool{
	"gzip": {New: func() any {
		zip, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		return &compressor{zip: zip}
	}},
	"deflate": {New: func() any {
		zip, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed)
		return &compressor{zip: zip}
	}},
}

// compress replaces the body by its encoded form, if that is shorter. It does nothing when there is no memory for the work:
// an uncompressed answer is as right.
func (p *Protocol) compress(w *Response, encoding string) {
	need := compressWorkBytes + int64(len(w.Body))
	if !p.budget.Try(laneWork, need) {
		return
	}
	defer p.budget.Give(p.budget.Charge(laneWork, need))
	c := compressors[encoding].Get().(*compressor)
	defer compressors[encoding].Put(c)
	c.out.Reset()
	c.zip.Reset(&c.out)
	// A bytes.Buffer takes everything, so neither can fail.
	_, _ = c.zip.Write(w.Body)
	_ = c.zip.Close()
	if c.out.Len() < len(w.Body) {
		w.Body = append(w.Body[:0], c.out.Bytes()...)
		w.ContentEncoding = encoding
	}
	if c.out.Cap() > bodyBytesMax/16 {
		c.out = bytes.Buffer{} // a large one is not worth keeping
	}
}
