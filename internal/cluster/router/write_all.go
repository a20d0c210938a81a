package router

import (
	"context"
	"slices"

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

// pack is what one partition is brought: some of the commands, by their places.
type pack struct {
	aim
	err error
	at  []int
}

// packs cuts commands by partition, in the order in which they first name one.
func (r *Router) packs(commands []*command.Command, n int) []pack {
	var all []pack
	for i, c := range commands {
		p, err := r.locate(c.Table, c.Key)
		if err != nil {
			all = append(all, pack{err: err, at: []int{i}})
			continue
		}
		same := slices.IndexFunc(all, func(b pack) bool { return b.partition == p.ID })
		if same < 0 {
			same = len(all)
			to, err := r.aim(p, true, n)
			to.partition = p.ID
			all = append(all, pack{aim: to, err: err})
		}
		all[same].at = append(all[same].at, i)
	}
	return all
}

// writeEach has all commands under way at once: those of a partition that is led here in one piece.
func (r *Router) writeEach(ctx context.Context, commands []*command.Command, n int) []Reply {
	gathered := newReplies(len(commands))
	packs := r.packs(commands, n)
	var far []func()
	for i := range packs {
		b := &packs[i]
		here, ok := b.Target.(queue)
		switch {
		case b.err != nil:
			b.fail(gathered)
		case ok:
			b.queue(here, commands, gathered)
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
	failed := r.options.Wait(ctx, gathered.all)
	replies := make([]Reply, len(commands))
	for i := range packs {
		b := &packs[i]
		for _, place := range b.at {
			replies[place].Result, replies[place].Err = gathered.of(place, failed)
			r.learn(b.aim, true, replies[place].Err)
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
