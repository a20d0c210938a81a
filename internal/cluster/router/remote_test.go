package router_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"stator/internal/cluster/budget"
	"stator/internal/cluster/router"
	"stator/internal/cluster/rpc"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/partition/command"
)

// callerFunc is a Caller.
type callerFunc func(ctx context.Context, node uint64, method byte, body []byte) ([]byte, error)

func (f callerFunc) Call(ctx context.Context, node uint64, method byte, body []byte) ([]byte, error) {
	return f(ctx, node, method, body)
}

// What the end of a call tells: of a write only what is certain, of a read that it may be made again.
func TestHowCallsEnd(t *testing.T) {
	fault := errors.New("it broke")
	result := command.AppendResult(nil, &command.Result{Sequence: 3})
	for name, c := range map[string]struct {
		answer        []byte
		err           error
		write, strong string
	}{
		"an answer":       {answer: result, write: "<nil>", strong: "*command.Rejected"},
		"a broken answer": {answer: result[:1], write: "*command.Ambiguous", strong: "*command.Rejected"},
		"not sent":        {err: &rpc.Unreachable{Cause: fault}, write: "*command.Rejected", strong: "*command.Rejected"},
		"not answered":    {err: &rpc.Unreachable{Sent: true, Cause: context.DeadlineExceeded}, write: "*command.Ambiguous", strong: "*command.Rejected"},
		"a fault":         {err: &command.Fault{Text: "x"}, write: "*command.Ambiguous", strong: "*command.Rejected"},
		"words":           {err: &rpc.Failed{Text: "x"}, write: "*command.Ambiguous", strong: "*command.Rejected"},
		"no leader":       {err: &command.NotLeader{Hint: 3}, write: "*command.NotLeader", strong: "*command.NotLeader"},
		"an old map":      {err: &command.StaleRoute{}, write: "*command.StaleRoute", strong: "*command.StaleRoute"},
		"an old table":    {err: &command.StaleTable{Have: 2}, write: "*command.StaleTable", strong: "*command.StaleTable"},
		"a rejection":     {err: &command.Rejected{Cause: fault}, write: "*command.Rejected", strong: "*command.Rejected"},
		"ambiguity":       {err: &command.Ambiguous{Cause: fault}, write: "*command.Ambiguous", strong: "*command.Rejected"},
		"its own end":     {err: context.DeadlineExceeded, write: "*command.Ambiguous", strong: "*command.Rejected"},
	} {
		to := router.NewRemote(callerFunc(func(context.Context, uint64, byte, []byte) ([]byte, error) { return c.answer, c.err }), 2, 101)
		_, err := to.WriteAndWait(t.Context(), nil, &command.Command{Action: command.Put})
		_, orderErr := to.Order(t.Context(), command.Order{Transfer: 2})
		_, tokensErr := to.Tokens(t.Context(), budget.Question{PayerID: 100})
		_, readErr := to.ReadTogetherAndWait(t.Context(), nil, &command.MultiGet{Keys: [][]byte{key(1)}})
		_, scanErr := to.ScanAndWait(t.Context(), nil, &command.Plan{})
		for _, err := range []error{orderErr, tokensErr} {
			if got := fmt.Sprintf("%T", err); c.err != nil && got != c.write {
				t.Errorf("%s: what may not be done twice ends with %s, want %s", name, got, c.write)
			}
		}
		if got := fmt.Sprintf("%T", err); got != c.write {
			t.Errorf("%s: a write ends with %s, want %s", name, got, c.write)
		}
		if got := fmt.Sprintf("%T", readErr); got != c.strong || fmt.Sprintf("%T", scanErr) != c.strong {
			t.Errorf("%s: a read ends with %s, a scan with %T, want %s", name, got, scanErr, c.strong)
		}
		if _, ambiguous := errors.AsType[*command.Ambiguous](readErr); ambiguous {
			t.Errorf("%s: a read is ambiguous: %v", name, readErr)
		}
	}
}

