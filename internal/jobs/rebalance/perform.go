package rebalance

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/placement"
	"stator/internal/partition/command"
)

// perform makes a step. One that fails is not made again: the next plan is made of what is there then.
func (j *Job) perform(ctx context.Context, s *sight, step placement.Step) {
	p := &s.places[s.index[step.Partition]]
	ctx, cancel := j.Within(ctx, orderMax)
	defer cancel()
	err := j.order(ctx, p, step)
	switch {
	case err == nil:
		j.Log.Info("rebalancing", "step", step.String())
		j.made(step)
	case passing(err):
		j.Log.Debug("a step was not made", "step", step.String(), "error", err)
	default:
		if told, untold := j.unmade.May(j.Now()); told {
			j.Log.Warn("a step was not made and will be planned again", "step", step.String(), "error", err, "untold_before", untold)
		}
	}
}

// passing tells whether a step came too late or too early, as happens.
func passing(err error) bool {
	_, stale := errors.AsType[*command.StaleRoute](err)
	_, moved := errors.AsType[*command.NotLeader](err)
	return stale || moved || errors.Is(err, context.Canceled)
}

func (j *Job) order(ctx context.Context, p *place, step placement.Step) error {
	at := &catalog.Partition{ID: p.ID, Generation: p.Generation, Bounds: p.Bounds, Members: p.members()}
	switch step.Kind {
	case placement.Add:
		return j.move(ctx, at, command.Membership{Generation: step.Generation, AddLearner: step.To})
	case placement.Change:
		return j.change(ctx, p, step)
	case placement.Discard:
		gone, ok := p.led.on(step.From)
		if !ok {
			return fmt.Errorf("partition %d has no replica on node %d", p.ID, step.From)
		}
		return j.move(ctx, at, command.Membership{Generation: step.Generation, Remove: gone.Replica})
	case placement.Transfer:
		_, err := j.Cluster.Order(ctx, at, command.Order{Transfer: step.To})
		return err
	}
	return fmt.Errorf("partition %d: no such step as %d", p.ID, step.Kind)
}

// change promotes learners and removes replicas. A group takes one of each at a time, in one change; where there are more,
// one change follows the other at once, each of the generation that the one before it made. If one fails, the next plan
// finds the rest.
func (j *Job) change(ctx context.Context, p *place, step placement.Step) error {
	at := &catalog.Partition{ID: p.ID, Generation: p.Generation, Bounds: p.Bounds, Members: p.members()}
	for n := range max(len(step.Promote), len(step.Remove)) {
		m := command.Membership{Generation: step.Generation + uint64(n)}
		if n < len(step.Promote) {
			promoted, _ := p.led.on(step.Promote[n])
			m.Promote = promoted.Replica
		}
		if n < len(step.Remove) {
			removed, _ := p.led.on(step.Remove[n])
			m.Remove = removed.Replica
		}
		if err := j.move(ctx, at, m); err != nil {
			return err
		}
	}
	return nil
}

func (j *Job) move(ctx context.Context, at *catalog.Partition, m command.Membership) error {
	_, err := j.Cluster.Order(ctx, at, command.Order{Membership: &m})
	return err
}

// made keeps a step for operators to see.
func (j *Job) made(step placement.Step) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.recent = append(j.recent, Done{At: j.Now(), Text: step.String()})
	if len(j.recent) > recentMax {
		j.recent = j.recent[len(j.recent)-recentMax:]
	}
}
