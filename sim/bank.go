package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stator/internal/partition/command"
	"stator/sim/history"
	"stator/sim/ledger"
	"stator/sim/shapes"
)

// Bank is a run whose clients move money between accounts, which are items of one table, read all or some of them together,
// and write to them otherwise.
type Bank struct {
	Accounts, Clients, Partitions int
	// FaultAt is the step of a transaction, counted over the whole run, at which Fault happens; 0 is never. Steps are made
	// one after the other then.
	FaultAt int
	Fault   Fault
}

// Fault is what happens at a step of a transaction.
type Fault string

// The faults.
const (
	// Crash stops the machine.
	Crash Fault = "crash"
	// Die ends the coordinator and nothing else.
	Die Fault = "die"
	// Split cuts every partition of the table that holds more than one account.
	Split Fault = "split"
)

// bankShape is the table of the accounts.
var bankShape = shapes.All[0]

// draw puts a bank's own habits in place of a run's.
func (b *Bank) draw(r *run) {
	if b == nil {
		return
	}
	r.habits.clients, r.habits.partitions = b.Clients, b.Partitions
	// The disk tells by its newest log that a commit has reached it. A commit that is large beside a memtable is written to
	// one log and begins another, and the wait for it would not end.
	r.habits.memtableBytes = max(r.habits.memtableBytes, 1<<20)
}

// startTellers makes the clients of a bank. They begin once every account is there.
func (w *world) startTellers() {
	bank := w.run.options.Bank
	w.clients += bank.Clients
	open := make(chan struct{})
	w.start("opening", func(ctx context.Context) {
		for account := range bank.Accounts {
			for !w.deposit(ctx, account) {
				_ = w.pause(ctx, time.Millisecond)
			}
		}
		close(open)
	})
	for i := range bank.Clients {
		w.start(fmt.Sprintf("teller %d", i), func(ctx context.Context) {
			_ = w.wait(ctx, open)
			for w.run.left > 0 {
				w.run.left--
				w.run.result.Operations++
				w.serve(ctx, i)
				_ = w.pause(ctx, time.Duration(w.run.random.Int64N(w.run.habits.pauseMillis*1000))*time.Microsecond)
			}
			for i == 0 && !w.audit(ctx, i, bank.Accounts) {
				_ = w.pause(ctx, 100*time.Millisecond)
			}
			w.clients--
		})
	}
}

// deposit opens an account, unless it is open.
func (w *world) deposit(ctx context.Context, account int) bool {
	d := &ledger.Deed{Deed: history.Deed{Client: -1, Tag: w.run.draw.Tag(), Wrote: []int{account}}}
	w.run.ledger.Begin(d, w.run.history.Tick())
	result, err := w.write(ctx, -1, bankShape, shapes.OpenAccount(account, d.Tag))
	return w.note(d, result, err) || result.Refusal == command.ConditionFailed || result.Refusal == command.Locked
}

// serve makes one operation of a teller.
func (w *world) serve(ctx context.Context, client int) {
	accounts := w.run.options.Bank.Accounts
	switch n := w.run.random.IntN(20); {
	case w.run.options.Bank.FaultAt != 0 || n < 9:
		w.transfer(ctx, client)
	case n < 12:
		w.audit(ctx, client, accounts)
	case n < 14:
		w.audit(ctx, client, min(accounts, 3))
	case n < 17:
		w.touch(ctx, client)
	default:
		_ = w.together(ctx, client, []wish{{shape: bankShape, command: command.Command{Key: bankShape.Suffix(shapes.Account(w.run.random.IntN(accounts)))}}})
	}
}

// some draws different accounts.
func (w *world) some(n int) []int { return w.run.random.Perm(w.run.options.Bank.Accounts)[:n] }

