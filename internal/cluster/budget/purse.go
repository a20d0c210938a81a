package budget

import (
	"time"

	"stator/internal/model/capacity"
)

// How a node spends a budget that it shares with others.
const (
	// askEvery is how often a node asks for tokens of a budget that has not enough for all, askSoonest how soon it asks again
	// for those of one that has, askAtLeast how often it asks while it holds enough.
	askEvery   = 100 * time.Millisecond
	askSoonest = 10 * time.Millisecond
	askAtLeast = time.Second
	// holdFor is how long the tokens that a node holds may last at its present demand. It is what is lost with the node.
	holdFor = 500 * time.Millisecond
	// keepFor is how long its even share takes to bring what a node holds while nothing is asked for: whoever comes then finds something.
	keepFor = 100 * time.Millisecond
	// silentMax is how long a node waits for its keeper's word before it goes on by itself.
	silentMax = time.Second
	// shareOver is the time over which a node learns its share of a budget.
	shareOver = 5 * time.Second
	// demandLasts is how much of its former demand a node still expects after an askEvery in which there was less.
	demandLasts = 0.8
)

// Ask is what a node wants of one payer's shared budget.
type Ask struct {
	// Spent are tokens that it has spent and was never given; fewer than none are given back.
	Spent float64
	// Wanted are tokens that it would like to hold.
	Wanted float64
	// Saved is how much the budget had left when its keeper last said so; Known tells that it ever did. A keeper that has
	// just begun goes on from there.
	Saved float64
	Known bool
}

// Answer is what its keeper says.
type Answer struct {
	Given float64
	Saved float64
}

// purse is the tokens of a shared budget that a node holds, which it may spend without asking anybody. They live shortly: what it does
// not need it gives back, and what is lost with a node was no more than holdFor of its demand. While its keeper is silent a node goes on
// with the share that it had before.
//
// Invariant: over any time in which the keeper answers, what all nodes spent is at most what the keeper gave and what they owe, which each
// tells with its next ask.
type purse struct {
	held   float64       // below zero: what was let through cost more
	lent   float64       // of what was held, what the purse was begun with and the keeper does not know of
	demand float64       // units asked for since asked
	rate   float64       // expected demand a second
	share  float64       // units a second that the keeper gave lately
	even   float64       // units a second if all nodes had the same share
	asked  time.Duration // when it was last asked
	heard  time.Duration // when it last answered
	filled time.Duration // until when the purse has filled itself
	waits  time.Duration // since when it waits for an answer
	waited bool          // it does
	asking bool          // an ask is under way
	scarce bool          // the last answer was less than was wanted
	saved  float64
	known  bool
}

// newPurse begins with what the node's even share of the budget brings until the keeper can answer.
func newPurse(b capacity.Bound, nodes int, now time.Duration) purse {
	p := purse{even: b.PerSecond / float64(max(1, nodes)), asked: now - askEvery, heard: now, filled: now}
	p.held, p.lent = p.least(), p.least()
	return p
}

// take spends tokens, if any are held.
func (p *purse) take(b capacity.Bound, now time.Duration, units float64) bool {
	p.goOn(b, now)
	if p.demand += units; units == 0 {
		p.demand++ // it is not known yet what it costs
	}
	if p.held <= 0 {
		return false
	}
	p.held -= units
	return true
}

// charge spends more on what was let through.
func (p *purse) charge(units float64) {
	p.held -= units
	p.demand += max(0, units)
}

// forgive leaves a second's units at most to be made up for.
func (p *purse) forgive(b capacity.Bound) { p.held = max(p.held, -b.PerSecond) }

// goOn fills the purse by itself while the keeper is silent.
func (p *purse) goOn(b capacity.Bound, now time.Duration) {
	if !p.waited || now-p.waits <= silentMax {
		p.filled = now
		return
	}
	if since := min(now-p.filled, silentMax); since > 0 {
		rate := min(max(p.share, p.even), b.PerSecond)
		p.held = min(p.held+rate*since.Seconds(), max(p.held, rate))
	}
	p.filled = now
}

// due tells whether it is time to ask.
func (p *purse) due(now time.Duration) bool {
	since := now - p.asked
	switch {
	case p.asking || since < askSoonest:
		return false
	case p.low():
		return !p.scarce || since >= askEvery
	}
	return since >= askAtLeast && (p.demand > 0 || p.held > 2*p.least())
}

// least is what is held in any case.
func (p *purse) least() float64 { return p.even * keepFor.Seconds() }

// low tells whether what is held has been spent or soon will be.
func (p *purse) low() bool {
	return p.held < 0 || p.lent != 0 || p.demand > 0 && p.held <= p.rate*holdFor.Seconds()/3
}

// ask begins an ask.
func (p *purse) ask(now time.Duration) Ask {
	since := max(now-p.asked, askSoonest).Seconds()
	lasts := 1 - (1-demandLasts)*min(1, since/askEvery.Seconds())
	p.rate = max(p.demand/since, p.rate*lasts)
	if p.rate < 1e-3 {
		p.rate = 0
	}
	p.demand, p.asked, p.asking = 0, now, true
	if !p.waited {
		p.waited, p.waits = true, now
	}
	a := Ask{Spent: p.lent, Saved: p.saved, Known: p.known}
	hold := max(p.rate*holdFor.Seconds(), p.least())
	switch {
	case p.held < 0:
		a.Spent -= p.held
		a.Wanted = hold
	case p.held > 2*hold:
		a.Spent -= p.held - hold
		p.held = hold
	default:
		a.Wanted = hold - p.held
	}
	return a
}

// answered ends an ask that was answered.
func (p *purse) answered(a Ask, with Answer, now time.Duration) {
	p.asking, p.waited = false, false
	since := max(now-p.heard, askSoonest)
	weight := min(1, since.Seconds()/shareOver.Seconds())
	p.share += (max(0, with.Given+a.Spent-p.lent)/since.Seconds() - p.share) * weight
	p.held += with.Given + max(0, a.Spent-p.lent)
	p.lent = 0
	p.heard, p.filled = now, now
	p.scarce = with.Given < a.Wanted
	p.saved, p.known = with.Saved, true
}

// unanswered ends an ask that found no keeper. What was to be given back is lost.
func (p *purse) unanswered() { p.asking = false }
