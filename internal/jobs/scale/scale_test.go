package scale_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"stator/internal/jobs/scale"
	"stator/internal/model/api"
	"stator/internal/model/scaling"
	"stator/internal/model/table"
)

const (
	thingsID = 100
	colorID  = 101
)

// shop is a catalog of one table with an index, its meter, and whoever changes it.
type shop struct {
	now      time.Time
	table    *table.Table
	targets  map[scaling.ID]*scaling.Target
	consumed map[uint64]scale.Consumption
	asked    int
	changes  []map[string]table.Throughput
	refusal  error
}

func newShop() *shop {
	return &shop{
		now: time.Date(2026, 11, 1, 12, 0, 30, 0, time.UTC), targets: map[scaling.ID]*scaling.Target{},
		consumed: map[uint64]scale.Consumption{},
		table: &table.Table{
			ID: thingsID, Name: "things", State: table.Active, Billing: table.Provisioned, Throughput: table.Throughput{Read: 10, Write: 20},
			Global: []table.Index{{ID: colorID, Name: "color", Status: table.IndexActive, Throughput: table.Throughput{Read: 30, Write: 40}}},
		},
	}
}

func (s *shop) Table(name string) (*table.Table, bool) { return s.table, name == s.table.Name }

func (s *shop) ScalingTargets() []*scaling.Target {
	var all []*scaling.Target
	for _, t := range s.targets {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *scaling.Target) int { return a.ID.Compare(b.ID) })
	return all
}

func (s *shop) UpdateScalingTarget(_ context.Context, id scaling.ID, change func(*scaling.Target) (*scaling.Target, error)) error {
	next, err := change(s.targets[id])
	if next != nil && err == nil {
		s.targets[id] = next
	}
	return err
}

func (s *shop) Consumed(context.Context, time.Time, int) (map[uint64]scale.Consumption, error) {
	s.asked++
	return s.consumed, nil
}

func (s *shop) Provision(_ context.Context, _ *table.Table, units map[string]table.Throughput) error {
	s.changes = append(s.changes, units)
	if s.refusal != nil {
		return s.refusal
	}
	s.table = s.table.Clone()
	for index, u := range units {
		if index == "" {
			s.table.Throughput, _ = s.table.Throughput.Changed(u, s.now)
		} else {
			s.table.Global[0].Throughput, _ = s.table.Global[0].Throughput.Changed(u, s.now)
		}
	}
	return nil
}

// register scales something between 1 and 1000 units at a percentage, 0 for no policy.
func (s *shop) register(index string, write bool, percent float64) *scaling.Target {
	id := scaling.ID{Table: "things", Index: index, Write: write}
	t := &scaling.Target{ID: id, Key: "k", Min: 1, Max: 1000}
	if percent > 0 {
		t.Policy = &scaling.Policy{Name: "p", Key: "a1", Target: percent}
	}
	s.targets[id] = t
	return t
}

func (s *shop) job() *scale.Job {
	return &scale.Job{Catalog: s, Meter: s, Tables: s, Now: func() time.Time { return s.now }}
}

