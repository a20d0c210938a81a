package txn_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"stator/internal/cluster/router"
	"stator/internal/cluster/txn"
	"stator/internal/partition/command"
)

// scripted is a router whose partitions are named by the first byte of a key. They accept everything, at versions that rise
// with the name, unless the script has another answer; they hold nothing.
type scripted struct {
	// answers are for "verb partition", as "prepare b".
	answers map[string]answer
	// sent are the commands that came, as "prepare b/1 b/2".
	sent     []string
	commands []*command.Command
	// rounds are what Together finds, one after the other; the last one for ever.
	rounds []round
	pauses int
	met    int
	millis int64
}

type answer struct {
	result command.Result
	err    error
}

type round struct {
	seen  []command.Seen
	whole bool
}

var verbs = map[command.Action]string{
	command.Transact: "transact", command.Begin: "begin", command.Prepare: "prepare", command.Commit: "commit",
	command.Cancel: "cancel", command.Apply: "apply", command.Release: "release", command.Settle: "settle",
}

func (s *scripted) Spread(_ context.Context, spread router.Spread) []router.Share {
	at := spread.At
	if at == nil {
		for i := range spread.Keys {
			at = append(at, i)
		}
	}
	var shares []router.Share
	for _, i := range at {
		same := slices.IndexFunc(shares, func(other router.Share) bool {
			return spread.Keys[other.At[0]].Suffix[0] == spread.Keys[i].Suffix[0]
		})
		if same < 0 {
			same = len(shares)
			shares = append(shares, router.Share{})
		}
		shares[same].At = append(shares[same].At, i)
	}
	for i := range shares {
		share := &shares[i]
		c, err := spread.Make(share.At)
		if err != nil {
			share.Err = err
			continue
		}
		share.Result, share.Err = s.perform(c, spread.Keys[share.At[0]].Suffix[:1])
	}
	return shares
}

func (s *scripted) perform(c *command.Command, partition []byte) (command.Result, error) {
	named := ""
	for _, action := range c.Transaction.Actions {
		named += " " + string(action.Key)
	}
	for _, key := range c.Transaction.Keys {
		named += " " + string(key)
	}
	s.sent = append(s.sent, verbs[c.Action]+named)
	s.commands = append(s.commands, c)
	if scripted, ok := s.answers[verbs[c.Action]+" "+string(partition)]; ok {
		return scripted.result, scripted.err
	}
	result := command.Result{Version: 100 + uint64(partition[0])}
	for _, action := range c.Transaction.Actions {
		result.Results = append(result.Results, command.Result{Text: string(action.Key)})
	}
	return result, nil
}

func (s *scripted) Together(context.Context, []command.Get) ([]command.Seen, bool, error) {
	now := s.rounds[0]
	if len(s.rounds) > 1 {
		s.rounds = s.rounds[1:]
	}
	return now.seen, now.whole, nil
}

func (s *scripted) coordinator(failpoint func(string) error) *txn.Coordinator {
	return txn.New(txn.Options{
		Router: s, NowMillis: func() int64 { return s.millis }, Random: rand.NewChaCha8([32]byte{}),
		Pause: func(context.Context, time.Duration) error { s.pauses++; return nil },
		Met:   func() { s.met++ }, Failpoint: failpoint,
	})
}

// request puts items, whose keys begin with their partition.
func request(keys ...string) txn.Request {
	var q txn.Request
	for _, key := range keys {
		q.Actions = append(q.Actions, &command.Command{Action: command.Put, Table: 7, TableVersion: 3, Key: []byte(key)})
	}
	return q
}

// run performs a request and wants the commands it takes.
func (s *scripted) run(t *testing.T, q txn.Request, want ...string) (txn.Outcome, error) {
	t.Helper()
	s.sent, s.commands = nil, nil
	outcome, err := s.coordinator(nil).Write(t.Context(), q)
	if !slices.Equal(s.sent, want) {
		t.Errorf("sent %q, want %q", s.sent, want)
	}
	return outcome, err
}

func refusal(r command.Refusal) answer { return answer{result: command.Result{Refusal: r}} }

var words = map[command.Refusal]string{
	command.Accepted: "accepted", command.Throttled: "throttled", command.TooLate: "too late", command.Locked: "locked",
	command.Cancelled: "cancelled", command.Mismatched: "mismatched", command.Running: "running", command.Aborted: "aborted",
}

func show(o txn.Outcome) string {
	text := fmt.Sprintf("%s at %d:", words[o.Refusal], o.Version)
	for _, r := range o.Results {
		text += fmt.Sprintf(" [%s]", strings.TrimSpace(words[r.Refusal]+" "+r.Text))
	}
	return text
}
