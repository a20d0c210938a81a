// Package expire deletes items whose time to live has ended. It does not look at items to find them: each partition keeps an
// index by second, which the package also completes where it is not whole.
package expire

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// deletesPerStepMax bounds the items of one step, over all partitions.
const deletesPerStepMax = 256

// againSeconds is how long an item that could not be deleted is left alone.
const againSeconds = 1

// Host keeps the replicas of this node.
type Host interface {
	// Led finds a replica that leads its partition.
	Led(partition uint64) (*replica.Replica, bool)
}

// Job is the deletion of expired items.
type Job struct {
	Host      Host
	Schedule  *Schedule
	Wait      replica.Wait
	NowMillis func() int64
	// Deleted is told how many items of a table have gone.
	Deleted func(tableID uint64, items int)
}

// visit is the look at one partition in a step.
type visit struct {
	place   place
	replica *replica.Replica
	table   uint64
	due     []replica.Due
	// next is the entry after those of due, at second 0 for none; building that the index is not whole.
	next     replica.Due
	building bool
	results  []command.Result
	errs     []error
}

// Step deletes what is due, at most deletesPerStepMax items, and moves the rebuilding of indexes by readsPerStepMax items.
// It looks only at partitions whose moment has come. more tells that another step would find work at once.
//
// The deletions of all partitions are asked for together, so that they share batches and syncs.
func (j *Job) Step(ctx context.Context) (more bool, err error) {
	now := uint64(max(0, j.NowMillis()/1000))
	var visits []*visit
	var failed []error
	for left := deletesPerStepMax; left > 0; {
		p, ok := j.Schedule.take(now)
		if !ok {
			break
		}
		v, err := j.look(p, left)
		if err != nil {
			failed = append(failed, err)
			j.again(p, now)
			continue
		}
		if v == nil {
			continue
		}
		left -= len(v.due)
		visits = append(visits, v)
	}
	if err := j.delete(ctx, visits); err != nil {
		return false, err
	}
	reads := readsPerStepMax
	for _, v := range visits {
		next, err := j.conclude(v, now)
		if v.building {
			var building error
			if next, building = j.build(ctx, v, next, &reads); err == nil {
				err = building
			}
		}
		if next.at != never {
			j.Schedule.put(next)
		}
		failed = append(failed, err)
	}
	return j.Schedule.due(now), errors.Join(failed...)
}

// look finds what is due in a partition; nil for one that is not led here, or whose items do not expire.
func (j *Job) look(p place, limit int) (*visit, error) {
	r, ok := j.Host.Led(p.partition)
	if !ok {
		return nil, nil
	}
	state := r.State()
	if state.Table == nil || state.Table.TimeToLive == "" || state.Table.State == table.Deleting {
		return nil, nil
	}
	first, last := table.Expired(j.NowMillis())
	if p.from.Second < first {
		p.from = replica.Due{Second: first}
	}
	due, next, err := r.Due(p.from, last, limit)
	if err != nil {
		return nil, err
	}
	return &visit{place: p, replica: r, table: state.Table.ID, due: due, next: next, building: state.Expiry != nil}, nil
}

// delete asks for the deletion of all that was found, and waits until all is answered.
func (j *Job) delete(ctx context.Context, visits []*visit) error {
	var waits []chan struct{}
	for _, v := range visits {
		state := v.replica.State()
		v.results, v.errs = make([]command.Result, len(v.due)), make([]error, len(v.due))
		for i, due := range v.due {
			done := make(chan struct{})
			waits = append(waits, done)
			v.replica.Write(&command.Command{
				Action: command.Expire, Table: v.table, TableVersion: state.Table.Version,
				Generation: state.Descriptor.Generation, Key: due.Key, Second: due.Second,
			}, func(result command.Result, err error) {
				v.results[i], v.errs[i] = result, err
				close(done)
			})
		}
	}
	for _, done := range waits {
		if err := j.Wait(ctx, done); err != nil {
			return err
		}
	}
	return nil
}

// conclude counts what has gone, and finds the partition's next moment.
func (j *Job) conclude(v *visit, now uint64) (next place, failed error) {
	next = place{partition: v.place.partition, from: replica.Due{Second: never}, at: never}
	if v.next.Second > 0 {
		next.from, next.at = v.next, v.next.Second
	}
	deleted := 0
	for i := range v.due {
		switch {
		case v.errs[i] == nil && v.results[i].Refusal == command.Accepted:
			if len(v.results[i].Before) > 0 {
				deleted++
			}
			continue
		case failed == nil && !passing(v.errs[i]):
			failed = fmt.Errorf("deleting expired items of partition %d: %w", v.place.partition, v.errs[i])
		}
		if before(v.due[i], next.from) {
			next.from, next.at = v.due[i], now+againSeconds
		}
	}
	if deleted > 0 {
		j.Deleted(v.table, deleted)
	}
	return next, failed
}

// again puts a partition back as it was, for later.
func (j *Job) again(p place, now uint64) {
	p.at = now + againSeconds
	j.Schedule.put(p)
}

// passing tells whether what kept an item from being deleted passes by itself: a refusal, which is no error, or a
// partition that changed under the step or has no leader here. Whoever leads it adds it to a schedule.
func passing(err error) bool {
	var route *command.StaleRoute
	var version *command.StaleTable
	var leader *command.NotLeader
	var rejected *command.Rejected
	return err == nil || errors.As(err, &route) || errors.As(err, &version) || errors.As(err, &leader) || errors.As(err, &rejected)
}