func step(t *testing.T, j *scale.Job) {
	t.Helper()
	if err := j.Step(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func steady(units float64) []float64 { return slices.Repeat([]float64{units * 60}, scaling.MinutesMax) }

// What a minute asks for is one change of the table, whatever part of it is scaled, and one look at the meter.
func TestOneChangeATable(t *testing.T) {
	s := newShop()
	s.register("", false, 50)
	s.register("", true, 50)
	s.register("color", true, 50)
	s.consumed[thingsID] = scale.Consumption{Read: steady(9), Write: steady(1)}
	s.consumed[colorID] = scale.Consumption{Write: steady(39)}
	j := s.job()
	step(t, j)
	step(t, j)
	want := map[string]table.Throughput{"": {Read: 18, Write: 2}, "color": {Read: 30, Write: 78}}
	if len(s.changes) != 1 || !s.changes[0][""].SameUnits(want[""]) || !s.changes[0]["color"].SameUnits(want["color"]) {
		t.Errorf("changes %v, want %v once", s.changes, want)
	}
	if s.asked != 1 {
		t.Errorf("the meter was asked %d times in a minute", s.asked)
	}
	for _, target := range s.ScalingTargets() {
		if len(target.Activities) != 1 || target.Activities[0].Status != scaling.Successful {
			t.Errorf("activities of %v: %+v", target.ID, target.Activities)
		}
	}
	s.now = s.now.Add(time.Minute)
	step(t, j)
	if s.asked != 2 {
		t.Errorf("the meter was asked %d times in two minutes", s.asked)
	}
}

// Bounds have their effect without a policy, a meter or a new minute, and once.
func TestBoundsAtOnce(t *testing.T) {
	s := newShop()
	j := s.job()
	step(t, j)
	target := s.register("", false, 0)
	lower := int64(100)
	target.SetBounds(&lower, nil)
	step(t, j)
	if s.table.Throughput.Read != 100 {
		t.Fatalf("%d units", s.table.Throughput.Read)
	}
	s.table.Throughput.Read = 5
	step(t, j)
	if len(s.changes) != 1 || s.targets[target.ID].Rebound {
		t.Errorf("%d changes, %+v", len(s.changes), s.targets[target.ID])
	}
}

// A scheduled action is done when it is due, and its bounds have their effect in the same step.
func TestScheduledAction(t *testing.T) {
	s := newShop()
	target := s.register("color", true, 0)
	lower := int64(500)
	a := scaling.Action{Name: "sale", Schedule: "at(2026-11-01T13:00:00)", Min: &lower, CreatedMillis: s.now.UnixMilli()}
	if text := a.Plan(); text != "" {
		t.Fatal(text)
	}
	target.PutAction(a)
	j := s.job()
	for ; s.now.Hour() < 14; s.now = s.now.Add(10 * time.Minute) {
		step(t, j)
		if early := s.now.Hour() < 13; early != (s.table.Global[0].Throughput.Write == 40) {
			t.Fatalf("%d units at %s", s.table.Global[0].Throughput.Write, s.now)
		}
	}
	if got := s.targets[target.ID]; len(got.Activities) != 2 || len(s.changes) != 1 || got.Actions[0].NextMillis != 0 {
		t.Errorf("%d changes, %+v", len(s.changes), got)
	}
}

// A refusal is told to whoever asks for activities, once; a fault is the job's.
func TestRefusalAndFault(t *testing.T) {
	s := newShop()
	target := s.register("", false, 50)
	s.consumed[thingsID] = scale.Consumption{Read: steady(9)}
	s.refusal = api.NewLimitExceededException("too many of them")
	j := s.job()
	for range 3 {
		step(t, j)
		s.now = s.now.Add(time.Minute)
	}
	got := s.targets[target.ID].Activities
	if len(got) != 1 || got[0].Status != scaling.Failed || got[0].Message != "Failed to set read capacity units to 18. Reason: too many of them" {
		t.Errorf("activities %+v", got)
	}
	s.refusal = errors.New("broken")
	if err := j.Step(context.Background()); !errors.Is(err, s.refusal) {
		t.Errorf("a fault is %v", err)
	}
}

// What cannot be changed now waits: a table that is being changed, one that is on demand, an index that is not there yet.
func TestWhatWaits(t *testing.T) {
	for name, change := range map[string]func(*table.Table){
		"updating":  func(t *table.Table) { t.State = table.Updating },
		"on demand": func(t *table.Table) { t.Billing = table.OnDemandBilling },
		"gone":      func(t *table.Table) { t.Name = "other" },
		"an index that is being made": func(t *table.Table) {
			t.Global[0].Status, t.Throughput.Read = table.IndexCreating, 1
		},
	} {
		s := newShop()
		change(s.table)
		s.register("color", false, 50)
		s.consumed[colorID] = scale.Consumption{Read: steady(29)}
		step(t, s.job())
		if len(s.changes) != 0 {
			t.Errorf("%s: changed to %v", name, s.changes)
		}
	}
}

// A target that was forgotten and registered anew meanwhile is not told of what was done to its forerunner.
func TestForgottenMeanwhile(t *testing.T) {
	s := newShop()
	target := s.register("", false, 50)
	s.consumed[thingsID] = scale.Consumption{Read: steady(9)}
	other := target.Clone()
	other.Key = "another"
	j := s.job()
	j.Tables = swapping{s, func() { s.targets[target.ID] = other }}
	step(t, j)
	if got := s.targets[target.ID]; got != other {
		t.Errorf("the new target is %+v", got)
	}
}

type swapping struct {
	*shop
	swap func()
}

func (s swapping) Provision(ctx context.Context, t *table.Table, units map[string]table.Throughput) error {
	s.swap()
	return s.shop.Provision(ctx, t, units)
}

// A table that is younger than fifteen minutes has not been idle for so long, and where nobody counts nothing is known to be idle.
func TestUnknownIsNotIdle(t *testing.T) {
	s := newShop()
	s.register("", false, 50)
	s.table.CreatedMillis = s.now.UnixMilli()
	j := s.job()
	for range 15 {
		step(t, j)
		s.now = s.now.Add(time.Minute)
	}
	if len(s.changes) != 0 {
		t.Fatalf("a new table was changed to %v", s.changes)
	}
	s.consumed = nil
	s.now = s.now.Add(time.Hour)
	step(t, j)
	if len(s.changes) != 0 {
		t.Fatalf("a table of which nothing is known was changed to %v", s.changes)
	}
	s.consumed = map[uint64]scale.Consumption{}
	s.now = s.now.Add(time.Minute)
	step(t, j)
	if len(s.changes) != 1 || s.changes[0][""].Read != 1 {
		t.Errorf("an idle table was changed to %v", s.changes)
	}
}
