package replica_test

import (
	"slices"
	"testing"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// newOrdered is a world whose copy leads and trusts in the order of its log.
func newOrdered(t *testing.T) *world {
	w := newWorld(t)
	w.ordered = true
	newCopy(w).Lead(machine.SoloEpoch, w.part)
	return w
}

// send queues commands in one pass; their answers are told by name.
func (w *world) send(named map[string]*command.Command) {
	for name, c := range named {
		w.replica.Write(c, func(r command.Result, err error) { w.tell("%s: %s", name, result(r, err)) })
	}
	w.step()
}

// told takes the answers that came since it was asked last.
func (w *world) told() []string {
	events := slices.DeleteFunc(w.events, func(s string) bool { return s[1] != ':' })
	w.events = nil
	slices.Sort(events)
	return events
}

func (w *world) wantTold(t *testing.T, want ...string) {
	t.Helper()
	if got := w.told(); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// Of an ordered log an accepted step is answered once the log has it, and once only; what shows something waits.
func TestStepsAreAnsweredEarly(t *testing.T) {
	w := newOrdered(t)
	w.send(map[string]*command.Command{"p": w.transaction(t, command.Prepare, "a/1"), "w": w.put(t, "b/1")})
	w.wantTold(t, "p: none -> none")
	w.log.perform(w.log.find(1), nothing)
	w.wantTold(t, "w: none -> {1}")
	// The last of a transaction's commands is no step.
	w.send(map[string]*command.Command{"a": w.transaction(t, command.Apply, "a/1")})
	w.wantTold(t)
	w.log.perform(w.log.find(2), nothing)
	w.wantTold(t, "a: none -> none")
}

// A refusal waits for what it was decided over, ordered or not; and so does a step that changes nothing.
func TestRefusedStepsWait(t *testing.T) {
	w := newOrdered(t)
	w.send(map[string]*command.Command{"w": w.put(t, "a/1")})
	refused := w.transaction(t, command.Prepare, "a/1")
	refused.Transaction.Actions[0] = w.command(t, []string{"put", "a/1", "if-absent"})
	w.send(map[string]*command.Command{"p": refused})
	w.wantTold(t)
	w.log.perform(w.log.find(1), nothing)
	if told := w.told(); len(told) != 2 {
		t.Errorf("told %q", told)
	}
}

// A step whose batch the log does not take is answered with that.
func TestStepsOfARefusingLog(t *testing.T) {
	w := newOrdered(t)
	w.log.refusing = true
	w.send(map[string]*command.Command{"p": w.transaction(t, command.Prepare, "a/1")})
	if told := w.told(); len(told) != 1 || told[0] == "p: none -> none" {
		t.Errorf("told %q", told)
	}
}

// Whoever was answered early is not answered again when the batch is lost.
func TestStepsOfALostBatch(t *testing.T) {
	w := newOrdered(t)
	w.send(map[string]*command.Command{"p": w.transaction(t, command.Prepare, "a/1")})
	w.wantTold(t, "p: none -> none")
	w.log.end(w.log.find(1), ambiguous)
	w.wantTold(t)
}

// Of logs that are not one, a step is answered as everything else.
func TestStepsOfSeveralLogs(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	w.send(map[string]*command.Command{"p": w.transaction(t, command.Prepare, "a/1")})
	w.wantTold(t)
	w.log.perform(w.log.find(1), nothing)
	w.wantTold(t, "p: none -> none")
}
