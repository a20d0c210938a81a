package budget_test

import (
	"math"
	"testing"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// fleet is some nodes that share the budget of one table, with its keeper. Time passes in milliseconds; an answer of the keeper takes one.
type fleet struct {
	now    time.Duration
	jumps  time.Duration // of the keeper's clock
	table  *table.Table
	keeper *budget.Keeper
	nodes  []*budget.Budget
	owed   []float64
	under  []func() // what reaches its node in the next millisecond
	// admitted counts units since the last look.
	admitted float64
}

func newFleet(nodes int, perSecond int64) *fleet {
	f := &fleet{table: &table.Table{ID: 100, Billing: table.Provisioned, Throughput: table.Throughput{Read: 1, Write: perSecond}}}
	f.restartKeeper()
	f.owed = make([]float64, nodes)
	for range nodes {
		f.nodes = append(f.nodes, f.newNode(nodes))
	}
	return f
}

func (f *fleet) newNode(nodes int) *budget.Budget {
	return budget.New(budget.Options{Now: func() time.Duration { return f.now }, Nodes: func() int { return nodes }, Low: func() {}})
}

func (f *fleet) restartKeeper() {
	f.keeper = budget.NewKeeper(func() time.Duration { return f.now + f.jumps })
}

// run has each node asked for so many writes a second, of units each, and returns the units that were admitted in all.
func (f *fleet) run(length time.Duration, units float64, perSecond ...float64) float64 {
	f.admitted = 0
	for end := f.now + length; f.now < end; f.now += time.Millisecond {
		under := f.under
		f.under = nil
		for _, arrive := range under {
			arrive()
		}
		for i, node := range f.nodes {
			for f.owed[i] += perSecond[i] / 1000; f.owed[i] >= 1; f.owed[i]-- {
				f.write(node, units)
			}
			f.ask(node)
		}
	}
	return f.admitted
}

func (f *fleet) write(node *budget.Budget, units float64) {
	w := capacity.Request{Payer: capacity.Payer{Table: f.table}, Kind: capacity.Writes, Units: 1}
	if node.Admit(w) == capacity.Unlimited {
		w.Units = units - 1
		node.Charge(w)
		f.admitted += units
	}
}

func (f *fleet) ask(node *budget.Budget) {
	for _, round := range node.Due() {
		if f.keeper == nil {
			f.under = append(f.under, func() { node.Unanswered(round) })
			continue
		}
		answers := f.keeper.Give(round.Payer, round.Asks)
		f.under = append(f.under, func() { node.Answered(round, answers) })
	}
}

// within fails unless got is within so many hundredths of want.
func within(t *testing.T, what string, got, want, percent float64) {
	t.Helper()
	if math.Abs(got/want-1) > percent/100 {
		t.Errorf("%s: %.0f units, want %.0f, within %v %%", what, got, want, percent)
	}
}

// A request now and then finds something, of the other kind than those before, too.
func TestNowAndThen(t *testing.T) {
	f := newFleet(3, 100)
	f.table.Throughput.Read = 100
	for round, pause := range []time.Duration{
		0, 50 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond, time.Second, 1100 * time.Millisecond, 3 * time.Second, time.Minute, time.Second,
	} {
		f.run(pause, 1, 0, 0, 0)
		for kind := range capacity.Kinds {
			i := (round + int(kind)) % 3
			if why := f.nodes[i].Admit(capacity.Request{Payer: capacity.Payer{Table: f.table}, Kind: kind, Units: 1}); why != capacity.Unlimited {
				t.Errorf("after %v a request of kind %v at node %d is refused: %v", f.now, kind, i, why)
			}
			f.run(20*time.Millisecond, 1, 0, 0, 0)
		}
	}
}

// Three nodes together admit what the table is set to, whichever of them are asked, and however the requests move between them.
func TestThreeNodes(t *testing.T) {
	for name, mix := range map[string][]float64{
		"evenly": {500, 500, 500}, "one alone": {1500, 0, 0}, "mostly one": {1400, 90, 10}, "just enough": {50, 30, 21}, "far too much": {20_000, 5000, 100},
	} {
		for _, units := range []float64{1, 7} {
			f := newFleet(3, 100)
			f.run(10*time.Second, units, mix...)
			within(t, name, f.run(time.Minute, units, mix...), 6000, 5)
		}
	}
	f := newFleet(3, 1000)
	f.run(10*time.Second, 1, 3000, 0, 0)
	total := 0.0
	for i := range 60 {
		mix := []float64{0, 0, 0}
		mix[i%3] = 3000
		total += f.run(time.Second, 1, mix...)
	}
	within(t, "another each second", total, 60_000, 5)
	f = newFleet(3, 1)
	f.run(10*time.Second, 1, 10, 10, 10)
	within(t, "one unit a second", f.run(5*time.Minute, 1, 10, 10, 10), 300, 5)
}

// What nobody wanted for five minutes is there for whoever comes first, on whichever node. Less than what is set is never refused.
func TestBurstOfThree(t *testing.T) {
	f := newFleet(3, 100)
	if got := f.run(10*time.Minute, 1, 10, 20, 5); got < 20_990 {
		t.Errorf("%v of 21,000 units were admitted", got)
	}
	within(t, "the burst", f.run(30*time.Second, 1, 100, 5000, 100)-3000, 30_000, 5)
	within(t, "a minute after it", f.run(time.Minute, 1, 100, 5000, 100), 6000, 5)
}

// A keeper that is lost, with or without another in its place, a node that is lost with its tokens or comes anew, and a keeper's clock
// that is set back: the table goes on at what it is set to.
func TestLosses(t *testing.T) {
	load := []float64{800, 300, 20}
	for name, what := range map[string]func(f *fleet) float64{
		"the keeper is lost": func(f *fleet) float64 {
			before := f.run(20*time.Second, 1, load...)
			f.keeper = nil
			silent := 0.0
			for range 10 {
				second := f.run(time.Second, 1, load...)
				if silent += second; second < 50 && f.now > 32*time.Second {
					t.Errorf("%v units were admitted in a second without a keeper", second)
				}
			}
			f.restartKeeper()
			return before + silent + f.run(30*time.Second, 1, load...)
		},
		"a keeper takes another's place every second": func(f *fleet) float64 {
			total := 0.0
			for range 60 {
				f.restartKeeper()
				total += f.run(time.Second, 1, load...)
			}
			return total
		},
		"a node is lost every second": func(f *fleet) float64 {
			total := 0.0
			for i := range 60 {
				f.nodes[i%3] = f.newNode(3)
				total += f.run(time.Second, 1, load...)
			}
			return total
		},
		"the keeper's clock is set back": func(f *fleet) float64 {
			before := f.run(30*time.Second, 1, load...)
			f.jumps -= time.Hour
			return before + f.run(30*time.Second, 1, load...)
		},
	} {
		f := newFleet(3, 100)
		f.run(10*time.Second, 1, load...)
		within(t, name, what(f), 6000, 10)
	}
}

// A keeper that has just begun goes on with what had been saved, as the nodes know it.
func TestSavedOutlivesKeeper(t *testing.T) {
	f := newFleet(3, 100)
	f.run(6*time.Minute, 1, 1, 1, 1)
	f.restartKeeper()
	f.run(2*time.Second, 1, 1, 1, 1)
	within(t, "the burst", f.run(20*time.Second, 1, 4000, 0, 0)-2000, 30_000, 5)
}
