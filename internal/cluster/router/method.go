package router

import (
	"context"
	"encoding/binary"
	"encoding/json"

	"stator/internal/cluster/budget"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// The methods of the calls between routers. A number keeps its meaning for ever.
const (
	methodWrite byte = iota + 1
	methodRead
	methodReadTogether
	methodScan
	methodShardsOf
	methodShardLog
	methodShardSince
	methodChanges
	methodReport
	methodOrder
	methodTokens
	// MethodEnd is the first that no router answers.
	MethodEnd
)

// inSession is added to the number of a method about items that is called within a session: how far the copy must have come
// then stands behind the question, and how far it has behind the answer.
const inSession byte = 1 << 6

// method is one kind of call: what is asked and answered, both in bytes, and how a copy answers. Asking and serving are
// told by one value, so that they cannot disagree.
type method[Q, A any] struct {
	number byte
	// once tells that what is asked may not be done twice.
	once bool
	// leader tells whether only the copy that leads answers.
	leader func(q *Q) bool
	answer func(ctx context.Context, wait replica.Wait, from *replica.Replica, q *Q) (A, error)

	question bytesOf[Q]
	reply    bytesOf[A]
}

// bytesOf is how a message is written and read.
type bytesOf[T any] struct {
	write func(dst []byte, v *T) []byte
	read  func(b []byte) (T, error)
}

func always[Q any](*Q) bool { return true }

var (
	writing = &method[*command.Command, command.Result]{
		number: methodWrite, once: true, leader: always[*command.Command],
		answer: func(ctx context.Context, wait replica.Wait, from *replica.Replica, c **command.Command) (command.Result, error) {
			return from.WriteAndWait(ctx, wait, *c)
		},
		question: bytesOf[*command.Command]{
			write: func(dst []byte, c **command.Command) []byte { return command.AppendCommand(dst, *c) }, read: command.ParseCommand,
		},
		reply: bytesOf[command.Result]{command.AppendResult, command.ParseResult},
	}
	reading = &method[command.Get, command.GetResult]{
		number: methodRead, leader: func(g *command.Get) bool { return g.Strong },
		answer: func(ctx context.Context, wait replica.Wait, from *replica.Replica, g *command.Get) (command.GetResult, error) {
			return from.ReadAndWait(ctx, wait, g)
		},
		question: bytesOf[command.Get]{command.AppendGet, command.ParseGet},
		reply:    bytesOf[command.GetResult]{command.AppendGetResult, command.ParseGetResult},
	}
	readingTogether = &method[command.MultiGet, []command.Seen]{
		number: methodReadTogether, leader: always[command.MultiGet],
		answer: func(ctx context.Context, wait replica.Wait, from *replica.Replica, g *command.MultiGet) ([]command.Seen, error) {
			return from.ReadTogetherAndWait(ctx, wait, g)
		},
		question: bytesOf[command.MultiGet]{command.AppendMultiGet, command.ParseMultiGet},
		reply: bytesOf[[]command.Seen]{
			func(dst []byte, seen *[]command.Seen) []byte { return command.AppendSeen(dst, *seen) }, command.ParseSeen,
		},
	}
	scanning = &method[command.Plan, command.Page]{
		number: methodScan, leader: func(p *command.Plan) bool { return p.Strong },
		answer: func(ctx context.Context, wait replica.Wait, from *replica.Replica, p *command.Plan) (command.Page, error) {
			return from.ScanAndWait(ctx, wait, p)
		},
		question: bytesOf[command.Plan]{command.AppendPlan, command.ParsePlan},
		reply:    bytesOf[command.Page]{command.AppendPage, command.ParsePage},
	}
	reporting = &method[struct{}, command.Report]{
		number: methodReport, leader: always[struct{}],
		answer: func(ctx context.Context, wait replica.Wait, from *replica.Replica, _ *struct{}) (command.Report, error) {
			return from.ReportAndWait(ctx, wait)
		},
		question: bytesOf[struct{}]{func(dst []byte, _ *struct{}) []byte { return dst }, parseNothing},
		reply:    bytesOf[command.Report]{command.AppendReport, command.ParseReport},
	}
	// ordering is answered by the node that the copy is on, not by the copy.
	ordering = &method[command.Order, uint64]{
		number: methodOrder, once: true,
		question: bytesOf[command.Order]{appendOrder, parseOrder},
		reply:    bytesOf[uint64]{appendNumber, parseNumber},
	}
)

// askingTokens is answered by the node that the copy is on, which keeps the shared budgets of whatever the copy is the first partition of.
// What a node gives back, or has spent, is not to be counted twice; the node asks anew soon.
var askingTokens = &method[budget.Question, budget.Answers]{
	number: methodTokens, once: true,
	question: bytesOf[budget.Question]{budget.AppendQuestion, budget.ParseQuestion},
	reply:    bytesOf[budget.Answers]{budget.AppendAnswers, budget.ParseAnswers},
}

func parseNothing(b []byte) (struct{}, error) {
	if len(b) > 0 {
		return struct{}{}, command.ErrMalformed
	}
	return struct{}{}, nil
}

// appendOrder appends an order as JSON: it is rare, and an operator's.
func appendOrder(dst []byte, o *command.Order) []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // an order has nothing that JSON has not
	}
	return append(dst, b...)
}

func parseOrder(b []byte) (o command.Order, err error) {
	if json.Unmarshal(b, &o) != nil {
		return command.Order{}, command.ErrMalformed
	}
	return o, nil
}

func appendNumber(dst []byte, n *uint64) []byte { return binary.AppendUvarint(dst, *n) }

func parseNumber(b []byte) (uint64, error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || size != len(b) {
		return 0, command.ErrMalformed
	}
	return n, nil
}
