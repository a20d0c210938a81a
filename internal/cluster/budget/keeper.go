package budget

import (
	"sync"
	"time"

	"stator/internal/model/capacity"
)

// Keeper keeps the budgets that nodes share. It knows none of the nodes, and holds nothing that may not be lost: a keeper that begins anew
// takes the word of whoever asks first for what had been saved.
type Keeper struct {
	now func() time.Duration

	mu      sync.Mutex // guards what follows
	budgets map[uint64]*shared
}

// shared is one payer's budget.
type shared [capacity.Kinds]struct {
	capacity.Bucket
	begun bool
}

// NewKeeper returns a keeper of no budgets. now is a clock that never jumps.
func NewKeeper(now func() time.Duration) *Keeper {
	return &Keeper{now: now, budgets: map[uint64]*shared{}}
}

// Give answers a node's asks by kind. Of a budget that has not what is wanted it gives half: the other half is for whoever asks next, or
// the node that happens to ask behind another would never find anything.
func (k *Keeper) Give(p capacity.Payer, asks [capacity.Kinds]Ask) (answers Answers) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept, ok := k.budgets[p.ID()]
	if !ok {
		kept = &shared{}
		k.budgets[p.ID()] = kept
	}
	now := k.now()
	for kind := range capacity.Kinds {
		bound, bucket, ask := p.Bound(kind), &kept[kind], &asks[kind]
		if !bucket.begun {
			bucket.Bucket, bucket.begun = capacity.NewBucket(bound, now), true
			if ask.Known {
				bucket.Charge(bound.PerSecond - ask.Saved)
			}
		}
		bucket.Charge(ask.Spent)
		level := bucket.Level(bound, now)
		given := min(ask.Wanted, max(0, level))
		if given < ask.Wanted {
			given /= 2
		}
		bucket.Charge(given)
		answers[kind] = Answer{Given: given, Saved: level - given}
	}
	return answers
}

// Keep ends the budgets of all payers but some.
func (k *Keeper) Keep(here func(id uint64) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id := range k.budgets {
		if !here(id) {
			delete(k.budgets, id)
		}
	}
}
