package txn_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"stator/internal/cluster/router"
	"stator/internal/cluster/txn"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// Where one partition holds all items it does everything at once. A record is kept for whoever may ask for it: by a token.
func TestOnePartition(t *testing.T) {
	s := &scripted{}
	outcome, err := s.run(t, request("a/1", "a/2"), "transact a/1 a/2")
	if err != nil || show(outcome) != "accepted at 197: [accepted a/1] [accepted a/2]" {
		t.Errorf("%s, %v", show(outcome), err)
	}
	if at := s.commands[0].Transaction.Record; at.Suffix != nil {
		t.Errorf("a record at %q, for nobody", at.Suffix)
	}
	q := request("a/1", "a/2")
	q.Token = "token"
	if _, err := s.run(t, q, "transact a/1 a/2"); err != nil {
		t.Error(err)
	}
	if at := s.commands[0].Transaction.Record; at.Table != 7 || !strings.HasPrefix(string(at.Suffix), "a/1") || !strings.Contains(string(at.Suffix), "token") {
		t.Errorf("the record lies at %+v", at)
	}
}

// All partitions prepare; the record's commits, at the highest version that was asked for; the others apply.
func TestPhases(t *testing.T) {
	s := &scripted{}
	outcome, err := s.run(t, request("a/1", "c/1", "b/1", "a/2"),
		"begin a/1 a/2", "prepare c/1", "prepare b/1", "commit a/1 a/2", "apply c/1", "apply b/1")
	if err != nil || show(outcome) != "accepted at 199: [accepted a/1] [accepted c/1] [accepted b/1] [accepted a/2]" {
		t.Errorf("%s, %v", show(outcome), err)
	}
	begin := s.commands[0].Transaction
	if len(begin.Participants) != 4 || string(begin.Participants[2].Suffix) != "b/1" {
		t.Errorf("the record names %+v", begin.Participants)
	}
	for i, c := range s.commands {
		part := c.Transaction
		if part.ID != begin.ID || i < 4 && string(part.Record.Suffix) != string(begin.Record.Suffix) {
			t.Errorf("command %d is another transaction's, or names another record", i)
		}
		if i >= 3 && part.Version != 199 {
			t.Errorf("command %d has version %d", i, part.Version)
		}
	}
}

// A refusal takes back what was prepared, and nothing else: at the record first.
func TestRefusals(t *testing.T) {
	conflict := answer{result: command.Result{Refusal: command.Cancelled, Results: []command.Result{{Refusal: command.Locked}}}}
	for name, c := range map[string]struct {
		answers map[string]answer
		want    string
		sent    []string
	}{
		"a participant's":   {map[string]answer{"prepare b": conflict}, "cancelled at 0: [accepted a/1] [locked] [accepted c/1]", []string{"cancel a/1", "release c/1"}},
		"the record's":      {map[string]answer{"begin a": conflict}, "cancelled at 0: [locked] [accepted b/1] [accepted c/1]", []string{"release b/1", "release c/1"}},
		"all":               {map[string]answer{"begin a": conflict, "prepare b": conflict, "prepare c": conflict}, "cancelled at 0: [locked] [locked] [locked]", nil},
		"no room":           {map[string]answer{"prepare b": refusal(command.Throttled)}, "cancelled at 0: [accepted a/1] [throttled] [accepted c/1]", []string{"cancel a/1", "release c/1"}},
		"sent too long ago": {map[string]answer{"prepare b": refusal(command.TooLate)}, "aborted at 0: [accepted a/1] [too late] [accepted c/1]", []string{"cancel a/1", "release c/1"}},
		"other parameters":  {map[string]answer{"begin a": refusal(command.Mismatched)}, "mismatched at 0: [mismatched] [accepted b/1] [accepted c/1]", []string{"release b/1", "release c/1"}},
		"still running":     {map[string]answer{"begin a": refusal(command.Running)}, "running at 0: [running] [accepted b/1] [accepted c/1]", []string{"release b/1", "release c/1"}},
		"taken for dead":    {map[string]answer{"commit a": refusal(command.Aborted)}, "aborted at 0: [accepted a/1] [accepted b/1] [accepted c/1]", []string{"commit a/1", "cancel a/1", "release b/1", "release c/1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{answers: c.answers}
			outcome, err := s.run(t, request("a/1", "b/1", "c/1"), append([]string{"begin a/1", "prepare b/1", "prepare c/1"}, c.sent...)...)
			if err != nil || show(outcome) != c.want {
				t.Errorf("%s, %v; want %s", show(outcome), err, c.want)
			}
		})
	}
}

