package budget_test

import (
	"math"
	"testing"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// hand is a clock that a test moves.
type hand struct{ now time.Duration }

func (h *hand) Now() time.Duration { return h.now }

func shop() *table.Table {
	return &table.Table{
		ID: 100, Name: "shop", Billing: table.Provisioned, Throughput: table.Throughput{Read: 10, Write: 5},
		Global: []table.Index{{ID: 101, Name: "by_owner", Throughput: table.Throughput{Read: 1, Write: 1}}},
	}
}

// Once what was saved is spent, what is admitted over a minute is within 2 % of the setting; the burst is within 5 % of 300 seconds'.
func TestThroughputAndBurst(t *testing.T) {
	var clock hand
	b := budget.New(budget.Options{Now: clock.Now})
	write := capacity.Request{Payer: capacity.Payer{Table: shop()}, Kind: capacity.Writes, Units: 1}
	b.Admit(write)
	clock.now += 10 * time.Minute
	burst := 0.0
	for b.Admit(write) == capacity.Unlimited {
		burst++
	}
	if math.Abs(burst/1500-1) > 0.05 {
		t.Errorf("a burst of %v, want about 1500", burst)
	}
	admitted := 0.0
	for range 60 * 100 {
		clock.now += 10 * time.Millisecond
		for range 3 {
			if b.Admit(write) == capacity.Unlimited {
				admitted++
			}
		}
	}
	if math.Abs(admitted/300-1) > 0.02 {
		t.Errorf("%v admitted in a minute, want about 300", admitted)
	}
}

// Reads, writes and indexes have units of their own, and nothing is let through on another's.
func TestEachPaysItsOwn(t *testing.T) {
	var clock hand
	b := budget.New(budget.Options{Now: clock.Now})
	shop := shop()
	index := capacity.Payer{Table: shop, Index: &shop.Global[0]}
	if limit := b.Admit(capacity.Request{Payer: index, Kind: capacity.Writes, Units: 7}); limit != capacity.Unlimited {
		t.Fatalf("the first write of the index is refused by %v", limit)
	}
	if limit := b.Admit(capacity.Request{Payer: index, Kind: capacity.Writes}); limit != capacity.ProvisionedThroughput {
		t.Errorf("an index that owes six seconds' units: %v", limit)
	}
	for _, r := range []capacity.Request{
		{Payer: index, Kind: capacity.Reads, Units: 1},
		{Payer: capacity.Payer{Table: shop}, Kind: capacity.Writes, Units: 1},
		{Payer: capacity.Payer{Table: shop}, Kind: capacity.Reads, Units: 1},
	} {
		if limit := b.Admit(r); limit != capacity.Unlimited {
			t.Errorf("%+v is refused by %v", r, limit)
		}
	}
}

// books are what an observer writes down.
type books struct {
	consumed float64
	refused  []string
}

func (b *books) Consumed(r capacity.Request) { b.consumed += r.Units }
func (b *books) Refused(r capacity.Request, by capacity.Bound) {
	b.refused = append(b.refused, r.Reason(r.Kind, by.Limit)+" "+string(r.Key))
}

func TestBooks(t *testing.T) {
	var clock hand
	var seen books
	b := budget.New(budget.Options{Now: clock.Now, Observer: &seen})
	shop := shop()
	write := capacity.Request{Payer: capacity.Payer{Table: shop}, Kind: capacity.Writes, Units: 1, Key: []byte("key")}
	b.Admit(write)
	write.Units = 9
	b.Charge(write)
	b.Admit(write)
	b.Refuse(capacity.Request{Payer: capacity.Payer{Table: shop, Index: &shop.Global[0]}, Kind: capacity.Reads})
	turned := b.Turn()
	own, index := turned[100], turned[101]
	if own.Consumed != [capacity.Kinds]float64{capacity.Writes: 10} || own.Throttled(capacity.Writes) != 1 || own.Throttled(capacity.Reads) != 0 {
		t.Errorf("the table's tally is %+v", own)
	}
	if index.Refused[capacity.Reads][capacity.KeyRangeThroughput] != 1 {
		t.Errorf("the index's tally is %+v", index)
	}
	if seen.consumed != 10 || len(seen.refused) != 2 || seen.refused[0] != "TableWriteProvisionedThroughputExceeded key" ||
		seen.refused[1] != "IndexReadKeyRangeThroughputExceeded " {
		t.Errorf("the observer saw %+v", seen)
	}
	if again := b.Turn(); len(again) != 0 {
		t.Errorf("what was told is told again: %+v", again)
	}
	b.Keep(func(id uint64) bool { return id != 100 })
	if limit := b.Admit(write); limit != capacity.Unlimited {
		t.Errorf("a table of which nothing is known is refused by %v", limit)
	}
}

// A budget that only reports lets everything through, counts what it would have refused, and goes back to counting nothing once the load
// is what the table is set to.
func TestReport(t *testing.T) {
	var clock hand
	b := budget.New(budget.Options{Now: clock.Now, Report: true})
	write := capacity.Request{Payer: capacity.Payer{Table: shop()}, Kind: capacity.Writes, Units: 1}
	for range 60 * 50 {
		clock.now += 20 * time.Millisecond
		if limit := b.Admit(write); limit != capacity.Unlimited {
			t.Fatalf("refused by %v", limit)
		}
		large := write
		large.Units = 3
		b.Charge(large)
	}
	turned := b.Turn()[100]
	if turned.Consumed[capacity.Writes] != 12_000 || turned.Throttled(capacity.Writes) < 2_500 {
		t.Errorf("the tally is %+v", turned)
	}
	for range 60 {
		clock.now += time.Second
		b.Admit(write)
	}
	if turned = b.Turn()[100]; turned.Throttled(capacity.Writes) > 1 {
		t.Errorf("a write a second: the tally is %+v", turned)
	}
}

func BenchmarkAdmit(b *testing.B) {
	began := time.Now()
	payer := capacity.Payer{Table: &table.Table{ID: 100, Billing: table.Provisioned, Throughput: table.Throughput{Write: 1 << 40}}}
	admits := budget.New(budget.Options{Now: func() time.Duration { return time.Since(began) }})
	b.ReportAllocs()
	for b.Loop() {
		if admits.Admit(capacity.Request{Payer: payer, Kind: capacity.Writes, Units: 1}) != capacity.Unlimited {
			b.Fatal("refused")
		}
		admits.Charge(capacity.Request{Payer: payer, Kind: capacity.Writes, Units: 2})
	}
}