// transfer moves money from one account to up to three others, if it holds enough, and sometimes only if another is there.
func (w *world) transfer(ctx context.Context, client int) {
	accounts := w.some(min(w.run.options.Bank.Accounts, 2+w.run.random.IntN(3)))
	checks := 0
	if len(accounts) > 2 && w.run.random.IntN(4) == 0 {
		checks = 1
	}
	amount := int64(1 + w.run.random.IntN(40))
	takers := accounts[1 : len(accounts)-checks]
	d := &ledger.Deed{Deed: history.Deed{Client: client, Tag: w.run.draw.Tag(), Wrote: accounts[:len(accounts)-checks], Looked: accounts}}
	list := []wish{{shape: bankShape, command: shapes.Payment(accounts[0], -amount*int64(len(takers)), d.Tag)}}
	for _, taker := range takers {
		list = append(list, wish{shape: bankShape, command: shapes.Payment(taker, amount, d.Tag)})
	}
	for _, account := range accounts[len(accounts)-checks:] {
		list = append(list, wish{shape: bankShape, command: shapes.CheckAccount(account)})
	}
	token := fmt.Sprint(d.Tag)
	w.run.ledger.Begin(d, w.run.history.Tick())
	outcome, err := w.transact(ctx, client, list, token)
	result := command.Result{Refusal: outcome.Refusal, Version: outcome.Version, Results: outcome.Results}
	if w.note(d, result, err) && w.run.random.IntN(4) == 0 {
		// The same request again is answered and not performed.
		if again, err := w.transact(ctx, client, list, token); err == nil && !again.Replayed {
			w.run.fail(fmt.Errorf("transfer %d was performed twice", d.Tag))
		}
	}
}

// touch writes to an account outside of any transaction.
func (w *world) touch(ctx context.Context, client int) {
	account := w.run.random.IntN(w.run.options.Bank.Accounts)
	d := &ledger.Deed{Deed: history.Deed{Client: client, Tag: w.run.draw.Tag(), Wrote: []int{account}, Looked: []int{account}}}
	c := shapes.Payment(account, 0, d.Tag)
	w.run.ledger.Begin(d, w.run.history.Tick())
	result, err := w.write(ctx, client, bankShape, c)
	result.Results = []command.Result{result}
	w.note(d, result, err)
}

// audit reads some accounts together; it tells whether they kept still.
func (w *world) audit(ctx context.Context, client, n int) bool {
	accounts := w.some(n)
	var list []wish
	for _, account := range accounts {
		list = append(list, wish{shape: bankShape, command: command.Command{Key: bankShape.Suffix(shapes.Account(account))}})
	}
	d := &ledger.Deed{Deed: history.Deed{Client: client, Looked: accounts}}
	w.run.ledger.Begin(d, w.run.history.Tick())
	seen := w.together(ctx, client, list)
	if seen == nil {
		w.run.ledger.Cancel(d)
		return false
	}
	sum := int64(0)
	for _, s := range seen {
		d.Saw = append(d.Saw, shapes.TagOf(s.Item))
		sum += shapes.BalanceOf(s.Item)
	}
	w.run.ledger.Finish(d, w.run.history.Tick(), w.run.history.EndAt())
	if total := int64(w.run.options.Bank.Accounts) * shapes.Deposit; n == w.run.options.Bank.Accounts && !w.over() {
		w.run.result.Bank.Audits++
		if sum != total {
			w.run.fail(fmt.Errorf("%d accounts hold %d, not %d", n, sum, total))
		}
	}
	return true
}

// note enters what became of a deed that writes, and tells whether it was done.
func (w *world) note(d *ledger.Deed, result command.Result, err error) bool {
	switch {
	case err != nil && !certainlyNot(err) && !errors.Is(err, errNotNow):
		w.run.ledger.Open(d)
		return false
	case err != nil || result.Refusal != command.Accepted:
		w.run.ledger.Cancel(d)
		return false
	}
	for i := range result.Results {
		d.Saw = append(d.Saw, shapes.TagOf(result.Results[i].Before))
	}
	d.Version = result.Version
	w.run.ledger.Finish(d, w.run.history.Tick(), w.run.history.EndAt())
	return true
}

// errFault is what a failpoint kills a coordinator with.
var errFault = errors.New("a fault of the simulator")

// failpoint is called before each step of every transaction, nil where no fault is wanted.
func (r *run) failpoint() func(step string) error {
	bank := r.options.Bank
	if bank == nil || bank.FaultAt == 0 {
		return nil
	}
	return func(step string) error {
		if r.result.Bank.Passes++; r.result.Bank.Passes != bank.FaultAt {
			return nil
		}
		r.note("%s before %s", bank.Fault, step)
		switch bank.Fault {
		case Crash:
			r.world.disk.Stop()
			return errFault
		case Die:
			return errFault
		}
		r.world.splitAccounts()
		return nil
	}
}

// splitAccounts parts every account from the others, as far as may be.
func (w *world) splitAccounts() {
	t, ok := w.node.Catalog().Table(bankShape.Name)
	for account := 0; ok && account < w.run.options.Bank.Accounts; account++ {
		_, err := w.node.Split(context.Background(), t.Name, t.ID, bankShape.Suffix(shapes.Account(account)))
		if err == nil {
			w.run.result.Splits++
		}
	}
}
