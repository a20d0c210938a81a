package rpc

import (
	"errors"
	"fmt"
)

// The causes of an Unreachable that are no fault of the network.
var (
	// ErrUnknown: no address of that node is known here.
	ErrUnknown = errors.New("its address is not known")
	// ErrDown: there is no connection, and the last try to make one failed.
	ErrDown = errors.New("there is no connection to it")
	// ErrFull: as much waits for it as may.
	ErrFull = errors.New("too much waits for it already")
	// ErrBusy: it has as many calls under way as it takes, or is about to stop.
	ErrBusy = errors.New("it takes no more calls now")
	// ErrTooLarge: the request is larger than a message may be.
	ErrTooLarge = errors.New("the request is larger than a message may be")
	// ErrClosed: this node is stopping.
	ErrClosed = errors.New("this node is stopping")
)

var (
	errSilent = errors.New("it left pings unanswered")
	errFrame  = errors.New("a frame that is none")
)

// Unreachable is the end of a call that got no answer of the handler's.
type Unreachable struct {
	// Node is 0 where a number is what was asked for: by who joins.
	Node uint64
	// Sent says that the peer may have got the request: for a write, nobody knows whether it happened. Otherwise it
	// certainly did not.
	Sent  bool
	Cause error
}

// Error tells which node, and what is known.
func (u *Unreachable) Error() string {
	who := "the node"
	if u.Node != 0 {
		who = fmt.Sprintf("node %d", u.Node)
	}
	if u.Sent {
		return fmt.Sprintf("%s did not answer: %v", who, u.Cause)
	}
	return fmt.Sprintf("%s was not asked: %v", who, u.Cause)
}

// Unwrap is the cause: errors.Is finds a context's end in it.
func (u *Unreachable) Unwrap() error { return u.Cause }

// Failed is what a handler's error becomes at the asker where no AppendError tells more of it.
type Failed struct{ Text string }

// Error is the handler's text.
func (f *Failed) Error() string { return f.Text }

func appendText(dst []byte, err error) []byte { return append(dst, err.Error()...) }

func parseText(data []byte) error { return &Failed{Text: string(data)} }
