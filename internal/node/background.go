package node

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"stator/internal/base/limiter"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// How often what is not asked for by an event is looked at.
const (
	controlEvery     = time.Second
	spaceEvery       = 2 * time.Second
	trimEvery        = 30 * time.Second
	settleEvery      = time.Second
	scaleEvery       = time.Second
	expireEvery      = 250 * time.Millisecond
	splitEvery       = 2 * time.Second
	heatEvery        = 2 * time.Second
	warmEvery        = 30 * time.Second
	feedRest         = 100 * time.Millisecond
	relaxedSyncEvery = 100 * time.Millisecond
	// leisureMin and leisureMax bound the pause between two steps of work that others do not wait for. With expire's bound on
	// a step, at most some 5,000 items a second go.
	leisureMin = 50 * time.Millisecond
	leisureMax = 250 * time.Millisecond
	// retryAfter is the wait after a job's failure.
	retryAfter = 200 * time.Millisecond
)

// catalogLogBytesMax is how much of the catalog's change log is kept for followers that lag.
const catalogLogBytesMax = 4 << 20

// signal asks a goroutine for a step; several asks before the step are one.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) raise() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// taken takes the ask back, and tells whether there was one.
func (s signal) taken() bool {
	select {
	case <-s:
		return true
	default:
		return false
	}
}

// crew is goroutines that end together.
type crew struct {
	ctx     context.Context
	end     context.CancelFunc
	running sync.WaitGroup
}

// newCrew returns a crew that outlives ctx.
func newCrew(ctx context.Context) *crew {
	c := &crew{}
	c.ctx, c.end = context.WithCancel(context.WithoutCancel(ctx))
	return c
}

func (c *crew) run(f func(ctx context.Context)) { c.running.Go(func() { f(c.ctx) }) }

// stop ends what runs, and waits for it.
func (c *crew) stop() {
	c.end()
	c.running.Wait()
}

func (n *Node) startCore() {
	n.executors.lent = true
	for range executorCount() {
		n.core.run(n.executors.run)
	}
	n.core.run(func(ctx context.Context) { drain(ctx, n.committing, n.commit) })
	if n.cluster != nil {
		n.cluster.start()
	}
}

func (n *Node) startJobs() {
	for _, d := range n.duties() {
		n.work.run(func(ctx context.Context) { n.loop(ctx, d) })
	}
}

// duties are what goes on behind requests.
func (n *Node) duties() []duty {
	all := []duty{
		{"tables", n.controlling, controlEvery, n.control},
		{"backfill", n.filling, controlEvery, n.fill},
		{"catalog", n.following, controlEvery, n.follow},
		{"disk", newSignal(), spaceEvery, func(context.Context) error { return n.engine.Space().Check() }},
		{"expire", newSignal(), expireEvery, n.expire},
		{"split", newSignal(), splitEvery, n.split},
		{"scale", newSignal(), scaleEvery, n.scale},
		{"settle", n.unlocking, settleEvery, n.jobs.settle.Step},
		{"trim", newSignal(), trimEvery, n.jobs.trim.Step},
	}
	if n.options.Durability == Relaxed && !n.options.InMemory {
		all = append(all, duty{"sync", newSignal(), relaxedSyncEvery, func(context.Context) error { return n.engine.Sync() }})
	}
	if n.budget != nil {
		all = append(all,
			duty{"meter", newSignal(), meterEvery, n.count},
			duty{"heat", newSignal(), heatEvery, n.cool},
			duty{"warm", newSignal(), warmEvery, n.warm},
		)
	}
	for range feedWorkers {
		all = append(all, duty{"feed", n.feeds.some, controlEvery, n.feed})
	}
	if c := n.cluster; c != nil {
		all = append(all,
			duty{"map", newSignal(), watchEvery, c.watch},
			duty{"nodes", c.meeting, meetEvery, c.meet},
			duty{"pulse", newSignal(), pulseEvery, c.pulse},
			duty{"rebalance", newSignal(), rebalanceEvery, c.rebalance},
			duty{"retire", c.leaving, retireEvery, c.retiring.Step},
		)
		if n.budget != nil {
			all = append(all, duty{"tokens", c.spending, tokensEvery, c.tokens})
		}
	}
	return all
}

// turnsMax is how often a commit lets others go first.
const turnsMax = 4

// commit makes what waits durable, once all who are about to bring more, as far as they can run now, have done so: each sync
// costs a tenth of a millisecond of a core, and two who share one wait less than one behind the other.
func (n *Node) commit() bool {
	if !n.options.synced() {
		return n.committer.Drain()
	}
	waiting := -1
	for range turnsMax {
		now := n.committer.Waiting()
		if now == waiting {
			break
		}
		waiting = now
		runtime.Gosched()
	}
	n.committer.Step()
	return n.committer.Settle()
}

// broughtMax is how many commits in a row are made by whoever brought something for the first.
const broughtMax = 4

// brought asks for a commit. One that waits for no disk is made by whoever brought something for it, and who does not go on
// for others for ever.
func (n *Node) brought() {
	if n.options.synced() || !n.executors.lent {
		n.committing.raise()
		return
	}
	for range broughtMax {
		if !n.committer.Drain() {
			return
		}
	}
	n.committing.raise()
}

