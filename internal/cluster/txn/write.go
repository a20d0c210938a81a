package txn

import (
	"context"
	"errors"
	"slices"

	"stator/internal/cluster/router"
	"stator/internal/partition/command"
)

// Write carries a request through: every partition prepares its part, all at once; when all have, the record is committed
// with the highest version that any of them asked for; when all have applied, it is answered. Where one partition holds
// all items, it does all of that in one batch.
//
// The record begins together with the other parts and not before them: a lock without a record is that of a transaction
// that never will be, since whoever settles it aborts it in its record's place first.
func (c *Coordinator) Write(ctx context.Context, q Request) (Outcome, error) {
	if c.tokens.contradict(q, c.options.NowMillis()) {
		return Outcome{Refusal: command.Mismatched}, nil
	}
	// What is begun is brought to an end, whoever gives up waiting: its locks would stand in others' way.
	ctx = context.WithoutCancel(ctx)
	t, err := c.newTransaction(q)
	if err != nil {
		return Outcome{}, err
	}
	outcome, err := t.run(ctx)
	if err == nil && q.Token != "" {
		outcome, err = t.again(ctx, outcome)
	}
	if err == nil && outcome.Refusal == command.Accepted && !outcome.Replayed {
		c.tokens.add(q, c.options.NowMillis())
	}
	return outcome, err
}

func (t *transaction) run(ctx context.Context) (Outcome, error) {
	p := t.prepare(ctx)
	switch {
	case errors.Is(p.failed, errDied):
		return Outcome{}, p.failed
	case p.verdict.Refusal == command.Completed:
		t.release(ctx, p.locked)
		return t.replay(ctx, p.verdict)
	case p.failed != nil:
		t.release(ctx, p.locked)
		return Outcome{}, p.failed
	case p.verdict.Refusal != command.Accepted:
		t.release(ctx, p.locked)
		t.earlier = p.verdict
		t.MetBy(p.results...)
		return Outcome{Refusal: p.verdict.Refusal, Results: p.results}, nil
	}
	outcome := Outcome{Results: p.results, Version: p.version}
	if len(p.own) == len(t.keys) {
		return outcome, t.pass("answer")
	}
	return t.decide(ctx, p, outcome)
}

// prepared is what came of the first phase.
type prepared struct {
	results []command.Result
	// version is the highest that a part asked for.
	version uint64
	// own are the places of the items that lie with the record; locked those of all that are locked, or may be.
	own, locked []int
	// verdict is Accepted when all parts are; what the record says counts more than what an item does.
	verdict command.Result
	failed  error
}

// prepare has every partition prepare its part, or perform it if that is all there is.
func (t *transaction) prepare(ctx context.Context) *prepared {
	p := &prepared{results: make([]command.Result, len(t.keys))}
	for _, share := range t.spread(ctx, nil, t.part) {
		p.take(share)
	}
	return p
}

func (p *prepared) take(share router.Share) {
	result := &share.Result
	if share.At[0] == 0 {
		p.own = share.At
	}
	if share.Err != nil {
		// One that holds all items is no longer pending, whatever became of it.
		if _, unknown := errors.AsType[*command.Ambiguous](share.Err); unknown && len(share.At) < len(p.results) {
			p.locked = append(p.locked, share.At...)
		}
		p.fail(share.Err)
		return
	}
	switch result.Refusal {
	case command.Accepted:
		p.locked = append(p.locked, share.At...)
		p.version = max(p.version, result.Version)
	case command.Cancelled, command.Throttled:
		if p.verdict.Refusal == command.Accepted {
			p.verdict.Refusal = command.Cancelled
		}
	case command.TooLate:
		if p.verdict.Refusal != command.Completed {
			p.verdict.Refusal = command.Aborted
		}
	default:
		p.verdict = *result
	}
	for j, i := range share.At {
		if result.Results != nil {
			p.results[i] = result.Results[j]
		} else {
			p.results[i] = command.Result{Refusal: result.Refusal}
		}
	}
}

// fail keeps the error that tells most: a table that changed has the request planned anew.
func (p *prepared) fail(err error) {
	_, stale := errors.AsType[*command.StaleTable](err)
	if p.failed == nil || stale || errors.Is(err, errDied) {
		p.failed = err
	}
}

