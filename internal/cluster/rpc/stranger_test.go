package rpc

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A node of another cluster gets nothing, and says so only to its own operator.
func TestAnotherClusterGetsNothing(t *testing.T) {
	asked := make(chan struct{}, 1)
	h := &testHandler{
		raft: func(uint64, []byte) { asked <- struct{}{} },
		call: func(context.Context, uint64, byte, []byte) ([]byte, error) { asked <- struct{}{}; return nil, nil },
	}
	n := newNet()
	two := serve(t, n, testOptions(n, 2, h))
	o := testOptions(n, 1, nil)
	o.Cluster = 8
	one := serve(t, n, o)
	one.Peers().SetAddress(2, address(2))
	_, err := one.Peers().Call(within(t, 5*time.Second), 2, 0, nil)
	unreachable(t, err, false, nil)
	eventually(t, "the stranger is counted", func() bool { return two.Counts().Strangers > 0 })
	err = one.Peers().SendSnapshot(within(t, 5*time.Second), 2, nil, func() ([]byte, error) { return nil, io.EOF })
	unreachable(t, err, false, nil)
	if heard, _ := two.Peers().Alive(1); heard < time.Hour {
		t.Error("a stranger counts as a node that was heard")
	}
	select {
	case <-asked:
		t.Error("a stranger's message reached the handler")
	default:
	}
}

// A node that looks for another one than it finds asks nothing of it.
func TestAnotherNodeIsNotAsked(t *testing.T) {
	n := newNet()
	serve(t, n, testOptions(n, 2, nil))
	one := serve(t, n, testOptions(n, 1, nil))
	one.Peers().SetAddress(3, address(2))
	_, err := one.Peers().Call(within(t, 5*time.Second), 3, 0, nil)
	unreachable(t, err, false, nil)
}

// Whatever comes over TCP, the server closes it or leaves it alone, and goes on serving others.
func TestNoiseIsHarmless(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Cluster: 7, Node: 2, Incarnation: 1, Listener: l, Handler: &testHandler{}}
	serve(t, nil, o)
	for _, noise := range [][]byte{
		nil, []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), bytes.Repeat([]byte{0xff}, 4096)...), bytes.Repeat([]byte{0x16, 3, 1}, 1000),
	} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.Write(noise)
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		io.Copy(io.Discard, conn)
		conn.Close()
	}
	l1, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	one := serve(t, nil, Options{Cluster: 7, Node: 1, Incarnation: 1, Listener: l1, Handler: &testHandler{}})
	one.Peers().SetAddress(2, l.Addr().String())
	if _, err := one.Peers().Call(within(t, 10*time.Second), 2, 0, nil); err != nil {
		t.Fatal(err)
	}
}

// Where one of two nodes writes what the other cannot read, no stored bytes go between them, whoever begins. They may still
// ask each other.
func TestNodesThatDoNotReadEachOther(t *testing.T) {
	n := newNet()
	older, newer := testOptions(n, 1, nil), testOptions(n, 2, nil)
	older.Reads, older.Writes = 2, func() int { return 2 }
	var writes atomic.Int64
	newer.Reads, newer.Writes = 3, func() int { return int(writes.Load()) }
	servers := map[uint64]*Server{1: serve(t, n, older), 2: serve(t, n, newer)}
	open := func(from, to uint64, class Class) error {
		peers := servers[from].peers
		conn, err := peers.dialer.connect(address(to))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _, err = peers.introduce(within(t, 5*time.Second), conn, to, class)
		return err
	}
	for _, ends := range [][2]uint64{{1, 2}, {2, 1}} {
		for _, class := range []Class{Raft, Request, Snapshot} {
			writes.Store(2)
			if err := open(ends[0], ends[1], class); err != nil {
				t.Errorf("a stream of class %v from %d to %d, of one format: %v", class, ends[0], ends[1], err)
			}
			writes.Store(3)
			if err := open(ends[0], ends[1], class); (err == nil) != (class == Request) {
				t.Errorf("a stream of class %v from %d to %d: %v", class, ends[0], ends[1], err)
			}
		}
	}
}

// A frame that is none ends its stream and nothing else.
func TestFramesThatAreNone(t *testing.T) {
	_, one, two := pair(t, nil)
	for _, class := range []Class{Raft, Request} {
		conn, err := one.peers.dialer.connect(address(2))
		if err != nil {
			t.Fatal(err)
		}
		stream, _, err := one.peers.introduce(within(t, 5*time.Second), conn, 2, class)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.SendMsg(&packet{bytes: []byte{0xee, 1, 2}}); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&packet{}); err == nil {
			t.Error("nonsense was answered")
		}
		conn.Close()
	}
	if _, err := one.Peers().Call(within(t, 5*time.Second), 2, 0, nil); err != nil {
		t.Error(err)
	}
	_ = two
}

func TestHelloIsComplete(t *testing.T) {
	full := hello{7, 1, 2, 3, 4, 5, formOfParts}
	if got, ok := parseHello(full.metadata()); !ok || got != full {
		t.Errorf("a hello came back as %v, %v", got, ok)
	}
	for _, missing := range []string{headerCluster, headerNode, headerTo, headerIncarnation, headerReads, headerWrites} {
		md := full.metadata()
		delete(md, missing)
		if _, ok := parseHello(md); ok {
			t.Errorf("a hello without %s passes", missing)
		}
	}
	older := full.metadata()
	delete(older, headerFrames)
	if got, ok := parseHello(older); !ok || got.wholeBytes() != messageBytesMax || full.wholeBytes() != wholeBytesMax {
		t.Errorf("a hello without forms of frames came back as %v, %v", got, ok)
	}
	md := full.metadata()
	md.Set(headerCluster, "zz")
	if _, ok := parseHello(md); ok {
		t.Error("a hello with a cluster that is no number passes")
	}
}

