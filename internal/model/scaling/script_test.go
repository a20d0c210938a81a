package scaling

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/model/table"
)

// The stories of testdata/scripts, in simulated minutes. `table` provisions units; `target` registers what is scaled, with a policy if a
// percentage is given; `bounds` and `suspend` change it; `action` puts a scheduled action; `hand` sets units as an operator would. `run`
// lets minutes pass, a stretch a line, "15m 40" with so many units consumed in each second, and shows what happens in them.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		w := &world{now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
		datadriven.RunTest(t, path, w.do)
	})
}

// world is one target, whose table does what it wants.
type world struct {
	now        time.Time
	throughput table.Throughput
	target     *Target
	consumed   []float64
	shown      strings.Builder
}

func (w *world) do(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "now":
		var text string
		d.ScanArgs(t, "at", &text)
		w.now = moment(t, text)
	case "table":
		w.throughput = table.Throughput{Read: whole(t, d, "read", 1), Write: whole(t, d, "write", 1)}
	case "hand":
		next, text := w.throughput.Changed(w.throughput.With(w.target.Write, whole(t, d, "units", 0)), w.now)
		w.throughput = next
		return text
	case "target":
		w.target = &Target{ID: ID{Table: "music", Write: d.HasArg("write")}, Key: "k", CreatedMillis: w.now.UnixMilli()}
		lower, upper := whole(t, d, "min", 1), whole(t, d, "max", 40_000)
		if text := w.target.SetBounds(&lower, &upper); text != "" {
			return text
		}
		w.policy(t, d)
	case "bounds":
		lower, upper := whole(t, d, "min", w.target.Min), whole(t, d, "max", w.target.Max)
		return w.target.SetBounds(&lower, &upper)
	case "suspend":
		w.target.Suspended = Suspended{In: d.HasArg("in"), Out: d.HasArg("out"), Scheduled: d.HasArg("scheduled")}
	case "action":
		return w.action(t, d)
	case "run":
		for line := range strings.Lines(d.Input) {
			w.run(t, strings.Fields(line))
		}
	case "activities":
		for _, a := range w.target.Activities {
			fmt.Fprintf(&w.shown, "%s %s %s\n  because %s\n  %s\n", clock(time.UnixMilli(a.StartMillis)), a.Status, a.Description, a.Cause, a.Message)
		}
	default:
		t.Fatalf("%s: no such command", d.Cmd)
	}
	shown := w.shown.String()
	w.shown.Reset()
	return shown
}

func (w *world) policy(t *testing.T, d *datadriven.TestData) {
	if !d.HasArg("percent") {
		return
	}
	p := &Policy{Name: "p", Key: "a1", Target: float64(whole(t, d, "percent", 0))}
	if d.HasArg("out-cooldown") {
		p.OutCooldown = new(whole(t, d, "out-cooldown", 0))
	}
	if d.HasArg("in-cooldown") {
		p.InCooldown = new(whole(t, d, "in-cooldown", 0))
	}
	if d.HasArg("never-in") {
		p.DisableIn = new(true)
	}
	w.target.Policy = p
}

func (w *world) action(t *testing.T, d *datadriven.TestData) string {
	a := Action{Schedule: strings.TrimSpace(d.Input), CreatedMillis: w.now.UnixMilli()}
	d.ScanArgs(t, "name", &a.Name)
	d.MaybeScanArgs(t, "zone", &a.Timezone)
	if d.HasArg("min") {
		a.Min = new(whole(t, d, "min", 0))
	}
	if d.HasArg("max") {
		a.Max = new(whole(t, d, "max", 0))
	}
	for name, into := range map[string]*int64{"start": &a.StartMillis, "end": &a.EndMillis} {
		var text string
		if d.MaybeScanArgs(t, name, &text); text != "" {
			*into = moment(t, text).UnixMilli()
		}
	}
	if text := a.Plan(); text != "" {
		return text
	}
	w.target.PutAction(a)
	return ""
}

// run lets minutes pass in which so many units were consumed in each second.
func (w *world) run(t *testing.T, stretch []string) {
	t.Helper()
	length, err := time.ParseDuration(stretch[0])
	if err != nil {
		t.Fatal(err)
	}
	rate := 0.0
	if len(stretch) > 1 {
		if rate, err = strconv.ParseFloat(stretch[1], 64); err != nil {
			t.Fatal(err)
		}
	}
	for range int(length / time.Minute) {
		w.now = w.now.Add(time.Minute)
		w.consumed = append(w.consumed, rate*60)
		w.step()
	}
}

func (w *world) step() {
	if next := w.target.Scheduled(w.now); next != w.target {
		fmt.Fprintf(&w.shown, "%s %s\n", clock(w.now), next.Activities[0].Description)
		w.target = next
	}
	d := w.target.Decide(Facts{Now: w.now, Throughput: w.throughput, Consumed: w.consumed})
	if d.Units == d.From {
		w.target = w.target.Bounded(d.Units)
		return
	}
	next := w.target.Done(d, w.now, d.Refused)
	if d.Refused == "" {
		w.throughput, _ = w.throughput.Changed(w.throughput.With(w.target.Write, d.Units), w.now)
		fmt.Fprintf(&w.shown, "%s %d -> %d, %s\n", clock(w.now), d.From, d.Units, d.Cause)
	} else if next != w.target {
		fmt.Fprintf(&w.shown, "%s %d stays, %d refused: %s\n", clock(w.now), d.From, d.Units, d.Refused)
	}
	w.target = next
}

func clock(t time.Time) string { return t.UTC().Format("02 15:04") }

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(atLayout, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func whole(t *testing.T, d *datadriven.TestData, name string, missing int64) int64 {
	t.Helper()
	d.MaybeScanArgs(t, name, &missing)
	return missing
}
