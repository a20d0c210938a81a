// Package scale sets the provisioned units of tables and global indexes as their scaling policies and scheduled actions want them. It does
// not know how consumption is counted, nor how a table is changed.
package scale

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"stator/internal/model/api"
	"stator/internal/model/scaling"
	"stator/internal/model/table"
)

// Catalog knows what is scaled.
type Catalog interface {
	Table(name string) (*table.Table, bool)
	ScalingTargets() []*scaling.Target
	UpdateScalingTarget(ctx context.Context, id scaling.ID, change func(*scaling.Target) (*scaling.Target, error)) error
}

// Meter tells what was consumed.
type Meter interface {
	// Consumed are the units that tables and global indexes, by their ids, consumed in each of so many whole minutes before a moment. One
	// that is not there consumed nothing; nil says that nobody counts.
	Consumed(ctx context.Context, before time.Time, minutes int) (map[uint64]Consumption, error)
}

// Consumption is what a table or index consumed, minute by minute, the newest last.
type Consumption struct {
	Read, Write []float64
}

// Tables changes tables as a client would.
type Tables interface {
	// Provision sets units of a table, under "", and of its global indexes. Its errors of the API are told to whoever asks for activities.
	Provision(ctx context.Context, t *table.Table, units map[string]table.Throughput) error
}

// Job is the scaling of everything that is registered. It belongs to whoever leads the catalog's partition.
type Job struct {
	Catalog Catalog
	Meter   Meter
	Tables  Tables
	Now     func() time.Time
	// judged is the minute in which consumption was looked at last.
	judged int64
}

// Step does what is due by now, and once a minute what consumption asks for. It may run at any time and twice: what is remembered between
// steps only spares work.
func (j *Job) Step(ctx context.Context) error {
	failed := []error{j.schedule(ctx)}
	seen, err := j.look(ctx)
	failed = append(failed, err)
	targets := j.Catalog.ScalingTargets()
	for len(targets) > 0 {
		n := 1
		for n < len(targets) && targets[n].Table == targets[0].Table {
			n++
		}
		if err := j.table(ctx, targets[:n], seen); err != nil {
			failed = append(failed, fmt.Errorf("scaling table %s: %w", targets[0].Table, err))
		}
		targets = targets[n:]
	}
	return errors.Join(failed...)
}

// look reads the meter in a new minute. Without an answer the minute is let pass: there is another one soon.
func (j *Job) look(ctx context.Context) (seen, error) {
	now := j.Now()
	minute := now.Unix() / 60
	if minute == j.judged || len(j.Catalog.ScalingTargets()) == 0 {
		return seen{}, nil
	}
	j.judged = minute
	until := now.Truncate(time.Minute)
	consumed, err := j.Meter.Consumed(ctx, until, scaling.MinutesMax)
	if err != nil {
		return seen{}, fmt.Errorf("reading what was consumed: %w", err)
	}
	return seen{until: until, consumed: consumed}, nil
}

// seen is what the meter said.
type seen struct {
	until    time.Time
	consumed map[uint64]Consumption // nil: nothing
}

// of are the units that something consumed since it was made.
func (s seen) of(id uint64, madeMillis int64, write bool) []float64 {
	if s.consumed == nil {
		return nil
	}
	minutes := s.consumed[id].Read
	if write {
		minutes = s.consumed[id].Write
	}
	if minutes == nil {
		minutes = make([]float64, scaling.MinutesMax)
	}
	age := int(s.until.Sub(time.UnixMilli(madeMillis)) / time.Minute)
	return minutes[max(0, len(minutes)-max(0, age)):]
}

// schedule does the scheduled actions that are due.
func (j *Job) schedule(ctx context.Context) error {
	now := j.Now()
	var failed []error
	for _, t := range j.Catalog.ScalingTargets() {
		if t.Scheduled(now) == t {
			continue
		}
		failed = append(failed, j.update(ctx, t, func(t *scaling.Target) *scaling.Target { return t.Scheduled(now) }))
	}
	return errors.Join(failed...)
}

// update changes a target, unless it is gone or another one by now.
func (j *Job) update(ctx context.Context, known *scaling.Target, change func(*scaling.Target) *scaling.Target) error {
	err := j.Catalog.UpdateScalingTarget(ctx, known.ID, func(t *scaling.Target) (*scaling.Target, error) {
		if t == nil || t.Key != known.Key {
			return t, nil
		}
		return change(t), nil
	})
	if err != nil {
		return fmt.Errorf("writing what was scaled of %s: %w", known.Resource(), err)
	}
	return nil
}

// table brings one table and its indexes to the units that their targets want, in one change.
func (j *Job) table(ctx context.Context, targets []*scaling.Target, s seen) error {
	t, ok := j.Catalog.Table(targets[0].Table)
	if !ok || t.Billing != table.Provisioned || t.State != table.Active {
		return nil // there is nothing to set, or not now
	}
	wanted := map[string]table.Throughput{}
	var decided []decision
	for _, target := range targets {
		p, ok := provisionedOf(t, target.Index)
		if !ok {
			continue
		}
		d := target.Decide(scaling.Facts{Now: j.Now(), Throughput: p.units, Consumed: s.of(p.id, p.madeMillis, target.Write)})
		if d.Units == d.From && !target.Rebound {
			continue
		}
		decided = append(decided, decision{target, d})
		if d.Units == d.From || d.Refused != "" {
			continue
		}
		units, ok := wanted[target.Index]
		if !ok {
			units = p.units
		}
		wanted[target.Index] = units.With(target.Write, d.Units)
	}
	if len(decided) == 0 {
		return nil
	}
	failure, err := j.provision(ctx, t, wanted)
	if err != nil {
		return err
	}
	return j.record(ctx, decided, failure)
}

// decision is what was decided of a target.
type decision struct {
	target *scaling.Target
	scaling.Decision
}

// provision sets units, and tells why it was refused.
func (j *Job) provision(ctx context.Context, t *table.Table, wanted map[string]table.Throughput) (failure string, err error) {
	if len(wanted) == 0 {
		return "", nil
	}
	err = j.Tables.Provision(ctx, t, wanted)
	if refused, ok := errors.AsType[*api.Error](err); ok {
		return refused.Message, nil
	}
	return "", err
}

// record writes down what came of decisions.
func (j *Job) record(ctx context.Context, decided []decision, failure string) error {
	now := j.Now()
	var failed []error
	for _, d := range decided {
		failed = append(failed, j.update(ctx, d.target, func(t *scaling.Target) *scaling.Target {
			if d.Units == d.From {
				return t.Bounded(d.Units)
			}
			return t.Done(d.Decision, now, cmp.Or(d.Refused, failure))
		}))
	}
	return errors.Join(failed...)
}

// provisioned is a table or an index with its units.
type provisioned struct {
	id         uint64
	madeMillis int64
	units      table.Throughput
}

// provisionedOf finds a table, or an index of it that can be changed now.
func provisionedOf(t *table.Table, index string) (provisioned, bool) {
	if index == "" {
		return provisioned{t.ID, t.CreatedMillis, t.Throughput}, true
	}
	ix, ok := t.GlobalIndex(index)
	if !ok || ix.Status != table.IndexActive {
		return provisioned{}, false
	}
	return provisioned{ix.ID, max(ix.CreatedMillis, t.CreatedMillis), ix.Throughput}, true
}
