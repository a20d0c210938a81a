package settle_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"stator/internal/cluster/txn"
	"stator/internal/jobs/settle"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// rig is a node with a table of four partitions, a job of its own, and coordinators that die.
type rig struct {
	*nodetest.Node
	t                  *testing.T
	job                settle.Job
	committed, aborted int
	coordinators       byte
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Node: nodetest.Open(t, nil), t: t}
	r.Create(nodetest.Things(), 4)
	r.job = settle.Job{
		Catalog: r.Catalog(), Host: r, Transactions: r.Transactions(), Wait: r.Wait, NowMillis: r.now,
		Settled: func(committed bool) {
			if committed {
				r.committed++
			} else {
				r.aborted++
			}
		},
	}
	return r
}

func (r *rig) now() int64 { return r.Clock.Now().UnixMilli() }

var errDead = errors.New("dead")

// dying is a coordinator that dies at a step, the n-th time it comes there.
func (r *rig) dying(step string, n int) *txn.Coordinator {
	return r.coordinator(func(at string) error {
		if at == step {
			if n--; n == 0 {
				return errDead
			}
		}
		return nil
	})
}

func (r *rig) coordinator(failpoint func(at string) error) *txn.Coordinator {
	r.coordinators++
	return txn.New(txn.Options{
		Router: r.Router(), NowMillis: r.now, Random: rand.NewChaCha8([32]byte{r.coordinators}),
		Pause:     func(_ context.Context, d time.Duration) error { r.Clock.Advance(d); r.Turn(); return nil },
		Failpoint: failpoint,
	})
}

// request puts so many items, which lie in several partitions; a token keeps its record.
func (r *rig) request(items int) txn.Request {
	q := txn.Request{Token: "token", Hash: [16]byte{1}}
	for i := range items {
		q.Actions = append(q.Actions, r.Put("things", fmt.Sprint("collection ", i), "1"))
	}
	return q
}

// die begins a transaction whose coordinator dies at a step. What it has asked for by then comes to pass.
func (r *rig) die(step string, n int, q txn.Request) {
	r.t.Helper()
	if _, err := r.dying(step, n).Write(r.t.Context(), q); !errors.Is(err, errDead) {
		r.t.Fatalf("a coordinator that was to die at %s: %v", step, err)
	}
	r.Rest()
}

