package httpapi

import (
	"io"
	"net"
	"time"
)

// unhurried is a TCP connection whose deadlines cost little. fasthttp sets three for each request, and mostly none of them
// matters: the request is there at once, and the next ones come long before any deadline. So one is set when something is
// read or written under it, and not while that in force is the wanted one or later by no more than slack.
//
// It belongs to the goroutine that serves it.
type unhurried struct {
	net.Conn
	slack       time.Duration
	read, write deadline
}

// slackShare is which part of the time that a request's head may take every deadline may be late.
const slackShare = 32

// deadline is one that was asked for, and the one in force.
type deadline struct {
	wanted, set time.Time
}

// arm has the deadline in force be the wanted one, or later by no more than slack.
func (d *deadline) arm(slack time.Duration, set func(time.Time) error) error {
	late := d.set.Sub(d.wanted)
	if 0 <= late && late <= slack {
		return nil
	}
	d.set = d.wanted
	if !d.wanted.IsZero() {
		d.set = d.wanted.Add(slack)
	}
	return set(d.set)
}

// unhurry makes a connection unhurried if it is a plain one. fasthttp must see what TLS is by its type.
func (s *Server) unhurry(c net.Conn) net.Conn {
	if plain, ok := c.(*net.TCPConn); ok {
		return &unhurried{Conn: plain, slack: s.limits.Head / slackShare}
	}
	return c
}

// listener accepts unhurried connections.
type listener struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err // fasthttp looks at its type
	}
	return l.server.unhurry(c), nil
}

// Read implements net.Conn.
func (c *unhurried) Read(b []byte) (int, error) {
	if err := c.read.arm(c.slack, c.Conn.SetReadDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write implements net.Conn.
func (c *unhurried) Write(b []byte) (int, error) {
	if err := c.write.arm(c.slack, c.Conn.SetWriteDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// ReadFrom implements io.ReaderFrom, as a TCP connection does: a large answer goes out in large pieces.
func (c *unhurried) ReadFrom(r io.Reader) (int64, error) {
	if err := c.write.arm(c.slack, c.Conn.SetWriteDeadline); err != nil {
		return 0, err
	}
	return io.Copy(c.Conn, r)
}

// SetReadDeadline implements net.Conn.
func (c *unhurried) SetReadDeadline(t time.Time) error {
	c.read.wanted = t
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *unhurried) SetWriteDeadline(t time.Time) error {
	c.write.wanted = t
	return nil
}

// SetDeadline implements net.Conn.
func (c *unhurried) SetDeadline(t time.Time) error {
	c.read.wanted, c.write.wanted = t, t
	return nil
}
