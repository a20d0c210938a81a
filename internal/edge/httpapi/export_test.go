package httpapi

import (
	"net"
	"time"
)

// Unhurry makes any connection unhurried.
func Unhurry(c net.Conn, slack time.Duration) net.Conn { return &unhurried{Conn: c, slack: slack} }
