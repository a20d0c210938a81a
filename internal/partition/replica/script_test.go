package replica_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// Every request of a story has a name, and is answered by a line "name: answer" below the line that brought the answer.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		w := newWorld(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.events = nil
			for line := range strings.SplitSeq(d.Input, "\n") {
				w.do(t, d.Cmd, strings.Fields(line))
			}
			return strings.Join(append(w.events, ""), "\n")
		})
	})
}

func (w *world) do(t *testing.T, verb string, args []string) {
	switch verb {
	case "write":
		name := args[0]
		w.replica.Write(w.command(t, args[1:]), func(r command.Result, err error) { w.tell("%s: %s", name, result(r, err)) })
	case "write-all":
		w.writeAll(t, args)
	case "read", "strong-read":
		name := args[0]
		g := &command.Get{Table: 100, TableVersion: w.version(), Key: key(args[1]), Strong: verb == "strong-read"}
		w.replica.Read(g, func(r command.GetResult, err error) { w.tell("%s: %s", name, outcome(show(r.Item), err)) })
	case "scan", "strong-scan", "fetch":
		w.scan(verb, args)
	case "step":
		w.step()
	case "step-while":
		w.meanwhile = func() { w.do(t, args[0], args[1:]) }
		w.step()
	case "show", "perform", "perform-stepping", "reject", "lose":
		w.end(t, verb, args[0])
	case "refuse-appends":
		w.log.refusing = true
	case "hold-barriers":
		w.log.barred = true
	case "pass-barriers", "fail-barriers":
		w.barriers(verb)
	case "lead", "follow", "foreign", "replace", "replacing", "excise":
		w.lead(t, verb, args)
	case "adopt", "split", "foreign-split", "stop", "drained":
		w.change(t, verb, args)
	case "damage":
		w.damage(args)
	case "changes":
		w.changes(t, args[0])
	default:
		t.Fatalf("no such command: %s", verb)
	}
}

// writeAll reads "name put a/1 n=1 , put b/1 n=2": the commands are called name[0], name[1].
func (w *world) writeAll(t *testing.T, args []string) {
	var commands []*command.Command
	for text := range strings.SplitSeq(strings.Join(args[1:], " "), " , ") {
		commands = append(commands, w.command(t, strings.Fields(text)))
	}
	w.replica.WriteAll(commands, func(i int, r command.Result, err error) { w.tell("%s[%d]: %s", args[0], i, result(r, err)) })
}

func (w *world) end(t *testing.T, verb, text string) {
	var number int
	if _, err := fmt.Sscan(text, &number); err != nil {
		t.Fatal(err)
	}
	h := w.log.find(number)
	switch verb {
	case "show":
		w.log.show(h)
	case "perform":
		w.log.perform(h, nothing)
	case "perform-stepping":
		w.log.perform(h, w.step)
	case "reject":
		w.log.end(h, rejected)
	case "lose":
		w.log.end(h, ambiguous)
	}
}

func (w *world) barriers(verb string) {
	waiting := w.log.barriers
	w.log.barred, w.log.barriers = false, nil
	for _, done := range waiting {
		if verb == "fail-barriers" {
			done(errors.New("another leads"))
		} else {
			done(nil)
		}
	}
}

func (w *world) lead(t *testing.T, verb string, args []string) {
	var epoch uint64 = machine.SoloEpoch
	if len(args) > 0 {
		if _, err := fmt.Sscan(args[0], &epoch); err != nil {
			t.Fatal(err)
		}
	}
	switch state := w.replica.State(); verb {
	case "lead":
		if state.Descriptor.Partition == 0 {
			state = w.part
		}
		w.replica.Lead(epoch, state)
	case "follow":
		w.replica.Follow(epoch)
	case "foreign":
		h := &held{batch: w.foreign(epoch, w.command(t, args[1:])), done: func(replicaOutcome) {}}
		w.log.perform(h, nothing)
	case "replacing":
		w.replica.Replacing()
	case "excise":
		w.excise(t)
	case "replace":
		state.Applied.Sequence += 100
		w.replica.Replaced(state)
	}
}

