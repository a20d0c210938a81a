package cluster

import (
	"errors"
	"fmt"
	"time"

	"stator/internal/partition/command"
	"stator/sim/history"
	"stator/sim/ledger"
	"stator/sim/shapes"
)

// tellerPauseMax is the longest pause between two deeds of a teller: there are so few that their order can be looked for.
const tellerPauseMax = 1500 * time.Millisecond

// startTellers makes clients who move money between accounts, which are items of one table, read all or some of them together,
// and write to them otherwise. They begin once every account is there.
func (w *world) startTellers() {
	w.clients += w.habits.tellers
	open := false
	for i := range w.habits.tellers {
		c := &client{w, 100 + i}
		w.Start(fmt.Sprintf("teller %d", i), func() {
			defer func() { w.clients-- }()
			for account := 0; i == 0 && account < w.habits.accounts; account++ {
				for !c.deposit(account) {
					w.Sleep(10 * time.Millisecond)
				}
			}
			for open = open || i == 0; !w.Calm; w.Sleep(w.Between(0, tellerPauseMax)) {
				if open {
					c.result.Operations++
					c.tell()
				}
			}
			for i == 0 && !c.audit(w.habits.accounts) {
				w.Sleep(100 * time.Millisecond)
			}
		})
	}
}

// tell makes one deed.
func (c *client) tell() {
	switch n := c.Random.IntN(20); {
	case n < 12:
		c.transfer()
	case n < 15:
		c.audit(c.habits.accounts)
	case n < 17:
		c.audit(3)
	default:
		c.touch()
	}
}

// deposit opens an account, unless it is open.
func (c *client) deposit(account int) bool {
	d := &ledger.Deed{Deed: history.Deed{Client: c.id, Tag: c.items.Tag(), Wrote: []int{account}}}
	c.ledger.Begin(d, c.history.Tick())
	result, err := c.write(accounts, shapes.OpenAccount(account, d.Tag))
	return c.note(d, result, err) || err == nil && result.Refusal == command.ConditionFailed
}

// some draws different accounts.
func (c *client) some(n int) []int { return c.Random.Perm(c.habits.accounts)[:n] }

// transfer moves money from one account to up to three others, if it holds enough, and sometimes only if another is there.
func (c *client) transfer() {
	list := c.some(2 + c.Random.IntN(3))
	checks := 0
	if len(list) > 2 && c.Chance(25) {
		checks = 1
	}
	amount := int64(1 + c.Random.IntN(40))
	wrote := list[:len(list)-checks]
	d := &ledger.Deed{Deed: history.Deed{Client: c.id, Tag: c.items.Tag(), Wrote: wrote, Looked: list}}
	wishes := []wish{{accounts, shapes.Payment(list[0], -amount*int64(len(wrote)-1), d.Tag)}}
	for _, taker := range wrote[1:] {
		wishes = append(wishes, wish{accounts, shapes.Payment(taker, amount, d.Tag)})
	}
	for _, account := range list[len(wrote):] {
		wishes = append(wishes, wish{accounts, shapes.CheckAccount(account)})
	}
	token := fmt.Sprint(d.Tag)
	c.ledger.Begin(d, c.history.Tick())
	outcome, err := c.transact(wishes, token)
	done := c.note(d, command.Result{Refusal: outcome.Refusal, Version: outcome.Version, Results: outcome.Results}, err)
	if done && c.Chance(25) {
		// The same request again, at any node, is answered and not performed.
		if again, err := c.transact(wishes, token); err == nil && again.Refusal == command.Accepted && !again.Replayed {
			c.Fail(fmt.Errorf("transfer %d was performed twice", d.Tag))
		}
	}
}

// touch writes to an account outside of any transaction.
func (c *client) touch() {
	account := c.Random.IntN(c.habits.accounts)
	d := &ledger.Deed{Deed: history.Deed{Client: c.id, Tag: c.items.Tag(), Wrote: []int{account}, Looked: []int{account}}}
	c.ledger.Begin(d, c.history.Tick())
	result, err := c.write(accounts, shapes.Payment(account, 0, d.Tag))
	result.Results = []command.Result{result}
	c.note(d, result, err)
}

// audit reads some accounts together; it tells whether they kept still.
func (c *client) audit(n int) bool {
	d := &ledger.Deed{Deed: history.Deed{Client: c.id, Looked: c.some(n)}}
	var list []wish
	for _, account := range d.Looked {
		list = append(list, wish{accounts, shapes.CheckAccount(account)})
	}
	c.ledger.Begin(d, c.history.Tick())
	seen := c.together(list)
	if seen == nil {
		c.ledger.Cancel(d)
		return false
	}
	sum := int64(0)
	for _, s := range seen {
		d.Saw = append(d.Saw, shapes.TagOf(s.Item))
		sum += shapes.BalanceOf(s.Item)
	}
	c.ledger.Finish(d, c.history.Tick(), 0)
	if total := int64(n) * shapes.Deposit; n == c.habits.accounts {
		c.result.Audits++
		if sum != total {
			c.Fail(fmt.Errorf("%d accounts hold %d, not %d", n, sum, total))
		}
	}
	return true
}

// note enters what became of a deed that writes, and tells whether it was done.
func (c *client) note(d *ledger.Deed, result command.Result, err error) bool {
	switch {
	case err != nil && !certainlyNot(err) && !errors.Is(err, errNotNow):
		c.ledger.Open(d)
		return false
	case err != nil || result.Refusal != command.Accepted:
		c.ledger.Cancel(d)
		return false
	}
	for i := range result.Results {
		d.Saw = append(d.Saw, shapes.TagOf(result.Results[i].Before))
	}
	d.Version = result.Version
	c.ledger.Finish(d, c.history.Tick(), 0)
	return true
}
