package router

import (
	"context"

	"stator/internal/base/trace"
	"stator/internal/partition/command"
)

// Reply is what became of one of several commands.
type Reply struct {
	Result command.Result
	Err    error
}

// WriteAll brings commands to the partitions of their keys, those of one partition together, and answers each on its own.
// Only what certainly did not happen is tried again.
func (r *Router) WriteAll(ctx context.Context, commands []*command.Command) []Reply {
	ctx, routing := trace.Begin(ctx, trace.Routing)
	defer routing.End(nil)
	ended := make([]Reply, len(commands))
	left, err := r.insist(ctx, places(len(commands)), func(ctx context.Context, at []int, t turn) (left []int, known bool) {
		now := make([]*command.Command, len(at))
		for i, place := range at {
			now[i] = commands[place]
		}
		known = true
		for i, reply := range r.writeEach(ctx, now, t.n) {
			ended[at[i]] = reply
			if !t.last && again(reply.Err, now[i].TableVersion) {
				left = append(left, at[i])
				known = known && hinted(reply.Err)
			}
		}
		return left, known
	})
	for _, i := range left {
		ended[i] = Reply{Err: &command.Rejected{Cause: err}}
	}
	return ended
}

// writeEach has all commands under way at once: those of a partition that is led here in one piece.
func (r *Router) writeEach(ctx context.Context, commands []*command.Command, n int) []Reply {
	gathered := newReplies(len(commands))
	packs := r.packs(ctx, places(len(commands)), n, func(i int) (uint64, []byte) { return commands[i].Table, commands[i].Key })
	var far []func()
	for i := range packs {
		b := &packs[i]
		here, ok := b.Target.(queue)
		switch {
		case b.err != nil:
			b.fail(gathered)
		case ok:
			_, reading := trace.Begin(ctx, trace.StorageRead)
			b.queue(here, commands, gathered)
			reading.End(nil)
		default:
			for _, place := range b.at {
				far = append(far, func() {
					result, err := b.WriteAndWait(ctx, r.options.Wait, commands[place])
					gathered.take(place, result, err)
				})
			}
		}
	}
	r.sideBySide(len(far), func(int) bool { return true }, func(i int) { far[i]() })
	failed := r.wait(ctx, gathered)
	replies := make([]Reply, len(commands))
	for i := range packs {
		b := &packs[i]
		for _, place := range b.at {
			replies[place].Result, replies[place].Err = gathered.of(place, failed)
			r.answered(ctx, b.aim, true, replies[place].Err)
		}
	}
	return replies
}

// fail answers a pack for which there is no copy.
func (b *pack) fail(gathered *replies) {
	for _, place := range b.at {
		gathered.take(place, command.Result{}, b.err)
	}
}

// queue has the commands of a pack wait at a copy here.
func (b *pack) queue(here queue, commands []*command.Command, gathered *replies) {
	own := make([]*command.Command, len(b.at))
	for i, place := range b.at {
		own[i] = commands[place]
	}
	here.WriteAll(own, func(i int, result command.Result, err error) { gathered.take(b.at[i], result, err) })
}
