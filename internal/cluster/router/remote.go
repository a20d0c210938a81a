package router

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"

	"stator/internal/base/trace"
	"stator/internal/cluster/budget"
	"stator/internal/cluster/rpc"
	"stator/internal/cluster/session"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// Caller brings a call to another node and its answer back. Its error is the one that Serve gave there, or *rpc.Unreachable.
type Caller interface {
	Call(ctx context.Context, node uint64, method byte, body []byte) ([]byte, error)
}

// remote is a copy on another node. It tells no more than it knows: what was sent, may not be done twice, and has no answer
// that says that it was not done, is ambiguous. The Wait of its methods is not asked for, since a call waits by itself.
type remote struct {
	caller          Caller
	node, partition uint64
}

// NewRemote is the copy of a partition on another node.
func NewRemote(caller Caller, node, partition uint64) Remote {
	return &remote{caller: caller, node: node, partition: partition}
}

func ask[Q, A any](ctx context.Context, to *remote, m *method[Q, A], question *Q) (A, error) {
	body := binary.BigEndian.AppendUint64(m.question.write(nil, question), to.partition)
	back, err := to.call(ctx, m.number, body)
	return m.ended(back, err)
}

func (t *remote) call(ctx context.Context, number byte, body []byte) ([]byte, error) {
	ctx, span := trace.Begin(ctx, trace.Call)
	span.Note("node", strconv.FormatUint(t.node, 10))
	back, err := t.caller.Call(ctx, t.node, number, body)
	span.End(err)
	return back, err
}

// askItems is ask about items: within a session, it says how far the copy must have come, and notes how far it has.
func askItems[Q, A any](ctx context.Context, to *remote, m *method[Q, A], question *Q) (answer A, err error) {
	s := session.Of(ctx)
	if s == nil {
		return ask(ctx, to, m, question)
	}
	index := uint64(0)
	if !m.leader(question) {
		index = s.Index(to.partition)
	}
	body := binary.BigEndian.AppendUint64(m.question.write(nil, question), index)
	back, err := to.call(ctx, m.number|inSession, binary.BigEndian.AppendUint64(body, to.partition))
	at := len(back) - indexBytes
	if err == nil && at < 0 {
		err = command.ErrMalformed
	}
	if err != nil {
		return m.ended(nil, err)
	}
	if answer, err = m.ended(back[:at:at], nil); err == nil {
		s.Saw(to.partition, binary.BigEndian.Uint64(back[at:]))
	}
	return answer, err
}

// ended is the answer that a call came back with.
func (m *method[Q, A]) ended(back []byte, err error) (answer A, _ error) {
	if err == nil {
		if answer, err = m.reply.read(back); err == nil {
			return answer, nil
		}
	}
	var none A
	return none, failure(err, m.once)
}

// failure is what the end of a call without an answer tells of what was asked.
func failure(err error, once bool) error {
	if lost, ok := errors.AsType[*rpc.Unreachable](err); ok {
		if lost.Sent && once {
			return &command.Ambiguous{Cause: err}
		}
		return &command.Rejected{Cause: err}
	}
	switch {
	case command.Certain(err):
		return err
	case once:
		return &command.Ambiguous{Cause: err}
	}
	// A read that failed may be made again, here or at another copy, whatever it failed with. Only its words are kept: they
	// may say of a write that it was ambiguous.
	return &command.Rejected{Cause: &command.Fault{Text: err.Error()}}
}

// WriteAndWait is replica.WriteAndWait.
func (t *remote) WriteAndWait(ctx context.Context, _ replica.Wait, c *command.Command) (command.Result, error) {
	return askItems(ctx, t, writing, &c)
}

// ReadAndWait is replica.ReadAndWait.
func (t *remote) ReadAndWait(ctx context.Context, _ replica.Wait, g *command.Get) (command.GetResult, error) {
	return askItems(ctx, t, reading, g)
}

// ReadTogetherAndWait is replica.ReadTogetherAndWait.
func (t *remote) ReadTogetherAndWait(ctx context.Context, _ replica.Wait, g *command.MultiGet) ([]command.Seen, error) {
	seen, err := askItems(ctx, t, readingTogether, g)
	if err == nil && len(seen) != len(g.Keys) {
		return nil, failure(command.ErrMalformed, false)
	}
	return seen, err
}

// ScanAndWait is replica.ScanAndWait.
func (t *remote) ScanAndWait(ctx context.Context, _ replica.Wait, p *command.Plan) (command.Page, error) {
	return askItems(ctx, t, scanning, p)
}

// ShardsOf is replica.ShardsOf.
func (t *remote) ShardsOf(ctx context.Context, _ replica.Wait, of command.ShardPlace) ([]command.Shard, error) {
	return ask(ctx, t, listingShards, &of)
}

// ShardLog is replica.ShardLog.
func (t *remote) ShardLog(ctx context.Context, _ replica.Wait, p command.LogPlan) (command.LogPage, error) {
	return ask(ctx, t, readingShard, &p)
}

// ShardSince is replica.ShardSince.
func (t *remote) ShardSince(ctx context.Context, _ replica.Wait, at command.ShardPlace, version uint64) (uint64, error) {
	return ask(ctx, t, seekingShard, &moment{at: at, version: version})
}

// ChangesAndWait is replica.ChangesAndWait.
func (t *remote) ChangesAndWait(ctx context.Context, _ replica.Wait, p command.ChangesPlan) (command.LogPage, error) {
	return ask(ctx, t, readingChanges, &p)
}

// ReportAndWait is replica.ReportAndWait.
func (t *remote) ReportAndWait(ctx context.Context, _ replica.Wait) (command.Report, error) {
	return ask(ctx, t, reporting, &struct{}{})
}

// Order has the node perform an order on its copy.
func (t *remote) Order(ctx context.Context, o command.Order) (uint64, error) {
	return ask(ctx, t, ordering, &o)
}

// Tokens asks the node for tokens of the shared budgets that it keeps.
func (t *remote) Tokens(ctx context.Context, q budget.Question) (budget.Answers, error) {
	return ask(ctx, t, askingTokens, &q)
}
