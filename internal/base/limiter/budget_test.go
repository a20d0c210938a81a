package limiter_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stator/internal/base/limiter"
)

const (
	working = iota
	arriving
)

func TestTryStopsAtTheLanesCeiling(t *testing.T) {
	b := limiter.NewBudget(100, 50)
	if !b.Try(arriving, 50) {
		t.Fatal("an empty lane refused its whole ceiling")
	}
	if b.Try(arriving, 1) {
		t.Fatal("the lane went over its ceiling")
	}
	if !b.Try(working, 50) {
		t.Fatal("the rest of the budget was not left to the other lane")
	}
	if b.Try(working, 1) {
		t.Fatal("the budget went over its limit")
	}
	b.Give(50)
	if got := b.Used(); got != 50 {
		t.Fatalf("Used() = %d, want 50", got)
	}
}

func TestADemandOverTheCeilingCostsTheCeiling(t *testing.T) {
	b := limiter.NewBudget(100, 50)
	if got := b.Charge(arriving, 80); got != 50 {
		t.Fatalf("Charge = %d, want 50", got)
	}
	if !b.Try(arriving, 80) {
		t.Fatal("an oversized demand was refused by an empty lane")
	}
	b.Give(b.Charge(arriving, 80))
	if got := b.Used(); got != 0 {
		t.Fatalf("Used() = %d, want 0", got)
	}
}

func TestTakeWaitsForWhatIsGivenBack(t *testing.T) {
	b := limiter.NewBudget(100)
	b.Try(working, 100)
	took := make(chan bool)
	go func() { took <- b.Take(working, 60, 10*time.Second) }()
	time.Sleep(10 * time.Millisecond)
	b.Give(30)
	select {
	case <-took:
		t.Fatal("60 bytes were granted out of 30 free ones")
	case <-time.After(20 * time.Millisecond):
	}
	b.Give(30)
	if !<-took {
		t.Fatal("the waiter was refused although its bytes came free")
	}
}

func TestTakeGivesUpAndLetsTheNextOnePass(t *testing.T) {
	b := limiter.NewBudget(100)
	b.Try(working, 50)
	first := make(chan bool)
	go func() { first <- b.Take(working, 80, 30*time.Millisecond) }()
	time.Sleep(10 * time.Millisecond)
	// 40 bytes would fit now, but do not overtake; they pass once the first has given up.
	if b.Try(working, 40) {
		t.Fatal("a smaller demand overtook a waiting one")
	}
	if !b.Take(working, 40, 10*time.Second) {
		t.Fatal("the second waiter was not served after the first gave up")
	}
	if <-first {
		t.Fatal("80 bytes were granted out of 50")
	}
	if got := b.Used(); got != 90 {
		t.Fatalf("Used() = %d, want 90", got)
	}
}

// Many takers at once: the limit holds at every moment, nothing is lost, and nobody who could be served is left behind.
func TestBudgetUnderContention(t *testing.T) {
	const limit = 1000
	b := limiter.NewBudget(limit, limit/2)
	var held atomic.Int64
	var group sync.WaitGroup
	for worker := range 16 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			for range 500 {
				lane, n := random.IntN(2), 1+random.Int64N(300)
				if !b.Take(lane, n, 10*time.Second) {
					t.Error("a taker starved")
					return
				}
				if now := held.Add(n); now > limit {
					t.Errorf("%d bytes are held of %d", now, limit)
				}
				held.Add(-n)
				b.Give(n)
			}
		})
	}
	group.Wait()
	if got := b.Used(); got != 0 {
		t.Fatalf("Used() = %d at the end, want 0", got)
	}
}

func BenchmarkTryGive(b *testing.B) {
	budget := limiter.NewBudget(1<<40, 1<<39)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if !budget.Try(working, 1000) {
				b.Fatal("refused")
			}
			budget.Give(1000)
		}
	})
}
