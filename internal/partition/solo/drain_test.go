package solo_test

import (
	"sync"
	"testing"

	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/partition/solo"
)

// performing is a copy that only counts what was performed, in the order in which it came.
type performing struct {
	t    *testing.T
	last uint64
}

func (p *performing) Lead(uint64, machine.Part) {}
func (p *performing) Follow(uint64)             {}
func (p *performing) Replacing()                {}
func (p *performing) Replaced(machine.Part)     {}
func (p *performing) Performed(b machine.Batch, _ machine.Part) {
	if b.Chain != p.last+1 {
		p.t.Errorf("batch %d is performed after %d", b.Chain, p.last)
	}
	p.last = b.Chain
}

// Where whoever brings a batch drains, every batch is performed and answered, in the order of its log, with nobody else there.
func TestWhoeverBringsDrains(t *testing.T) {
	const bringers, batches = 8, 300
	r := newRig(t, false)
	var committer *solo.Committer
	committer = solo.NewCommitter(r.engine, false, func() {
		for committer.Drain() {
			continue
		}
	})
	var running sync.WaitGroup
	for i := range bringers {
		running.Go(func() {
			copy := &performing{t: t}
			log := solo.NewLog(committer)
			log.Keep(copy, machine.Part{})
			answered := make(chan replica.Outcome, batches)
			for chain := range uint64(batches) {
				log.Append(batch(chain+1, string(rune('a'+i))), func(o replica.Outcome) { answered <- o })
			}
			for range batches {
				if o := <-answered; o != replica.Performed {
					t.Errorf("a batch is answered with %d", o)
				}
			}
			if copy.last != batches {
				t.Errorf("%d batches were performed", copy.last)
			}
		})
	}
	running.Wait()
}

// Close performs what waits, and rejects what comes after it.
func TestClosedCommitterTakesNothing(t *testing.T) {
	r := newRig(t, false)
	a := r.log("a")
	r.append(a, "a1", batch(1, "x"))
	r.committer.Close()
	r.append(a, "a2", batch(2, "x"))
	r.expect(t, "a leads in epoch 5", "a performed 1, state 1", "a1: performed", "a2: rejected")
	if got := r.value(t, "x"); got != "1" {
		t.Errorf("the engine shows %q, want 1", got)
	}
}
