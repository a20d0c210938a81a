// Package budget lets requests through as far as there is throughput for them, and keeps the books of what they consume. It does not know
// what a request does, nor which partition serves it.
package budget

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"stator/internal/model/capacity"
)

// Observer is told of every request's part that was let through or refused. It must not wait, nor keep the key.
type Observer interface {
	// Consumed tells that r.Units were consumed; fewer than none are given back, by a request that cost less than it was taken for.
	Consumed(r capacity.Request)
	// Refused tells what refused a request: a bound of its payer's, or of the partition that it reached.
	Refused(r capacity.Request, by capacity.Bound)
}

// Options are a budget's surroundings.
type Options struct {
	// Now is a clock that never jumps.
	Now func() time.Duration
	// Report lets everything through, and only counts what would have been refused.
	Report bool
	// Saved is how many units of a payer, by kind, are known to have been saved up when its account is opened; nil: none are.
	Saved func(p capacity.Payer) [capacity.Kinds]float64
	// Observer is nil for nobody.
	Observer Observer
	// Nodes is how many nodes share the budgets; nil: this one has them for itself.
	Nodes func() int
	// Low is told that it is time to ask for tokens.
	Low func()
}

// Budget is what the requests that come to this node may consume.
type Budget struct {
	options Options

	mu sync.Mutex // guards the making of accounts
	// accounts by a payer's id; replaced whole, so that a request finds its account without a lock.
	accounts atomic.Pointer[map[uint64]*account]
}

// account is one payer's.
type account struct {
	mu      sync.Mutex // guards what follows
	payer   capacity.Payer
	buckets [capacity.Kinds]capacity.Bucket
	purses  [capacity.Kinds]purse // in place of the buckets where the budget is shared
	tally   capacity.Tally        // since the last Turn
}

// New returns a budget of which nothing has been consumed.
func New(o Options) *Budget {
	b := &Budget{options: o}
	b.accounts.Store(&map[uint64]*account{})
	return b
}

// Admit lets a request through and takes what it is known to cost, or tells what refuses it.
func (b *Budget) Admit(r capacity.Request) capacity.Limit {
	a, bound := b.account(r.Payer), r.Bound(r.Kind)
	a.mu.Lock()
	enough, due := b.take(a, &r, bound)
	if !enough {
		a.tally.Refused[r.Kind][bound.Limit]++
	}
	if enough || b.options.Report {
		a.tally.Consumed[r.Kind] += r.Units
	}
	a.mu.Unlock()
	if due {
		b.options.Low()
	}
	if !enough {
		b.refused(r, bound)
		if !b.options.Report {
			return bound.Limit
		}
	}
	b.consumed(r)
	return capacity.Unlimited
}

// take takes units of a bucket, or of a purse, for which it may be time to ask for more.
func (b *Budget) take(a *account, r *capacity.Request, bound capacity.Bound) (enough, due bool) {
	now := b.options.Now()
	if b.options.Nodes == nil {
		return a.buckets[r.Kind].Take(bound, now, r.Units), false
	}
	a.payer = r.Payer
	p := &a.purses[r.Kind]
	return p.take(bound, now, r.Units), p.due(now)
}

// Charge takes what a request that was let through cost besides; fewer units than none are given back.
func (b *Budget) Charge(r capacity.Request) {
	if r.Units == 0 {
		return
	}
	a := b.account(r.Payer)
	a.mu.Lock()
	a.buckets[r.Kind].Charge(r.Units)
	a.purses[r.Kind].charge(r.Units)
	if b.options.Report {
		// Nobody slows down who owes, so that what is owed must not grow: all there would be to report is an old debt.
		a.buckets[r.Kind].Forgive(r.Bound(r.Kind))
		a.purses[r.Kind].forgive(r.Bound(r.Kind))
	}
	a.tally.Consumed[r.Kind] += r.Units
	a.mu.Unlock()
	b.consumed(r)
}

// Refuse takes note that a request was let through here and refused by its partition.
func (b *Budget) Refuse(r capacity.Request) {
	bound := capacity.PartitionBounds[r.Kind]
	a := b.account(r.Payer)
	a.mu.Lock()
	a.tally.Refused[r.Kind][bound.Limit]++
	a.mu.Unlock()
	b.refused(r, bound)
}

// Beyond counts requests that a partition here let through beyond its bound, since it only reports. The observer knows of them.
func (b *Budget) Beyond(p capacity.Payer, kind capacity.Kind, requests uint64) {
	a := b.account(p)
	a.mu.Lock()
	a.tally.Refused[kind][capacity.PartitionBounds[kind].Limit] += requests
	a.mu.Unlock()
}

// Turn tells what every payer consumed and was refused since the last turn.
func (b *Budget) Turn() map[uint64]capacity.Tally {
	turned := map[uint64]capacity.Tally{}
	for id, a := range *b.accounts.Load() {
		a.mu.Lock()
		if a.tally != (capacity.Tally{}) {
			turned[id] = a.tally
			a.tally = capacity.Tally{}
		}
		a.mu.Unlock()
	}
	return turned
}

// Keep closes the accounts of all payers but some: the others are gone.
func (b *Budget) Keep(there func(id uint64) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := maps.Clone(*b.accounts.Load())
	maps.DeleteFunc(left, func(id uint64, _ *account) bool { return !there(id) })
	b.accounts.Store(&left)
}

func (b *Budget) account(p capacity.Payer) *account {
	if a, ok := (*b.accounts.Load())[p.ID()]; ok {
		return a
	}
	return b.open(p)
}

// open makes a payer's account.
func (b *Budget) open(p capacity.Payer) *account {
	var saved [capacity.Kinds]float64
	if b.options.Saved != nil {
		saved = b.options.Saved(p)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a, ok := (*b.accounts.Load())[p.ID()]; ok {
		return a
	}
	a := &account{payer: p}
	for kind := range capacity.Kinds {
		bound := p.Bound(kind)
		a.buckets[kind] = capacity.NewBucket(bound, b.options.Now())
		a.buckets[kind].Charge(min(0, bound.PerSecond-saved[kind]))
		if b.options.Nodes != nil {
			a.purses[kind] = newPurse(bound, b.options.Nodes(), b.options.Now())
		}
	}
	more := maps.Clone(*b.accounts.Load())
	more[p.ID()] = a
	b.accounts.Store(&more)
	return a
}

func (b *Budget) consumed(r capacity.Request) {
	if b.options.Observer != nil {
		b.options.Observer.Consumed(r)
	}
}

func (b *Budget) refused(r capacity.Request, by capacity.Bound) {
	if b.options.Observer != nil {
		b.options.Observer.Refused(r, by)
	}
}
