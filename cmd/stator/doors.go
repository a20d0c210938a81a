package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// doors are the sockets of the process.
type doors struct {
	api, admin net.Listener
	// rpc is for other nodes, nil on a node that is alone. The node closes it.
	rpc net.Listener
}

func openDoors(c *serveCommand) (*doors, error) {
	api, err := listen("--listen", c.Listen)
	if err != nil {
		return nil, err
	}
	if c.TLSCert != "" {
		if api, err = overTLS(api, c.TLSCert, c.TLSKey); err != nil {
			return nil, err
		}
	}
	operators, err := listen("--admin", c.Admin)
	if err != nil {
		api.Close()
		return nil, err
	}
	if c.Cluster.RPC == "" {
		return &doors{api: api, admin: operators}, nil
	}
	nodes, err := listen(c.Cluster.listenAt())
	if err != nil {
		api.Close()
		operators.Close()
		return nil, err
	}
	return &doors{api, operators, nodes}, nil
}

func (d *doors) close() {
	d.api.Close()
	d.admin.Close()
}

// listen opens a socket, or says in a sentence what stands in the way.
func listen(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	var unknown *net.DNSError
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another process: stop that one, or choose another address with %s", address, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be used by this user: choose a port above 1023 with %s", address, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &unknown):
		return nil, fmt.Errorf("%s is no address of this machine: choose one of its own with %s", address, flag)
	}
	return nil, fmt.Errorf("%s cannot be served (%w): choose another address with %s", address, err, flag)
}

// overTLS wraps a listener. HTTP/1.1 is all that is offered.
func overTLS(l net.Listener, certFile, keyFile string) (net.Listener, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("cannot use the certificate %s with the key %s: %w", certFile, keyFile, err)
	}
	return tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}), nil
}
