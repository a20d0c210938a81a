package router

import (
	"context"
	"encoding/binary"
	"fmt"

	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// partitionBytes is the length of a partition's id, indexBytes that of the place of a copy. They stand behind the message,
// which then is written without a move.
const (
	partitionBytes = 8
	indexBytes     = 8
)

// Serve answers a call of another node's router from a copy here, and never sends it on: that router knows of more copies,
// and two that each hold the other for the leader's node would send a request to and fro.
func (r *Router) Serve(ctx context.Context, number byte, body []byte) ([]byte, error) {
	at := len(body) - partitionBytes
	if at < 0 {
		return nil, malformed(number)
	}
	in := call{router: r, partition: binary.BigEndian.Uint64(body[at:]), body: body[:at:at]}
	if number&inSession != 0 {
		number &^= inSession
		if at -= indexBytes; at < 0 || number > methodScan {
			return nil, malformed(number)
		}
		in.inSession, in.index, in.body = true, binary.BigEndian.Uint64(body[at:]), body[:at:at]
	}
	switch number {
	case methodWrite:
		return serve(ctx, in, writing)
	case methodRead:
		return serve(ctx, in, reading)
	case methodReadTogether:
		return serve(ctx, in, readingTogether)
	case methodScan:
		return serve(ctx, in, scanning)
	case methodShardsOf:
		return serve(ctx, in, listingShards)
	case methodShardLog:
		return serve(ctx, in, readingShard)
	case methodShardSince:
		return serve(ctx, in, seekingShard)
	case methodChanges:
		return serve(ctx, in, readingChanges)
	case methodReport:
		return serve(ctx, in, reporting)
	case methodOrder:
		return in.order(ctx)
	case methodTokens:
		return in.tokens()
	}
	return nil, malformed(number)
}

// malformed is the answer to what cannot be read: it did not happen.
func malformed(number byte) error {
	return &command.Rejected{Cause: fmt.Errorf("call %d: %w", number, command.ErrMalformed)}
}

// call is one that came from another node.
type call struct {
	router    *Router
	partition uint64
	body      []byte
	// inSession tells that the copy must have come to index, and that the answer says how far it has.
	inSession bool
	index     uint64
}

func serve[Q, A any](ctx context.Context, in call, m *method[Q, A]) ([]byte, error) {
	question, err := m.question.read(in.body)
	if err != nil {
		return nil, malformed(m.number)
	}
	from, err := in.copy(m.leader(&question))
	if err != nil {
		return nil, err
	}
	if err := in.router.reach(ctx, from, in.index); err != nil {
		return nil, err
	}
	answer, err := m.answer(ctx, in.router.options.Wait, from, &question)
	if err != nil {
		return nil, err
	}
	body := m.reply.write(nil, &answer)
	if in.inSession {
		_, begun := from.Position()
		body = binary.BigEndian.AppendUint64(body, begun)
	}
	return body, nil
}

// copy finds the copy here, if it may answer. Where there is none the asker's map is old.
func (in call) copy(leader bool) (*replica.Replica, error) {
	found, ok := in.router.options.Host.Replica(in.partition)
	if !ok {
		return nil, &command.NotLeader{}
	}
	if leads, hint := found.Leads(); leader && !leads {
		in.router.options.Cluster.Unled(in.partition)
		return nil, &command.NotLeader{Hint: hint}
	}
	return found, nil
}

func (in call) order(ctx context.Context) ([]byte, error) {
	order, err := ordering.question.read(in.body)
	if err != nil {
		return nil, malformed(methodOrder)
	}
	if _, err := in.copy(true); err != nil {
		return nil, err
	}
	answer, err := in.router.options.Cluster.Order(ctx, in.partition, order)
	if err != nil {
		return nil, err
	}
	return ordering.reply.write(nil, &answer), nil
}