// trust is a cluster's authority and what its nodes show.
func trust(t *testing.T, authority Pair, hosts ...string) *tls.Config {
	t.Helper()
	pair, err := authority.NewCertificate(time.Now(), "n", hosts...)
	if err != nil {
		t.Fatal(err)
	}
	config, err := mutualTLS(loaded(t, pair), authority.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func loaded(t *testing.T, pair Pair) tls.Certificate {
	t.Helper()
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// signed is a certificate of an authority that signs for others than one cluster.
func signed(t *testing.T, authority Pair, uris ...*url.URL) tls.Certificate {
	t.Helper()
	parent := loaded(t, authority)
	pair, err := sign(&x509.Certificate{
		URIs: uris, NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, &parent)
	if err != nil {
		t.Fatal(err)
	}
	return loaded(t, pair)
}

func newAuthority(t *testing.T) Pair {
	t.Helper()
	authority, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// With TLS, only who shows a certificate of the cluster's authority for this cluster is let in, for streams and for joins.
func TestMutualTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, nil, Options{Cluster: 7, Node: 2, Incarnation: 1, Listener: l, Handler: &testHandler{}, TLS: trust(t, ours, "127.0.0.1")})
	anonymous := trust(t, ours)
	anonymous.Certificates = nil
	server, other := trust(t, ours), trust(t, ours)
	server.Certificates = []tls.Certificate{signed(t, ours)}
	other.Certificates = []tls.Certificate{signed(t, ours, clusterURI("another", "n"))}
	for _, test := range []struct {
		name string
		tls  *tls.Config
		good bool
	}{
		{"a node of this cluster", trust(t, ours), true},
		{"another authority", trust(t, theirs), false},
		{"a certificate for something else", server, false},
		{"a certificate for another cluster", other, false},
		{"no certificate", anonymous, false},
		{"no TLS", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := newNet()
			o := testOptions(n, 1, nil)
			o.TLS, o.Dial = test.tls, nil
			if test.tls == nil || test.tls.Certificates == nil {
				o.Listener = n.listen("a")
			}
			one := serve(t, n, o)
			one.Peers().SetAddress(2, l.Addr().String())
			_, err := one.Peers().Call(within(t, 5*time.Second), 2, 0, nil)
			if test.good != (err == nil) {
				t.Errorf("its call ended with %v", err)
			}
			if !test.good {
				unreachable(t, err, false, nil)
			}
			answer, err := Joining{TLS: test.tls}.Ask(within(t, 5*time.Second), l.Addr().String(), []byte("me"))
			if test.good != (err == nil) || test.good && string(answer) != "welcome me" {
				t.Errorf("its join ended with %q, %v", answer, err)
			}
		})
	}
}

// A node that talks to others looks at their certificates as they look at its own.
func TestServerOfAnotherCluster(t *testing.T) {
	ours := newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := trust(t, ours, "127.0.0.1")
	config.VerifyConnection = nil
	serve(t, nil, Options{Cluster: 7, Node: 2, Incarnation: 1, Listener: l, Handler: &testHandler{}, TLS: config})
	asking := trust(t, ours)
	if _, err := (Joining{TLS: asking}).Ask(within(t, 5*time.Second), l.Addr().String(), nil); err != nil {
		t.Fatal(err)
	}
	other, err := mutualTLS(signed(t, ours, clusterURI("another", "n")), ours.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Joining{TLS: other}).Ask(within(t, 5*time.Second), l.Addr().String(), nil); err == nil {
		t.Error("a node of another cluster was believed")
	} else if !strings.HasPrefix(err.Error(), "the node ") {
		t.Errorf("who joins knows no numbers: %v", err)
	}
}

// A node whose certificate names other hosts than it was looked for under is not believed.
func TestCertificateOfAnotherHost(t *testing.T) {
	ours := newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, nil, Options{Cluster: 7, Node: 2, Incarnation: 1, Listener: l, Handler: &testHandler{}, TLS: trust(t, ours, "elsewhere.example")})
	_, err = Joining{TLS: trust(t, ours)}.Ask(within(t, 5*time.Second), l.Addr().String(), nil)
	if err == nil {
		t.Fatal("a certificate for another host was believed")
	}
}

func TestAuthorityIsNeeded(t *testing.T) {
	node, err := newAuthority(t).NewCertificate(time.Now(), "n", "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := node.NewCertificate(time.Now(), "m", "b"); err == nil {
		t.Error("a node's certificate signed another's")
	}
	if _, err := mutualTLS(loaded(t, node), []byte("no PEM")); !errors.Is(err, errNoAuthority) {
		t.Errorf("an authority without a certificate: %v", err)
	}
	ours := newAuthority(t)
	if _, err := mutualTLS(signed(t, ours), ours.Certificate); !errors.Is(err, errNoCluster) {
		t.Errorf("a certificate that names no cluster: %v", err)
	}
}

func TestOptionsAreNeeded(t *testing.T) {
	if _, err := Listen(Options{}); err == nil {
		t.Error("a transport without a cluster listens")
	}
	if _, err := (Joining{}).Ask(within(t, 5*time.Second), "127.0.0.1:1", nil); err == nil || errors.Is(err, io.EOF) {
		t.Error("nobody answered a join")
	}
}