// What cannot be read, and what a copy here may not answer, is not done.
func TestServeRefuses(t *testing.T) {
	f := newFleet(t, 1)
	unled := 0
	for i, n := range f.Nodes {
		o := n.Options(f)
		o.Cluster.Unled = func(partition uint64) { unled += int(partition) }
		f.routers[i] = router.New(o)
	}
	put, get := command.AppendCommand(nil, f.put(1)), f.get(1, false)
	to := func(body []byte, partition uint64) []byte { return binary.BigEndian.AppendUint64(body, partition) }
	for name, c := range map[string]struct {
		node   int
		method byte
		body   []byte
		leader bool
	}{
		"no body":                       {0, 1, nil, false},
		"no partition":                  {0, 1, put[:7], false},
		"half a command":                {0, 1, to(put[:len(put)-1:len(put)-1], 101), false},
		"a command that is a read":      {0, 2, to(put, 101), false},
		"an unknown method":             {0, router.MethodEnd, to(put, 101), false},
		"no method":                     {0, 0, to(put, 101), false},
		"a write where nobody leads":    {1, 1, to(put, 101), true},
		"a write where there is none":   {4, 1, to(put, 101), true},
		"a read where there is none":    {4, 2, to(command.AppendGet(nil, &get), 101), true},
		"an order where nobody leads":   {1, 10, to([]byte(`{"Transfer":2}`), 101), true},
		"an order that is none":         {0, 10, to([]byte(`{`), 101), false},
		"a report of nothing with more": {0, 9, to([]byte{1}, 101), false},
		"a session that stands nowhere": {0, 1 | 1<<6, to(put[:5:5], 101), false},
		"an order in a session":         {0, 10 | 1<<6, to(to([]byte(`{}`), 1), 101), false},
		"a short moment":                {0, 7, to([]byte{1}, 101), false},
	} {
		answer, err := f.routers[c.node].Serve(t.Context(), c.method, c.body)
		moved, leader := errors.AsType[*command.NotLeader](err)
		if !command.Certain(err) || leader != c.leader || answer != nil {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
		if leader && c.node == 1 && moved.Hint != 1 {
			t.Errorf("%s: the leader is named as %d", name, moved.Hint)
		}
	}
	if unled != 2*101 {
		t.Errorf("%d, want twice partition 101, asked where it does not lead", unled)
	}
}

// flaky loses calls before they are sent, and answers after they were given.
type flaky struct {
	*fleet
	mu     sync.Mutex // guards random
	random *rand.Rand
	lost   atomic.Int64
}

func (f *flaky) chance(n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.IntN(n) == 0
}

func (f *flaky) Call(ctx context.Context, node uint64, method byte, body []byte) ([]byte, error) {
	if f.chance(5) {
		return nil, &rpc.Unreachable{Node: node, Cause: rpc.ErrDown}
	}
	answer, err := f.fleet.Call(ctx, node, method, body)
	if f.chance(5) {
		f.lost.Add(1)
		return nil, &rpc.Unreachable{Node: node, Sent: true, Cause: errors.New("the answer was lost")}
	}
	return answer, err
}

// Over a network that loses one thing in five, and while the leader moves: what was answered happened once, what is
// ambiguous once at most, and nothing else at all. Reads are answered.
func TestLostAnswers(t *testing.T) {
	f := &flaky{fleet: newFleet(t, 2), random: rand.New(rand.NewPCG(1, 2))}
	o := f.Nodes[4].Options(f.fleet)
	o.Cluster.Remote = func(node, partition uint64) router.Remote { return router.NewRemote(f, node, partition) }
	from := router.New(o)
	add := f.adding(t)
	const rounds, writers = 60, 4
	var counts [writers]struct{ done, unknown int }
	var running sync.WaitGroup
	for w := range writers {
		running.Go(func() {
			for round := range rounds {
				var errs []error
				switch round % 3 {
				case 0:
					_, err := from.Write(t.Context(), add(w))
					errs = append(errs, err)
				case 1:
					errs = append(errs, from.WriteAll(t.Context(), []*command.Command{add(w)})[0].Err)
				default:
					for _, share := range from.Spread(t.Context(), f.whole(w, add)) {
						errs = append(errs, share.Err)
					}
				}
				for _, err := range errs {
					switch _, unknown := errors.AsType[*command.Ambiguous](err); {
					case err == nil:
						counts[w].done++
					case unknown:
						counts[w].unknown++
					default:
						t.Errorf("writer %d, round %d: %v", w, round, err)
					}
				}
				f.Lead(f.of(w).ID, f.of(w).Members[round%3].Node)
				if _, _, err := from.Together(t.Context(), []command.Get{f.get(w, true)}); err != nil {
					t.Errorf("writer %d, round %d reads: %v", w, round, err)
				}
			}
		})
	}
	running.Wait()
	for w := range writers {
		result, err := from.Read(t.Context(), f.get(w, true))
		if err != nil {
			t.Fatal(err)
		}
		stored, _ := result.Item.Get("times")
		var times int
		if _, err := fmt.Sscan(string(stored.Number().Append(nil)), &times); err != nil {
			t.Fatal(err)
		}
		if c := counts[w]; times < c.done || times > c.done+c.unknown || c.done == 0 {
			t.Errorf("item %d was added to %d times: %d were answered, %d are ambiguous", w, times, c.done, c.unknown)
		}
	}
	if f.lost.Load() == 0 {
		t.Error("no answer was lost")
	}
}

// adding makes commands that count how often they were performed.
func (f *fleet) adding(t *testing.T) func(i int) *command.Command {
	add, err := expr.ParseUpdate("ADD times :one", expr.NewNames(nil, attr.NewMap([]attr.Entry{{Name: ":one", Value: attr.Int(1)}})))
	if err != nil {
		t.Fatal(err)
	}
	return func(i int) *command.Command {
		c := f.put(i)
		c.Action, c.Update = command.Update, add
		return c
	}
}

// whole is a transaction of one action that nobody remembers, so that it can happen twice.
func (f *fleet) whole(i int, make func(i int) *command.Command) router.Spread {
	return router.Spread{
		Keys: []router.Key{{Table: 100, TableVersion: 1, Suffix: key(i)}},
		Make: func([]int) (*command.Command, error) {
			part := &command.Transaction{ID: command.TransactionID{1}, SentMillis: f.NowMillis(), Actions: []*command.Command{make(i)}}
			return &command.Command{Action: command.Transact, Table: 100, Transaction: part}, nil
		},
	}
}
