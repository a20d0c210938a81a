package httpapi

import (
	"net"
	"strings"

	"github.com/go-faster/jx"
)

// localNodesPath is where clients that spread their requests over the nodes of a cluster find these: Alternator's
// convention.
const localNodesPath = "/localnodes"

// pathOf is what a request line names, without the query behind it.
func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// appendNodes lists nodes by their hosts, since clients use the port that they know; where nodes differ in that, with it.
func appendNodes(body []byte, addresses []string) []byte {
	hosts := make([]string, len(addresses))
	one := ""
	for i, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		if err != nil || i > 0 && port != one {
			hosts = addresses
			break
		}
		hosts[i], one = host, port
	}
	var e jx.Encoder
	e.ArrStart()
	for _, host := range hosts {
		e.Str(host)
	}
	e.ArrEnd()
	return append(body, e.Bytes()...)
}
