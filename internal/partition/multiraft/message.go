package multiraft

import (
	"encoding/binary"
	"errors"

	"stator/internal/base/wire"
)

// Message is one message from a replica to another, both of the same group.
type Message struct {
	Group            uint64
	FromNode, ToNode uint64
	// From and To are replicas.
	From, To uint64
	// Kept is the last entry that all replicas have, as far as the leader waits for them: the log up to there may go. 0
	// says nothing.
	Kept uint64
	// Rest tells a follower that its leader falls silent until there is something to do, Wake that the sender has something.
	Rest, Wake bool
	// InOrder is not on the wire: such messages of one group should arrive in the order in which they were sent, while others may
	// overtake them. A follower refuses entries that come before those they follow, and then gets all of them again.
	InOrder bool
	// Body is the message as the raft library writes it. One that only wakes has none.
	Body []byte
}

// messageFormat is the first byte of a message.
const messageFormat = 1

var errMessage = errors.New("the bytes of a message between replicas are damaged")

// What is told by one bit each.
const (
	flagRest = 1 << iota
	flagWake
)

// AppendMessage appends the bytes of m. They do not tell their own length.
func AppendMessage(dst []byte, m *Message) []byte {
	flags := uint64(0)
	if m.Rest {
		flags |= flagRest
	}
	if m.Wake {
		flags |= flagWake
	}
	dst = append(dst, messageFormat)
	for _, n := range []uint64{m.Group, m.FromNode, m.ToNode, m.From, m.To, m.Kept, flags} {
		dst = binary.AppendUvarint(dst, n)
	}
	return append(dst, m.Body...)
}

// ParseMessage reads a message, whose body lies in data.
func ParseMessage(data []byte) (m Message, err error) {
	r := wire.NewReader(data)
	if r.Byte() != messageFormat {
		return m, errMessage
	}
	flags := uint64(0)
	for _, into := range []*uint64{&m.Group, &m.FromNode, &m.ToNode, &m.From, &m.To, &m.Kept, &flags} {
		*into = r.Uvarint()
	}
	m.Rest, m.Wake, m.Body = flags&flagRest != 0, flags&flagWake != 0, r.Rest()
	if r.Failed() {
		return Message{}, errMessage
	}
	return m, nil
}
