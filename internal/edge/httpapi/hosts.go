package httpapi

import (
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
)

// Hosts judges the Host header of a server without authentication. A web page can make the browser of someone near the
// server send requests to any name it controls and let that name point at this machine (DNS rebinding); the Host header
// then carries the page's name. Names that nobody outside can own are let in, all others are not. A request without a
// name is let in: no browser sends one, and health checkers that speak HTTP/1.0 do.
type Hosts struct {
	listen string
	open   bool
	last   atomic.Pointer[string] // the header that was let in last: most clients send the same one
}

// NewHosts returns the check for a server that listens at address ("127.0.0.1:8000"). On an address beyond loopback,
// which its operator has declared safe, IP addresses and names without a dot (of containers, say) are let in as well:
// neither can be registered by an attacker.
func NewHosts(address string) *Hosts {
	listen := hostOnly(address)
	return &Hosts{listen: listen, open: !Loopback(listen)}
}

// Allows reports whether a request with this Host header may be served.
func (h *Hosts) Allows(header []byte) bool {
	if last := h.last.Load(); last != nil && *last == string(header) {
		return true
	}
	text := string(header)
	if !h.judge(hostOnly(text)) {
		return false
	}
	h.last.Store(&text)
	return true
}

func (h *Hosts) judge(name string) bool {
	switch {
	case name == "", strings.EqualFold(name, h.listen), Loopback(name):
		return true
	case !h.open:
		return false
	}
	_, err := netip.ParseAddr(name)
	return err == nil || !strings.Contains(strings.TrimSuffix(name, "."), ".")
}

// Loopback reports whether host, a name or an address without port, can only mean this machine.
func Loopback(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// hostOnly takes the port and the brackets of an IPv6 address off.
func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}