// drain steps for as long as there is something to do, whenever it is asked.
func drain(ctx context.Context, asked signal, step func() bool) {
	for {
		select {
		case <-asked:
			for step() {
				continue
			}
		case <-ctx.Done():
			return
		}
	}
}

// duty is a step that a goroutine makes when asked, and every so often.
type duty struct {
	name  string
	asked signal
	every time.Duration
	step  func(context.Context) error
}

// loop runs step when asked and every so often. What fails is tried again.
func (n *Node) loop(ctx context.Context, d duty) {
	ticker := time.NewTicker(d.every)
	defer ticker.Stop()
	var failing limiter.Seldom
	for {
		select {
		case <-d.asked:
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if err := d.step(ctx); err != nil && ctx.Err() == nil {
			n.complain(&failing, slog.LevelError, "background work failed and will be tried again", "job", d.name, "error", err)
			if pause(ctx, retryAfter) == nil {
				d.asked.raise()
			}
		}
	}
}

// control brings tables to the state the catalog wants. One work that fails does not keep the others from theirs.
func (n *Node) control(ctx context.Context) error {
	adopted := n.jobs.adopt.Step(ctx)
	dropped := n.jobs.drop.Step(ctx)
	orphaned := n.jobs.drop.Orphans(ctx)
	n.filling.raise()
	n.forget()
	if n.cluster == nil {
		return errors.Join(adopted, dropped, orphaned)
	}
	return errors.Join(adopted, dropped, orphaned, n.jobs.split.Reconcile(ctx))
}

func (n *Node) fill(ctx context.Context) error {
	for {
		more, err := n.jobs.backfill.Step(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// expire deletes what has expired, and completes indexes of expiry.
func (n *Node) expire(ctx context.Context) error { return n.leisurely(ctx, n.jobs.expire.Step) }

// split cuts the partitions that have grown too large.
func (n *Node) split(ctx context.Context) error { return n.leisurely(ctx, n.jobs.split.Step) }

// leisurely steps for as long as there is something to do. It pauses for as long as its last step took, so that it has half
// of a busy machine at most: where clients' requests wait, its own work waits with them, and it slows down.
func (n *Node) leisurely(ctx context.Context, step func(context.Context) (more bool, err error)) error {
	for {
		began := n.options.Clock.Now()
		more, err := step(ctx)
		if err != nil || !more {
			return err
		}
		// A clock that jumped says nothing of how long the step took.
		took := min(n.options.Clock.Now().Sub(began), leisureMax)
		if err := n.options.Pause(ctx, max(leisureMin, took)); err != nil {
			return nil // the node is closing
		}
	}
}

// expects tells the schedule of expiry that a partition has something to do at a second, 0 being now.
func (n *Node) expects(state machine.Part, second uint64) {
	if state.Table != nil && state.Table.TimeToLive != "" {
		n.expiries.Add(state.Descriptor.Partition, second)
	}
}

func (n *Node) logBackfill(tableName, indexName string, items int64) {
	n.options.Log.Debug("filling index", "table", tableName, "index", indexName, "items", items)
}

// follow keeps the catalog current, and its change log short.
func (n *Node) follow(ctx context.Context) error {
	system, here := n.host.Replica(machine.CatalogPartition)
	if !here {
		return n.catalog.Follow(ctx)
	}
	// Only what was there before the following is trimmed, so that the catalog never loses its own place.
	state := system.State()
	if err := n.catalog.Follow(ctx); err != nil {
		return err
	}
	if leads, _ := system.Leads(); !leads || state.Applied.LogBytes < catalogLogBytesMax {
		return nil
	}
	_, err := system.WriteAndWait(ctx, n.options.Wait, &command.Command{
		Action: command.Consume, Consumer: command.CatalogConsumer, Sequence: state.Applied.Sequence,
	})
	return err
}

// performed is told of every batch that became visible.
func (n *Node) performed(b machine.Batch, state machine.Part) {
	if b.Due > 0 || b.Kind == machine.Adopts {
		n.expects(state, b.Due)
	}
	if b.Changes == 0 {
		return
	}
	if state.Descriptor.Partition == machine.CatalogPartition {
		n.following.raise()
		return
	}
	if state.Indexed() {
		n.feeds.add(state.Descriptor.Partition)
	}
}

// BrokenCopies is how many of this node's copies of partitions are out of service because they were found damaged.
func (n *Node) BrokenCopies() int64 { return n.damaged.count() }

// broken is told that a copy is quarantined. Where others keep copies, it takes no part in what they agree on any more: as a
// leader that answers nobody it would keep them from leading. Nor does it answer what any copy may: where its group found it to be broken,
// what it holds is from then on for ever old, if not wrong.
func (n *Node) broken(partition uint64, err error) {
	n.options.Log.Error("a partition's copy is broken and out of service", "partition", partition, "error", err)
	found := damage{since: n.steady()}
	if n.cluster == nil {
		n.damaged.add(partition, found)
	} else if g, ok := n.cluster.group(partition); ok {
		found.replica = g.Status().Replica
		n.damaged.add(partition, found)
		n.cluster.groups.Stop(partition)
	}
	if r, ok := n.host.Replica(partition); ok {
		r.Stop()
	}
	if n.options.Broken != nil {
		n.options.Broken(partition, err)
	}
}