// after lets time pass and makes a step of the job.
func (r *rig) after(d time.Duration) {
	r.t.Helper()
	r.Clock.Advance(d)
	if err := r.job.Step(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// locks and records count what transactions have left in the table.
func (r *rig) locks() (n int64) {
	for _, p := range r.Catalog().Partitions(r.Entry("things").Table.ID) {
		n += r.Must(p.ID).State().Applied.Locks
	}
	return n
}

func (r *rig) records() (n int) {
	r.t.Helper()
	for _, p := range r.Catalog().Partitions(r.Entry("things").Table.ID) {
		found, err := r.Must(p.ID).Transactions(nil, 1<<20)
		if err != nil {
			r.t.Fatal(err)
		}
		n += len(found)
	}
	return n
}

func (r *rig) want(what string, locks int64, items int) {
	r.t.Helper()
	if got := r.locks(); got != locks {
		r.t.Errorf("%s: %d locks, want %d", what, got, locks)
	}
	if got := len(r.Check("things")); got != items {
		r.t.Errorf("%s: %d items, want %d", what, got, items)
	}
}

// deaths are the steps at which a coordinator dies, the n-th time it comes there, and what its transaction then is.
var deaths = []struct {
	step      string
	n         int
	committed bool
}{
	{"begin", 1, false}, {"prepare", 1, false}, {"prepare", 2, false}, {"commit", 1, false},
	{"apply", 1, true}, {"apply", 2, true}, {"answer", 1, true},
}

// A request that comes again after its coordinator died is performed, or answered if it was, long before the dead coordinator's locks are
// settled.
func TestRequestComesAgain(t *testing.T) {
	const items = 6
	for _, c := range deaths {
		t.Run(fmt.Sprint(c.step, " ", c.n), func(t *testing.T) {
			r := newRig(t)
			r.die(c.step, c.n, r.request(items))
			died := r.now()
			outcome, err := r.Transactions().Write(t.Context(), r.request(items))
			if err != nil || outcome.Refusal != command.Accepted || outcome.Replayed != c.committed {
				t.Fatalf("%+v, %v", outcome, err)
			}
			if took := r.now() - died; took > 2*machine.RetriedMillisMax {
				t.Errorf("it took %d ms", took)
			}
			r.Rest()
			r.want("afterwards", 0, items)
		})
	}
}

// A coordinator that was merely slow is told what the request that came again has done, and does not say that it was cancelled.
func TestSlowCoordinatorIsTold(t *testing.T) {
	r := newRig(t)
	var second txn.Outcome
	came := false
	slow := r.coordinator(func(at string) (err error) {
		if at == "commit" && !came {
			came = true
			second, err = r.Transactions().Write(t.Context(), r.request(6))
		}
		return err
	})
	first, err := slow.Write(t.Context(), r.request(6))
	if err != nil || second.Refusal != command.Accepted || second.Replayed || first.Refusal != command.Accepted || !first.Replayed {
		t.Errorf("the second attempt %+v, the first %+v, %v", second, first, err)
	}
	r.Rest()
	r.want("afterwards", 0, 6)
}

// Whatever step a coordinator dies at, its transaction becomes whole or absent, and no lock is left.
func TestDeadCoordinators(t *testing.T) {
	const items = 6
	for _, c := range deaths {
		t.Run(fmt.Sprint(c.step, " ", c.n), func(t *testing.T) {
			r := newRig(t)
			r.die(c.step, c.n, r.request(items))
			locked := r.locks()
			r.after(time.Second)
			if r.locks() != locked {
				t.Error("locks a second old were looked at")
			}
			r.after(11 * time.Second)
			if c.committed {
				r.want("committed", 0, items)
			} else {
				r.want("aborted", 0, 0)
			}
			if told := r.committed + r.aborted; locked > 0 && told == 0 || c.committed && r.aborted > 0 || !c.committed && r.committed > 0 {
				t.Errorf("told of %d committed and %d aborted", r.committed, r.aborted)
			}
		})
	}
}

// A transaction that may still go on is let go on: only its record's age says when it is given up.
func TestRunningIsLeftAlone(t *testing.T) {
	r := newRig(t)
	r.die("commit", 1, r.request(6))
	locked := r.locks()
	r.after(9 * time.Second)
	r.want("after nine seconds", locked, 0)
	if r.committed+r.aborted > 0 {
		t.Errorf("told of %d committed and %d aborted", r.committed, r.aborted)
	}
}

// What is committed is applied as soon as its locks are two seconds old: nobody else would come.
func TestCommittedIsApplied(t *testing.T) {
	r := newRig(t)
	r.die("apply", 1, r.request(6))
	r.after(2100 * time.Millisecond)
	r.want("after two seconds", 0, 6)
}

// A record stays for ten minutes, to answer the same request, and goes at the next walk, even if the token was that of an
// aborted one.
func TestRecordsGo(t *testing.T) {
	for _, step := range []string{"commit", "answer"} {
		r := newRig(t)
		r.die(step, 1, r.request(6))
		r.after(11 * time.Second)
		r.after(9 * time.Minute)
		if n := r.records(); n != 1 {
			t.Errorf("%s: %d records after nine minutes", step, n)
		}
		r.after(2 * time.Minute)
		r.after(3 * time.Minute)
		if n := r.records(); n != 0 {
			t.Errorf("%s: %d records after their time", step, n)
		}
	}
}

// A record that locks still speak of is not let go before those are applied.
func TestRecordsOutliveLocks(t *testing.T) {
	r := newRig(t)
	r.die("apply", 1, r.request(6))
	r.after(30 * time.Minute) // nothing ran meanwhile
	r.after(3 * time.Minute)
	r.want("after half an hour", 0, 6)
	if n := r.records(); n != 0 {
		t.Errorf("%d records are left", n)
	}
}

// More locks than a step looks at are settled by the steps that follow.
func TestManyLocks(t *testing.T) {
	r := newRig(t)
	const each, transactions = 100, 45
	for i := range transactions {
		q := txn.Request{}
		for j := range each {
			q.Actions = append(q.Actions, r.Put("things", fmt.Sprintf("collection %d of %d", j, i), "1"))
		}
		r.die("commit", 1, q)
	}
	if r.locks() != each*transactions {
		t.Fatalf("%d locks", r.locks())
	}
	r.after(11 * time.Second)
	if r.locks() == 0 {
		t.Error("one step has settled everything: the test makes too few locks")
	}
	r.after(0)
	r.want("after two steps", 0, 0)
}

// Before a table goes, what began there is settled wherever it took part; one that may still go on holds it up.
func TestTable(t *testing.T) {
	r := newRig(t)
	other := nodetest.Things()
	other.Name = "others"
	r.Create(other, 2)
	q := r.request(2)
	for _, c := range []string{"a", "b", "c"} {
		q.Actions = append(q.Actions, r.Put("others", c, "1"))
	}
	r.die("apply", 1, q)
	partitions := r.Catalog().Partitions(r.Entry("things").Table.ID)
	if settled, err := r.job.Table(t.Context(), partitions); err != nil || !settled {
		t.Fatalf("settled %t, %v", settled, err)
	}
	if n := len(r.Check("others")); n != 3 {
		t.Errorf("the other table has %d of 3 items", n)
	}
	r.Clock.Advance(time.Minute)
	pending := r.request(2)
	pending.Token = "another"
	r.die("commit", 1, pending)
	if settled, err := r.job.Table(t.Context(), partitions); err != nil || settled {
		t.Errorf("a transaction under way: settled %t, %v", settled, err)
	}
	r.Clock.Advance(11 * time.Second)
	if settled, err := r.job.Table(t.Context(), partitions); err != nil || !settled {
		t.Errorf("an overdue one: settled %t, %v", settled, err)
	}
}
