package placement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// The stories of testdata/scripts. `nodes` has a node a line, "1 zone=a leaving silent=6m free=10"; `partitions` a partition
// a line, "7: 1* 2 3? 4(learner) bytes=2 heat=80" with a star for the leader, a question mark for who lags, an exclamation mark for one that is damaged for ten minutes, gigabytes, and a hundredth of what a leader serves; `wish` an operator's move, "7 1 4". `plan` shows the
// next steps and performs none; `run` performs plans until nothing is left to do, and shows the steps and what came of them.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		w := &world{rules: DefaultRules(), catches: func() bool { return true }, next: 100}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			d.MaybeScanArgs(t, "replicas", &w.rules.Replicas)
			switch d.Cmd {
			case "nodes":
				w.Nodes = nil
				for line := range strings.Lines(d.Input) {
					w.Nodes = append(w.Nodes, parseNode(t, strings.Fields(line)))
				}
			case "partitions":
				w.Partitions = nil
				for line := range strings.Lines(d.Input) {
					w.Partitions = append(w.Partitions, parsePartition(t, strings.Fields(line)))
				}
			case "wish":
				for line := range strings.Lines(d.Input) {
					f := strings.Fields(line)
					w.Wishes = append(w.Wishes, Wish{Partition: number(t, f[0]), From: number(t, f[1]), To: number(t, f[2])})
				}
			case "plan":
				return told(Next(w.Facts, w.rules).Steps, Next(w.Facts, w.rules))
			case "run":
				steps, last := w.settle(t, 1000)
				return told(steps, last) + w.layouts()
			case "choose":
				var partitions int
				d.ScanArgs(t, "partitions", &partitions)
				var b strings.Builder
				for _, nodes := range Choose(w.Nodes, w.loads(), Wanted{partitions, w.rules.Replicas}) {
					fmt.Fprintln(&b, nodes)
				}
				return b.String()
			default:
				t.Fatalf("%s: no such command", d.Cmd)
			}
			return ""
		})
	})
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func parseNode(t *testing.T, fields []string) Node {
	t.Helper()
	n := Node{ID: number(t, fields[0]), State: Up}
	for _, f := range fields[1:] {
		name, value, _ := strings.Cut(f, "=")
		switch name {
		case "zone":
			n.Zone = value
		case "joining":
			n.State = Joining
		case "leaving":
			n.State = Leaving
		case "gone":
			n.State = Gone
		case "silent":
			silent, err := time.ParseDuration(value)
			if err != nil {
				t.Fatal(err)
			}
			n.Silent = silent
		case "free":
			n.DiskBytes, n.FreeBytes = 100<<30, int64(number(t, value))<<30
		default:
			t.Fatalf("%s: no such word of a node", f)
		}
	}
	return n
}

func parsePartition(t *testing.T, fields []string) Partition {
	t.Helper()
	p := Partition{ID: number(t, strings.TrimSuffix(fields[0], ":")), Generation: 1}
	for _, f := range fields[1:] {
		if value, ok := strings.CutPrefix(f, "bytes="); ok {
			p.Bytes = int64(number(t, value)) << 30
			continue
		}
		if value, ok := strings.CutPrefix(f, "heat="); ok {
			for i := range p.Replicas {
				if p.Replicas[i].Node == p.Leader {
					p.Replicas[i].Heat = float64(number(t, value)) / 100
				}
			}
			continue
		}
		r := Replica{Current: true}
		node, damaged := strings.CutSuffix(f, "!")
		node, late := strings.CutSuffix(node, "?")
		node, leads := strings.CutSuffix(node, "*")
		r.Current = !late && !damaged
		if damaged {
			r.Damaged = 10 * time.Minute
		}
		node, r.Learner = strings.CutSuffix(node, "(learner)")
		r.Node = number(t, node)
		if leads {
			p.Leader = r.Node
		}
		p.Replicas = append(p.Replicas, r)
	}
	return p
}

func told(steps []Step, last Plan) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintln(&b, s)
	}
	for _, blocked := range last.Blocked {
		fmt.Fprintln(&b, blocked)
	}
	if b.Len() == 0 {
		return "nothing to do\n"
	}
	return b.String()
}

func (w *world) layouts() string {
	slices.SortFunc(w.Partitions, func(a, b Partition) int { return int(a.ID) - int(b.ID) })
	text := ""
	for i := range w.Partitions {
		text += w.Partitions[i].layout() + "\n"
	}
	return text
}

func (w *world) loads() map[uint64]Load {
	loads := map[uint64]Load{}
	for i := range w.Partitions {
		for _, r := range w.Partitions[i].Replicas {
			loads[r.Node] = Load{Replicas: loads[r.Node].Replicas + 1, Bytes: loads[r.Node].Bytes + w.Partitions[i].Bytes}
		}
	}
	return loads
}
