package httpapi_test

import (
	"bufio"
	"context"
	"hash/crc32"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"stator/internal/base/clock"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/sigv4"
	"stator/internal/model/api"
)

var (
	getBody   = `{"TableName":"ddbload","Key":{"pk":{"S":"user00000001"},"sk":{"S":"item00000001"}}}`
	getAnswer = []byte(`{"Item":{"pk":{"S":"user00000001"},"f":{"S":"` + strings.Repeat("abcdefghij", 110) + `"}}}`)
)

func getItem(_ context.Context, _, dst []byte, _ ...api.Allow) ([]byte, error) {
	return append(dst, getAnswer...), nil
}

// BenchmarkHello is a fasthttp server that only answers: what is above it in BenchmarkServer is ours.
func BenchmarkHello(b *testing.B) {
	crc := strconv.Itoa(int(crc32.ChecksumIEEE(getAnswer)))
	s := &fasthttp.Server{NoDefaultServerHeader: true, Handler: func(c *fasthttp.RequestCtx) {
		_ = c.Request.Body()
		_ = string(c.Request.Header.Peek("X-Amz-Target"))
		c.Response.Header.SetContentType("application/x-amz-json-1.0")
		c.Response.Header.Set("X-Amz-Crc32", crc)
		c.Response.Header.Set("X-Amzn-Requestid", "4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG")
		c.Response.SetBodyRaw(getAnswer)
	}}
	exchangeOverLoopback(b, s.ServeConn)
}

func BenchmarkServer(b *testing.B) {
	h := newHarness(b, func(o *httpapi.Options) {
		o.Calls["DynamoDB_20120810.GetItem"] = getItem
		o.Clock, o.Hosts = clock.System{}, httpapi.NewHosts("127.0.0.1:8000")
	})
	exchangeOverLoopback(b, httpapi.NewServer(h.protocol, httpapi.DefaultLimits()).ServeConn)
}

func exchangeOverLoopback(b *testing.B, serve func(net.Conn) error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			serve(c)
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	sent := []byte(request("GetItem", getBody))
	reader := bufio.NewReaderSize(c, 16<<10)
	b.ReportAllocs()
	for b.Loop() {
		c.Write(sent)
		if err := discardAnswer(reader); err != nil {
			b.Fatal(err)
		}
	}
}

func discardAnswer(r *bufio.Reader) error {
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if value, found := strings.CutPrefix(string(line), "Content-Length: "); found {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			_, err := r.Discard(length)
			return err
		}
	}
}

// constantHeaders are looked up without an allocation, as those of fasthttp are.
type constantHeaders map[string][]byte

func (h constantHeaders) Peek(name string) []byte      { return h[name] }
func (h constantHeaders) PeekAll(name string) [][]byte { return nil }

func BenchmarkHandle(b *testing.B) {
	h := newHarness(b, func(o *httpapi.Options) {
		o.Calls["DynamoDB_20120810.GetItem"] = getItem
		o.Clock, o.Auth, o.Log = clock.System{}, sigv4.WellFormed{}, nil
	})
	r := &httpapi.Request{Method: "POST", Target: "/", Body: []byte(getBody), Headers: constantHeaders{
		"Content-Type": []byte("application/x-amz-json-1.0"), "X-Amz-Target": []byte("DynamoDB_20120810.GetItem"),
		"Authorization": []byte(authorization), "X-Amz-Date": []byte("20260301T000000Z"),
	}}
	var w httpapi.Response
	b.ReportAllocs()
	for b.Loop() {
		h.protocol.Handle(context.Background(), r, &w)
		w.Release()
	}
	io.Discard.Write(w.Body)
}