// excise takes all items out of the store, as a snapshot does in which there are none.
func (w *world) excise(t *testing.T) {
	r, err := w.engine.NewReplacement(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	all := keys.Prefix(keys.SpaceData, 100)
	if err := errors.Join(r.Excise(all, keys.SuccessorPrefix(all)), r.Perform(), r.Close()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) change(t *testing.T, verb string, args []string) {
	switch verb {
	case "adopt":
		var version uint64
		if _, err := fmt.Sscan(args[1], &version); err != nil {
			t.Fatal(err)
		}
		w.replica.Adopt(things(version), func(err error) { w.tell("%s: %s", args[0], outcome("adopted", err)) })
	case "split":
		c := w.splitAt(args[1])
		w.replica.Split(c, func(err error) {
			upper := w.replica.State().Descriptor.Bounds.Upper
			w.tell("%s: %s", args[0], outcome(fmt.Sprintf("split, bounded %t", string(upper) == string(c.At)), err))
		})
	case "foreign-split": // which the store shows, and nobody has told of
		b, err := machine.Split(w.replica.State(), w.splitAt(args[0]), nil)
		if err != nil {
			t.Fatal(err)
		}
		w.log.show(&held{batch: b})
	case "stop":
		w.replica.Stop()
	case "drained":
		w.replica.Drained(func() { w.tell("%s: drained", args[0]) })
	}
}

func (w *world) splitAt(text string) *command.Command {
	return &command.Command{At: key(text)[:keys.TokenBytes], Child: 11, Generation: w.replica.State().Descriptor.Generation}
}

// scan reads "name pk [limit]": the items of a collection, or with fetch the items that its local index leads to.
func (w *world) scan(verb string, args []string) {
	p := &command.Plan{Table: 100, TableVersion: w.version(), Lower: suffixOf(args[1]), Strong: verb == "strong-scan"}
	if verb == "fetch" {
		p.Index, p.Fetch = 1, true
		p.Lower = append(p.Lower, 0, 0, 0, 1)
	}
	p.Upper = keys.SuccessorPrefix(p.Lower)
	if len(args) > 2 {
		p.Lower, p.Upper = nil, nil
	}
	w.replica.Scan(p, func(page command.Page, err error) {
		var items []string
		for _, item := range page.Items {
			items = append(items, show(item))
		}
		reason := map[command.Reason]string{command.Done: "done", command.Edge: "edge"}[page.Reason]
		w.tell("%s: %s", args[0], outcome(strings.Join(append(items, reason), " "), err))
	})
}

func (w *world) changes(t *testing.T, text string) {
	var after uint64
	if _, err := fmt.Sscan(text, &after); err != nil {
		t.Fatal(err)
	}
	changes, err := w.replica.Changes(after, 1<<20)
	for _, c := range changes {
		w.tell("%d: %s -> %s", c.Sequence, show(c.Before), show(c.After))
	}
	if err != nil {
		w.tell("error: %v", err)
	}
}

// command reads "put a/1 color=red", "add a/1 n", "delete a/1 if-there", "consume 3".
func (w *world) command(t *testing.T, args []string) *command.Command {
	c := &command.Command{Table: 100, TableVersion: w.version()}
	if args[0] == "consume" {
		c.Action, c.Consumer = command.Consume, "index"
		if _, err := fmt.Sscan(args[1], &c.Sequence); err != nil {
			t.Fatal(err)
		}
		return c
	}
	pk, sk, _ := strings.Cut(args[1], "/")
	c.Key = key(args[1])
	entries := []attr.Entry{{Name: "pk", Value: attr.String(pk)}, {Name: "sk", Value: attr.String(sk)}}
	condition := ""
	for _, arg := range args[2:] {
		name, value, set := strings.Cut(arg, "=")
		switch {
		case arg == "if-absent":
			condition = "attribute_not_exists(pk)"
		case arg == "if-there":
			condition = "attribute_exists(pk)"
		case set:
			entries = append(entries, attr.Entry{Name: name, Value: attr.String(value)})
		}
	}
	var err error
	if condition != "" {
		c.Condition, err = expr.ParseCondition(expr.ConditionExpression, condition, expr.NewNames(nil, nil))
	}
	c.Item = attr.NewMap(entries)
	switch args[0] {
	case "put":
		c.Action = command.Put
	case "delete":
		c.Action = command.Delete
	case "add":
		c.Action = command.Update
		one := attr.NewMap([]attr.Entry{{Name: ":one", Value: attr.Int(1)}})
		c.Update, err = expr.ParseUpdate("ADD "+args[2]+" :one", expr.NewNames(nil, one))
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}
