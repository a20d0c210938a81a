package replica

import (
	"sync"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/heat"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// traffic is where the requests fall that this copy serves. Each copy knows its own: others may serve reads of quite other keys.
type traffic struct {
	now func() time.Duration // nil: nobody wants to know

	mu     sync.Mutex   // guards sketch
	sketch *heat.Sketch // nil while nothing comes
}

func (t *traffic) add(kind capacity.Kind, key []byte, units float64) {
	if t.now == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sketch == nil {
		t.sketch = &heat.Sketch{}
	}
	t.sketch.Add(kind, key, units, t.now())
}

// charge counts what commands turned out to cost. One that was not this copy's to decide cost nothing.
func (r *Replica) charge(t *table.Table, taken []pending, answers []machine.Answer) {
	if r.options.Steady == nil {
		return
	}
	beyond := 0.0
	for i := range taken {
		c := taken[i].command
		least := leastOf(c)
		if least == 0 && c.Action != command.Feed {
			continue
		}
		beyond -= least
		result := &answers[i].Result
		switch {
		case answers[i].Err != nil:
		case c.Action == command.Feed:
			beyond += r.fed(c, answers[i].Known)
		case result.Results == nil:
			beyond += r.wrote(c.Key, cost(t, result))
		default:
			for j := range result.Results {
				beyond += r.wrote(c.Transaction.Actions[j].Key, capacity.TransactFactor*cost(t, &result.Results[j]))
			}
		}
	}
	r.bound.charge(capacity.Writes, beyond)
}

// fed counts the entries that came of clients' writes, by what they are now: what was there before is not looked up for it. Those that a new
// index is filled with are nobody's traffic, and those that come again were counted before.
func (r *Replica) fed(c *command.Command, known []bool) (units float64) {
	if c.Consumer != command.IndexConsumer {
		return 0
	}
	for i := range c.Entries {
		if i < len(known) && known[i] {
			continue
		}
		units += r.wrote(c.Entries[i].Key, capacity.WriteItem(nil, c.Entries[i].Item))
	}
	return units
}

// wrote counts a write of an item; a transaction that was answered as a whole is of none.
func (r *Replica) wrote(key []byte, units float64) float64 {
	if len(key) > 0 {
		r.traffic.add(capacity.Writes, key, units)
	}
	return units
}

// forget begins anew: a copy that begins to lead, or ends, serves from then on what it did not before.
func (t *traffic) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sketch = nil
}

// PerSecond is the units that this copy serves in a second.
func (r *Replica) PerSecond() (units [capacity.Kinds]float64) {
	t := &r.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sketch != nil {
		for kind := range capacity.Kinds {
			units[kind] = t.sketch.PerSecond(kind, t.now())
		}
	}
	return units
}

// Heat is how much of what one copy of a partition may serve this one does: 1 is all of it, whether of its reads or of its writes.
func (r *Replica) Heat() (sum float64) {
	for kind, units := range r.PerSecond() {
		sum += units / capacity.PartitionBounds[kind].PerSecond
	}
	return sum
}

// Hottest lists the keys that take most of one kind's units here, at most so many.
func (r *Replica) Hottest(kind capacity.Kind, most int) []heat.Key {
	t := &r.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sketch == nil {
		return nil
	}
	return t.sketch.Keys(kind, most, t.now())
}

// Judge tells whether a cut would relieve this copy; it is to be asked every few seconds. Item collections with local indexes stay together.
func (r *Replica) Judge() (of [capacity.Kinds]heat.Judgement) {
	state := r.State()
	bounds := state.Descriptor.Bounds
	whole := state.Table != nil && state.Table.ID == state.Descriptor.Table && len(state.Table.Local) > 0
	t := &r.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.sketch == nil:
		return of
	case t.sketch.Idle(t.now()):
		t.sketch = nil
		return of
	}
	for kind := range capacity.Kinds {
		of[kind] = t.sketch.Judge(kind, heat.Range{Lower: bounds.Lower, Upper: bounds.Upper, Whole: whole}, t.now())
	}
	return of
}