// part makes the command of the first phase for the items at some places.
func (t *transaction) part(at []int) (command.Action, *command.Transaction) {
	part := &command.Transaction{
		ID: t.id, Record: t.record, Hash: t.Hash, SentMillis: t.options.NowMillis(), Actions: make([]*command.Command, len(at)),
	}
	for j, i := range at {
		part.Actions[j] = t.Actions[i]
	}
	switch {
	case len(at) == len(t.keys):
		if t.Token == "" {
			part.Record = command.Place{} // nobody will ask for it
		}
		return command.Transact, part
	case at[0] == 0:
		for _, k := range t.keys {
			part.Participants = append(part.Participants, command.Place{Table: k.Table, Suffix: k.Suffix})
		}
		return command.Begin, part
	}
	return command.Prepare, part
}

// decide commits a transaction of which every part is prepared, and has it applied everywhere.
func (t *transaction) decide(ctx context.Context, p *prepared, outcome Outcome) (Outcome, error) {
	shares := t.spread(ctx, []int{0}, func([]int) (command.Action, *command.Transaction) {
		return command.Commit, t.naming(p.own, p.version)
	})
	committed := shares[0]
	switch {
	case committed.Err != nil:
		if command.Certain(committed.Err) {
			t.release(ctx, p.locked)
		}
		return Outcome{}, committed.Err
	case committed.Result.Refusal == command.Aborted:
		t.release(ctx, p.locked)
		return Outcome{Refusal: command.Aborted, Results: p.results}, nil
	}
	rest := without(len(t.keys), p.own)
	if committed.Result.Elsewhere {
		rest = without(len(t.keys), nil)
	}
	shares = t.spread(ctx, rest, func(at []int) (command.Action, *command.Transaction) {
		return command.Apply, t.naming(at, p.version)
	})
	if err := lasting(shares); err != nil {
		return Outcome{}, err
	}
	if slices.ContainsFunc(shares, func(s router.Share) bool { return s.Err == nil }) {
		return outcome, t.pass("answer")
	}
	// The tables of all others are gone. A commit is a step, which may be answered before it is durable: its record is not.
	if _, err := t.Settle(ctx, t.id, t.record); err != nil {
		return Outcome{}, &command.Ambiguous{Cause: err}
	}
	return outcome, t.pass("answer")
}

// release takes back what was prepared. What cannot be reached is left to whoever settles it.
func (t *transaction) release(ctx context.Context, locked []int) {
	if len(locked) == 0 {
		return
	}
	t.spread(ctx, locked, func(at []int) (command.Action, *command.Transaction) {
		if at[0] == 0 {
			return command.Cancel, t.naming(at, 0)
		}
		return command.Release, t.naming(at, 0)
	})
}

// replay answers a request that was performed before. Its coordinator may have died before all had applied.
func (t *transaction) replay(ctx context.Context, earlier command.Result) (Outcome, error) {
	outcome := Outcome{Replayed: true, Version: earlier.Version}
	return outcome, t.Finish(ctx, earlier.Held.ID, earlier.Version, earlier.Participants)
}

// naming is a part that names items at some places of the transaction.
func (t *transaction) naming(at []int, version uint64) *command.Transaction {
	part := &command.Transaction{ID: t.id, Record: t.record, Version: version}
	for _, i := range at {
		part.Keys = append(part.Keys, t.keys[i].Suffix)
	}
	return part
}

// spread brings a step's commands to the partitions of the items at some places.
func (t *transaction) spread(
	ctx context.Context, at []int, part func(at []int) (command.Action, *command.Transaction),
) []router.Share {
	return t.options.Router.Spread(ctx, router.Spread{
		Keys: t.keys, At: at, Serial: t.options.Failpoint != nil,
		Make: func(at []int) (*command.Command, error) {
			action, p := part(at)
			return &command.Command{Action: action, Table: t.keys[at[0]].Table, Transaction: p}, t.pass(stepNames[action])
		},
	})
}

// stepNames are what a failpoint knows a step by.
var stepNames = map[command.Action]string{
	command.Transact: "transact", command.Begin: "begin", command.Prepare: "prepare", command.Commit: "commit",
	command.Cancel: "cancel", command.Apply: "apply", command.Release: "release",
}

// without are the places below n that are not in some ascending ones.
func without(n int, places []int) []int {
	rest := make([]int, 0, n-len(places))
	for i := range n {
		if len(places) > 0 && places[0] == i {
			places = places[1:]
			continue
		}
		rest = append(rest, i)
	}
	return rest
}
