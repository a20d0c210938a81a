package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"text/tabwriter"

	"stator/internal/edge/httpapi"
)

// banner tells the operator what was started, and how to talk to it.
func (s *server) banner(to io.Writer) error {
	c, d := s.command, s.doors
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	endpoint := scheme + "://" + reachable(d.api.Addr())
	out := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintf(out, "stator %s serves DynamoDB at %s\n", release(), endpoint)
	fmt.Fprintf(out, "  data\t%s\n", c.describeData())
	if d.rpc != nil {
		fmt.Fprintf(out, "  cluster\t%s\n", s.node.Describe())
	}
	fmt.Fprintf(out, "  auth\t%s\n", c.describeAuth())
	fmt.Fprintf(out, "  memory\t%s\n", c.describeMemory())
	fmt.Fprintf(out, "  admin\thttp://%s (/healthz /readyz /metrics)\n", reachable(d.admin.Addr()))
	fmt.Fprintf(out, "  try\taws dynamodb list-tables --region %s --endpoint-url %s\n", c.Region, endpoint)
	return out.Flush()
}

func (c *serveCommand) describeData() string {
	switch {
	case c.InMemory:
		return "in memory: lost at the end"
	case c.Durability == "relaxed":
		return c.Data + ", relaxed: a crash may lose the last tenth of a second"
	}
	return c.Data + ", synced: an answer means that the write is on disk"
}

func (c *serveCommand) describeMemory() string {
	if c.InMemory {
		return fmt.Sprintf("the data, and requests %v", c.Memory)
	}
	parts := fmt.Sprintf("cache %v, memtables %v, requests %v", c.Cache, byteSize(memtableBytes), c.Memory)
	if !c.promisesMemory() {
		return parts + ", and the garbage that GOGC lets gather: no promise"
	}
	return fmt.Sprintf("%s: %v at most, and what requests hold", parts, byteSize(c.residentBytesMax()))
}

func (c *serveCommand) describeAuth() string {
	if c.Auth == "sigv4" {
		return "sigv4, with the keys in " + c.Credentials
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err == nil && !httpapi.Loopback(host) {
		return "OFF, AND OPEN TO OTHER MACHINES: any credentials will do"
	}
	return "off: any credentials will do, from this machine only"
}

// reachable is an address that a client on this machine can use: that of a wildcard is no destination.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(strings.TrimSpace(host), port)
}
