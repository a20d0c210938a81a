// Package rebalance walks a cluster towards the layout that placement wants, one safe step at a time. It does not decide
// what comes next, and remembers nothing that the partitions could not tell it again.
package rebalance

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"stator/internal/base/limiter"
	"stator/internal/cluster/catalog"
	"stator/internal/cluster/placement"
	"stator/internal/partition/command"
)

// Cluster is what the job sees of the nodes and does to their partitions.
type Cluster interface {
	// Reports are what those nodes say of themselves that answer within a moment.
	Reports(ctx context.Context) []Report
	// Silent is for how long nothing was heard of a node; very long if nothing ever was.
	Silent(node uint64) time.Duration
	// Order brings an order to the leader of a partition.
	Order(ctx context.Context, p *catalog.Partition, o command.Order) (uint64, error)
}

// Bounds of a step.
const (
	// orderMax ends an order that is not answered: the next plan sees whether it was performed.
	orderMax = 3 * time.Second
	// recentMax bounds the steps that operators are shown.
	recentMax = 16
)

// Job is the walk. It is made where partition 1 is led, and forgets what it saw when that ends.
type Job struct {
	Catalog *catalog.Catalog
	Cluster Cluster
	// Now is a clock that never jumps, Within bounds what is waited for by it.
	Now    func() time.Duration
	Within func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	// Rules are what the layout shall be like; the number of replicas is the catalog's to say.
	Rules placement.Rules
	Log   *slog.Logger

	// unmade are steps that fail: one that does for an hour is planned again every two seconds.
	unmade limiter.Seldom

	mu     sync.Mutex // guards what follows
	leads  bool
	since  time.Duration // when the job began to lead
	seen   *sight        // nil before the first look
	recent []Done
}

// Done is a step that was made.
type Done struct {
	At   time.Duration
	Text string
}

// Rest is the step of a node that does not lead partition 1: what it saw as its leader is old.
func (j *Job) Rest() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.leads, j.seen, j.recent = false, nil, nil
}

// Step looks at the cluster, and does what is next. It may run at any time and twice.
func (j *Job) Step(ctx context.Context) error {
	j.begin()
	s := j.look(ctx)
	failed := j.wish(ctx, s)
	s.plan = placement.Next(s.facts, s.rules)
	j.mu.Lock()
	j.seen = s
	j.mu.Unlock()
	failed = errors.Join(failed, j.enter(ctx, s), j.dismiss(ctx, s))
	for _, step := range s.plan.Steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		j.perform(ctx, s, step)
	}
	return failed
}

func (j *Job) begin() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.leads {
		j.leads, j.since = true, j.Now()
	}
}
