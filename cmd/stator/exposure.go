package main

import (
	"fmt"
	"net"
	"regexp"

	"stator/internal/edge/httpapi"
)

const partitionsMax = 1024

var (
	accountExpression = regexp.MustCompile(`^[0-9]{12}$`)
	regionExpression  = regexp.MustCompile(`^[a-z]{2,8}(-[a-z0-9]{1,16}){1,4}$`)
	// originExpression is what browsers send as an Origin, which is compared as a text: no path, not even a slash.
	originExpression = regexp.MustCompile(`^(|\*|null|[a-z][a-z0-9+.-]*://[^/ ]+)$`)
)

// checkExposure refuses to let others than this machine in by accident.
func (c *serveCommand) checkExposure() error {
	local, err := loopback("--listen", c.Listen)
	if err != nil {
		return err
	}
	if !local && c.Auth != "sigv4" && !c.Insecure {
		return fmt.Errorf("--listen %s can be reached from other machines, and without authentication anybody there can read and "+
			"change everything: add --auth sigv4 --credentials FILE, or --insecure if the network keeps others out", c.Listen)
	}
	local, err = loopback("--admin", c.Admin)
	if err != nil {
		return err
	}
	if !local && c.AdminToken == "" {
		return fmt.Errorf("--admin %s can be reached from other machines: add --admin-token FILE", c.Admin)
	}
	if _, port, _ := net.SplitHostPort(c.Listen); c.Listen == c.Admin && port != "0" {
		return fmt.Errorf("--listen and --admin are both %s: give each a port of its own", c.Listen)
	}
	return nil
}

func loopback(flag, address string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, fmt.Errorf("%s %q is no address: write it like 127.0.0.1:8000", flag, address)
	}
	return httpapi.Loopback(host), nil
}