// A request that was performed before is not again: what it left is finished, with its own id and version.
func TestReplay(t *testing.T) {
	earlier := command.Result{Refusal: command.Completed, Version: 50, Held: &command.Held{ID: command.TransactionID{5}},
		Participants: []command.Place{{Table: 7, Suffix: []byte("a/1")}, {Table: 7, Suffix: []byte("b/1")}}}
	s := &scripted{answers: map[string]answer{"begin a": {result: earlier}}}
	q := request("a/1", "b/1")
	q.Token = "token"
	outcome, err := s.run(t, q, "begin a/1", "prepare b/1", "release b/1", "apply a/1", "apply b/1")
	if err != nil || !outcome.Replayed || outcome.Version != 50 || outcome.Results != nil {
		t.Errorf("%+v, %v", outcome, err)
	}
	if apply := s.commands[4].Transaction; apply.ID != (command.TransactionID{5}) || apply.Version != 50 {
		t.Errorf("applied as %+v", apply)
	}
}

// What a partition fails with. Only what may be locked is released, and only what certainly was not committed.
func TestFailures(t *testing.T) {
	ambiguous, rejected := &command.Ambiguous{Cause: errors.New("lost")}, &command.Rejected{Cause: errors.New("away")}
	stale := &command.StaleTable{Have: 9}
	begun := []string{"begin a/1", "prepare b/1", "prepare c/1"}
	for name, c := range map[string]struct {
		answers map[string]answer
		want    error
		sent    []string
	}{
		"a prepare of which nobody knows": {map[string]answer{"prepare b": {err: ambiguous}}, ambiguous, []string{"cancel a/1", "release b/1", "release c/1"}},
		"a prepare that was not taken":    {map[string]answer{"prepare b": {err: rejected}}, rejected, []string{"cancel a/1", "release c/1"}},
		"an old plan tells most":          {map[string]answer{"begin a": {err: rejected}, "prepare b": {err: stale}}, stale, []string{"release c/1"}},
		"a commit that was not taken":     {map[string]answer{"commit a": {err: rejected}}, rejected, []string{"commit a/1", "cancel a/1", "release b/1", "release c/1"}},
		"a commit of which nobody knows":  {map[string]answer{"commit a": {err: ambiguous}}, ambiguous, []string{"commit a/1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{answers: c.answers}
			if _, err := s.run(t, request("a/1", "b/1", "c/1"), append(slices.Clone(begun), c.sent...)...); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	// One that a partition performs whole is no longer pending, whatever became of it.
	whole := &scripted{answers: map[string]answer{"transact a": {err: ambiguous}}}
	if _, err := whole.run(t, request("a/1", "a/2"), "transact a/1 a/2"); !errors.Is(err, ambiguous) {
		t.Errorf("a transaction of one partition of which nobody knows: %v", err)
	}
	// Once it is committed, a failure must not look as if nothing had happened.
	s := &scripted{answers: map[string]answer{"apply b": {err: rejected}}}
	_, err := s.run(t, request("a/1", "b/1", "c/1"), append(slices.Clone(begun), "commit a/1", "apply b/1", "apply c/1")...)
	if got, ok := errors.AsType[*command.Ambiguous](err); !ok || !errors.Is(got, error(rejected)) {
		t.Errorf("an apply that was not taken: %v", err)
	}
}

// An item whose table is gone needs nothing. When all others are gone, the record is asked: a commit is a step, which may be
// answered before it is durable.
func TestTablesThatAreGone(t *testing.T) {
	s := &scripted{answers: map[string]answer{"apply b": {err: router.ErrNoTable}}}
	if _, err := s.run(t, request("a/1", "b/1", "c/1"), "begin a/1", "prepare b/1", "prepare c/1", "commit a/1", "apply b/1", "apply c/1"); err != nil {
		t.Error(err)
	}
	if _, err := s.run(t, request("a/1", "b/1"), "begin a/1", "prepare b/1", "commit a/1", "apply b/1", "settle"); err != nil {
		t.Error(err)
	}
	s.answers["settle a"] = answer{err: &command.Rejected{Cause: errors.New("away")}}
	_, err := s.run(t, request("a/1", "b/1"), "begin a/1", "prepare b/1", "commit a/1", "apply b/1", "settle")
	if _, ok := errors.AsType[*command.Ambiguous](err); !ok {
		t.Errorf("a commit that may not be durable: %v", err)
	}
}

// When the record's partition was split after it began, all items are applied, wherever they are now.
func TestElsewhere(t *testing.T) {
	s := &scripted{answers: map[string]answer{"commit a": {result: command.Result{Version: 200, Elsewhere: true}}}}
	if _, err := s.run(t, request("a/1", "b/1", "a/2"), "begin a/1 a/2", "prepare b/1", "commit a/1 a/2", "apply a/1 a/2", "apply b/1"); err != nil {
		t.Error(err)
	}
}

// A token that comes back with other parameters is another request's, also where its record does not lie; for ten minutes.
func TestTokens(t *testing.T) {
	s := &scripted{millis: 1000}
	c := s.coordinator(nil)
	first := request("a/1")
	first.Token, first.Hash = "token", [16]byte{1}
	other := request("z/1")
	other.Token, other.Hash = "token", [16]byte{2}
	for _, step := range []struct {
		q     txn.Request
		after int64
		want  command.Refusal
	}{
		{first, 0, command.Accepted}, {first, 10, command.Accepted}, {other, 10, command.Mismatched},
		{other, machine.TokenMillis, command.Accepted}, {first, 1, command.Mismatched},
	} {
		s.millis += step.after
		if outcome, err := c.Write(t.Context(), step.q); err != nil || outcome.Refusal != step.want {
			t.Errorf("%s after %d ms: refusal %d, %v; want %d", step.q.Actions[0].Key, step.after, outcome.Refusal, err, step.want)
		}
	}
}

// A request that comes again is told what was done, which does not make its token stand for any longer.
func TestReplayedToken(t *testing.T) {
	s := &scripted{millis: 1000, answers: map[string]answer{}}
	c := s.coordinator(nil)
	write := func(key string, want command.Refusal) {
		t.Helper()
		q := request(key)
		q.Token, q.Hash = "token", [16]byte{key[0]}
		if outcome, err := c.Write(t.Context(), q); err != nil || outcome.Refusal != want {
			t.Errorf("%s at %d ms: refusal %d, %v; want %d", key, s.millis, outcome.Refusal, err, want)
		}
	}
	write("a/1", command.Accepted)
	s.millis += machine.TokenMillis
	s.answers["transact a"] = answer{result: command.Result{Refusal: command.Completed, Held: &command.Held{}}}
	write("a/1", command.Accepted)
	write("z/1", command.Mismatched)
	s.millis++
	write("z/1", command.Accepted)
}

// A coordinator that dies at a step leaves everything as it is.
func TestFailpoints(t *testing.T) {
	dead := errors.New("dead")
	all := []string{"begin a/1", "prepare b/1", "commit a/1", "apply b/1"}
	for i, step := range []string{"begin", "prepare", "commit", "apply", "answer"} {
		s := &scripted{}
		c := s.coordinator(func(at string) error {
			if at == step {
				return dead
			}
			return nil
		})
		if _, err := c.Write(t.Context(), request("a/1", "b/1")); !errors.Is(err, dead) {
			t.Errorf("%s: %v", step, err)
		}
		want := all[:i]
		if step == "begin" {
			want = []string{"prepare b/1"} // whose lock has no record
		}
		if !slices.Equal(s.sent, want) {
			t.Errorf("%s: sent %q, want %q", step, s.sent, want)
		}
	}
}

// A lock that is older than any transaction may be is told of, others are not.
func TestMet(t *testing.T) {
	for age, want := range map[int64]int{10: 0, machine.PendingMillisMax: 0, machine.PendingMillisMax + 1: 1} {
		held := command.Result{Refusal: command.Locked, Held: &command.Held{SinceMillis: 1000}}
		s := &scripted{millis: 1000 + age}
		s.answers = map[string]answer{"prepare b": {result: command.Result{Refusal: command.Cancelled, Results: []command.Result{held}}}}
		if _, err := s.coordinator(nil).Write(t.Context(), request("a/1", "b/1")); err != nil || s.met != want {
			t.Errorf("a lock of %d ms: told %d times, %v", age, s.met, err)
		}
	}
}
