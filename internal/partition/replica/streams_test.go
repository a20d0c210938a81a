package replica_test

import (
	"context"
	"errors"
	"testing"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// A copy that leads no more and does not know it yet says nothing of shards: one that it has never heard of would be gone.
func TestADeposedLeaderKnowsNoShards(t *testing.T) {
	at := command.ShardPlace{Table: 100, Stream: 7}
	for name, ask := range map[string]func(ctx context.Context, r *replica.Replica, wait replica.Wait) error{
		"list": func(ctx context.Context, r *replica.Replica, wait replica.Wait) error {
			_, err := r.ShardsOf(ctx, wait, at)
			return err
		},
		"read": func(ctx context.Context, r *replica.Replica, wait replica.Wait) error {
			_, err := r.ShardLog(ctx, wait, command.LogPlan{ShardPlace: at, First: 1})
			return err
		},
		"seek": func(ctx context.Context, r *replica.Replica, wait replica.Wait) error {
			_, err := r.ShardSince(ctx, wait, at, 1)
			return err
		},
	} {
		w := newWorld(t)
		w.replica.Lead(machine.SoloEpoch, w.part)
		w.log.barred = true
		err := ask(t.Context(), w.replica, func(_ context.Context, done <-chan struct{}) error {
			w.replica.Follow(7)
			w.log.barriers[0](nil)
			<-done
			return nil
		})
		if elsewhere, ok := errors.AsType[*command.NotLeader](err); !ok || elsewhere.Hint != 7 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
