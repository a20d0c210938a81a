package router

import (
	"context"
	"errors"
	"slices"
	"sync"

	"stator/internal/base/trace"
	"stator/internal/partition/command"
)

// Key is one of the keys that a Spread concerns.
type Key struct {
	Table, TableVersion uint64
	Suffix              []byte
}

// Spread is a wish that concerns several keys: each partition that holds some of them is sent one command about those.
type Spread struct {
	Keys []Key
	// At are the places, ascending, of the keys that are to be brought; nil is all.
	At []int
	// Make makes the command about the keys at some places, which one partition holds. It is called again for keys whose
	// partition refused them because it was split meanwhile. What it fails with is the answer.
	Make func(at []int) (*command.Command, error)
	// Serial has every command answered before the next one is made.
	Serial bool
}

// Share is what came of one command of a Spread.
type Share struct {
	At     []int
	Result command.Result
	Err    error
}

// Spread brings a wish to all partitions side by side. Only what certainly did not happen is tried again. A share's table is
// gone, ErrNoTable, only by a map that is as young as the call: what a transaction did to it is taken for lost then.
func (r *Router) Spread(ctx context.Context, s Spread) []Share {
	ctx, routing := trace.Begin(ctx, trace.Routing)
	defer routing.End(nil)
	at := s.At
	if at == nil {
		at = places(len(s.Keys))
	}
	var ended []Share
	asked := false
	left, err := r.insist(ctx, at, func(ctx context.Context, at []int, t turn) (left []int, known bool) {
		parcels := r.parcels(ctx, &s, at, t.n)
		r.send(ctx, &s, parcels)
		asked = asked || r.doubt(ctx, &s, parcels)
		known = true
		for i := range parcels {
			p := &parcels[i]
			if !t.last && again(p.Err, s.Keys[p.At[0]].TableVersion) {
				left = append(left, p.At...)
				known = known && hinted(p.Err)
			} else {
				ended = append(ended, p.Share)
			}
		}
		slices.Sort(left)
		return left, known
	})
	if len(left) > 0 {
		ended = append(ended, Share{At: left, Err: &command.Rejected{Cause: err}})
	}
	return ended
}

var errUnknown = errors.New("the table is not known here, nor whether it is anywhere")

// doubt has the parcels tried again whose table the map does not have, as it may have been made a moment ago, and brings the map up to date
// meanwhile. It tells whether it did.
func (r *Router) doubt(ctx context.Context, s *Spread, parcels []parcel) (asked bool) {
	var failed error
	for i := range parcels {
		p := &parcels[i]
		if !errors.Is(p.Err, ErrNoTable) {
			continue
		}
		if !asked {
			asked = true
			_, failed = r.options.Map.Splitting(ctx, s.Keys[p.At[0]].Table)
		}
		p.Err = &command.Rejected{Cause: errors.Join(errUnknown, failed)}
	}
	return asked && failed == nil
}

// places are those of n keys or commands.
func places(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// parcel is one command of a Spread under way.
type parcel struct {
	Share
	aim
}

// parcels are the commands of a Spread about the keys at some places, none of them made yet.
func (r *Router) parcels(ctx context.Context, s *Spread, at []int, n int) []parcel {
	packs := r.packs(ctx, at, n, func(i int) (uint64, []byte) { return s.Keys[i].Table, s.Keys[i].Suffix })
	parcels := make([]parcel, len(packs))
	for i, p := range packs {
		parcels[i] = parcel{Share: Share{At: p.at, Err: p.err}, aim: p.aim}
	}
	return parcels
}

// send has the partitions answer.
func (r *Router) send(ctx context.Context, s *Spread, parcels []parcel) {
	if s.Serial || len(parcels) == 1 {
		for i := range parcels {
			r.sendOne(ctx, s, &parcels[i])
		}
	} else {
		r.sendAll(ctx, s, parcels)
	}
	for i := range parcels {
		r.answered(ctx, parcels[i].aim, true, parcels[i].Err)
	}
}

// queue is a copy here, in whose queue commands wait without anybody waiting for them.
type queue interface {
	Write(c *command.Command, done func(command.Result, error))
	WriteAll(commands []*command.Command, done func(i int, result command.Result, err error))
}

// sendAll has all commands under way at once.
func (r *Router) sendAll(ctx context.Context, s *Spread, parcels []parcel) {
	replies := newReplies(len(parcels))
	commands := make([]*command.Command, len(parcels))
	for i := range parcels {
		p := &parcels[i]
		if p.Err == nil {
			commands[i], p.Err = s.Make(p.At)
		}
		if p.Err != nil {
			replies.take(i, command.Result{}, p.Err)
		} else if here, ok := p.Target.(queue); ok {
			_, reading := trace.Begin(ctx, trace.StorageRead)
			here.Write(commands[i], func(result command.Result, err error) { replies.take(i, result, err) })
			reading.End(nil)
			commands[i] = nil
		}
	}
	r.sideBySide(len(parcels), func(int) bool { return true }, func(i int) {
		if p := &parcels[i]; p.Err == nil && commands[i] != nil {
			result, err := p.WriteAndWait(ctx, r.options.Wait, commands[i])
			replies.take(i, result, err)
		}
	})
	failed := r.wait(ctx, replies)
	for i := range parcels {
		parcels[i].Result, parcels[i].Err = replies.of(i, failed)
	}
}

func (r *Router) sendOne(ctx context.Context, s *Spread, p *parcel) {
	if p.Err != nil {
		return
	}
	c, err := s.Make(p.At)
	if err != nil {
		p.Err = err
		return
	}
	p.Result, p.Err = p.WriteAndWait(ctx, r.options.Wait, c)
}

// replies gathers the answers to commands that are under way together. One may come after nobody waits any more.
type replies struct {
	all chan struct{} // closed once every reply is there

	mu   sync.Mutex // guards the rest
	list []reply
	left int
}

type reply struct {
	there  bool
	result command.Result
	err    error
}

func newReplies(n int) *replies {
	return &replies{all: make(chan struct{}), list: make([]reply, n), left: n}
}

// wait waits for the answers of copies here, which come once what they show is agreed and durable.
func (r *Router) wait(ctx context.Context, gathered *replies) error {
	_, replication := trace.Begin(ctx, trace.Replication)
	err := r.options.Wait(ctx, gathered.all)
	replication.End(err)
	return err
}

func (r *replies) take(i int, result command.Result, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list[i] = reply{there: true, result: result, err: err}
	if r.left--; r.left == 0 {
		close(r.all)
	}
}

// of is a reply, or, when the wait for it failed, that nobody knows.
func (r *replies) of(i int, failed error) (command.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.list[i].there {
		return command.Result{}, &command.Ambiguous{Cause: failed}
	}
	return r.list[i].result, r.list[i].err
}
