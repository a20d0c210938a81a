package machine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// script is one golden story: a partition over a map, its batches performed as they are decided. Items are written as
// name=value, a value that begins with a digit being a number.
type script struct {
	t      *testing.T
	store  memory
	part   Part
	millis int64
	values attr.Map
	// corrected tells that the story moves the statistics by hand.
	corrected bool
	busy      map[uint64][]command.Bounds
}

// memory is an engine of one map.
type memory map[string][]byte

func (m memory) Get(key []byte) ([]byte, bool, error) {
	value, found := m[string(key)]
	return slices.Clone(value), found, nil
}

func (m memory) Head(key []byte) ([]byte, bool, error) {
	value, found, err := m.Get(key)
	return value[:min(len(value), record.ItemHeadBytes)], found, err
}

func (memory) Busy(uint64) []command.Bounds { return nil }

// pressed is a memory below indexes, parts of which are busy.
type pressed struct {
	memory
	busy map[uint64][]command.Bounds
}

func (p pressed) Busy(index uint64) []command.Bounds { return p.busy[index] }

func (m memory) perform(b *Batch) {
	for _, r := range b.Ranges {
		for key := range m {
			if key >= string(r.Lower) && key < string(r.Upper) {
				delete(m, key)
			}
		}
	}
	for _, w := range b.Writes {
		if w.Value == nil {
			delete(m, string(w.Key))
		} else {
			m[string(w.Key)] = w.Value
		}
	}
}

// countRows counts what a split asks for.
func (m memory) countRows(lower, upper []byte) (n int64, err error) {
	for key := range m {
		if key >= string(lower) && key < string(upper) {
			n++
		}
	}
	return n, nil
}

func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		s := &script{t: t, store: memory{}, millis: 1000}
		datadriven.RunTest(t, path, s.run)
	})
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	s.t = t
	var out strings.Builder
	switch d.Cmd {
	case "born":
		s.part = Born(10, 100, command.Bounds{})
		s.join(d)
		s.store.perform(&Batch{Writes: s.part.Writes()})
	case "values":
		s.values = s.item(strings.Fields(d.Input))
	case "clock":
		d.ScanArgs(t, "millis", &s.millis)
	case "adopt":
		s.change(&out, func() (Batch, error) { return Adopt(s.part, s.description(d)) })
	case "split":
		s.change(&out, func() (Batch, error) { return Split(s.part, s.splitCommand(d), s.store.countRows) })
	case "move":
		s.change(&out, func() (Batch, error) { return Move(s.part, s.membership(d)) })
		s.showMembers(&out)
	case "decide":
		s.decide(&out, d)
	case "busy":
		s.press(d)
	case "scan":
		s.scan(&out, d)
	case "state":
		s.showState(&out)
	case "shards":
		s.showShards(&out, d)
	default:
		d.Fatalf(t, "no such command")
	}
	return out.String()
}

// decide has the lines of the input decided in one pass.
func (s *script) decide(out *strings.Builder, d *datadriven.TestData) {
	var commands []*command.Command
	for line := range strings.SplitSeq(d.Input, "\n") {
		commands = append(commands, s.command(line))
	}
	batch, answers, err := Decide(s.part, s.millis, pressed{s.store, s.busy}, commands)
	if err != nil {
		fmt.Fprintf(out, "fault: %v\n", err)
		return
	}
	for i := range answers {
		s.showAnswer(out, commands[i], &answers[i])
	}
	s.perform(out, &batch)
}

// press makes an index busy for the entries of one partition key, as "busy 200 color=red", or for all, or no more, as "busy 200 nothing".
func (s *script) press(d *datadriven.TestData) {
	index, part := s.number(d.CmdArgs[0].Key), command.Bounds{}
	delete(s.busy, index)
	if len(d.CmdArgs) > 1 {
		if d.CmdArgs[1].Key == "nothing" {
			return
		}
		part.Lower = keys.Suffix([]attr.Value{attr.String(d.CmdArgs[1].Vals[0])}, nil)
		part.Upper = keys.SuccessorPrefix(part.Lower)
	}
	if s.busy == nil {
		s.busy = map[uint64][]command.Bounds{}
	}
	s.busy[index] = []command.Bounds{part}
}

// change performs what is proposed alone.
func (s *script) change(out *strings.Builder, propose func() (Batch, error)) {
	batch, err := propose()
	if err != nil {
		fmt.Fprintf(out, "refused: %v\n", err)
		return
	}
	s.perform(out, &batch)
}

func (s *script) perform(out *strings.Builder, b *Batch) {
	if b.Empty() {
		out.WriteString("nothing to append\n")
		return
	}
	s.showBatch(out, b)
	s.travels(b)
	s.store.perform(b)
	s.part = b.After
	s.check(b)
}

// command reads one line: an action, an item or what the action needs, and a condition after "if".
func (s *script) command(line string) *command.Command {
	if verb, _, _ := strings.Cut(line, " "); transactionVerbs[verb] != 0 {
		return s.transactionCommand(verb, line)
	}
	line, condition, _ := strings.Cut(line, " if ")
	line, update, _ := strings.Cut(line, " do ")
	fields := strings.Fields(line)
	c := &command.Command{Table: 100, Generation: s.part.Descriptor.Generation}
	if s.part.Table != nil {
		c.TableVersion = s.part.Table.Version
	}
	if condition != "" {
		holds, err := expr.ParseCondition(expr.ConditionExpression, condition, expr.NewNames(nil, s.values))
		s.must(err)
		c.Condition = holds
	}
	switch rest := fields[1:]; fields[0] {
	case "put", "update", "delete", "check":
		c.Action = map[string]command.Action{
			"put": command.Put, "update": command.Update, "delete": command.Delete, "check": command.Check,
		}[fields[0]]
		c.Item = s.item(rest)
		c.Key = s.key(c.Item)
		if update != "" {
			parsed, err := expr.ParseUpdate(update, expr.NewNames(nil, s.values))
			s.must(err)
			c.Update = parsed
		}
	case "stale-put":
		c.Action, c.Item, c.TableVersion = command.Put, s.item(rest), c.TableVersion-1
		c.Key = s.key(c.Item)
	case "feed":
		c.Action, c.SentMillis, c.Entries = command.Feed, s.millis, []command.Entry{s.entry(rest)}
	case "late-feed":
		c.Action, c.SentMillis, c.Entries = command.Feed, s.millis-FeedAgeMillisMax-1, []command.Entry{s.entry(rest)}
	case "sweep":
		c.Action, c.Tombstones = command.Sweep, []command.Entry{s.entry(rest)}
	case "consume":
		c.Action, c.Consumer, c.Sequence = command.Consume, rest[0], s.number(rest[1])
	case "progress":
		c.Action, c.Index, c.Backfill = command.Progress, s.number(rest[0]), command.Backfill{Items: int64(s.number(rest[1]))}
	case "stale-progress":
		c.Action, c.Index, c.Generation = command.Progress, s.number(rest[0]), c.Generation-1
	case "expire":
		c.Action, c.Second = command.Expire, s.number(strings.TrimPrefix(rest[0], "at="))
		c.Key = s.key(s.item(rest[1:]))
	case "stale-expire":
		c.Action, c.Second, c.Generation = command.Expire, s.number(strings.TrimPrefix(rest[0], "at=")), c.Generation-1
		c.Key = s.key(s.item(rest[1:]))
	case "rebuild", "stale-rebuild", "rebuild-all":
		c.Action, c.Backfill.Done = command.Rebuild, fields[0] == "rebuild-all"
		if fields[0] == "stale-rebuild" {
			c.Generation--
		}
		for _, key := range rest {
			c.Backfill.After = s.key(s.item(strings.Split(key, "/")))
			c.Backfill.Items++
			c.Entries = append(c.Entries, command.Entry{Key: c.Backfill.After})
		}
	case "correct", "stale-correct":
		s.corrected = true
		if fields[0] == "stale-correct" {
			c.Generation--
		}
		c.Action, c.Correction = command.Correct, command.Stats{Items: s.signed(rest[0]), Bytes: s.signed(rest[1])}
	default:
		s.t.Fatalf("no such action: %s", line)
	}
	return c
}

// entry reads "v=<version>" and an item, of which only the key counts when it begins with "gone".
func (s *script) entry(fields []string) command.Entry {
	e := command.Entry{Version: s.number(strings.TrimPrefix(fields[0], "v="))}
	gone := fields[1] == "gone"
	item := s.item(slices.DeleteFunc(slices.Clone(fields[1:]), func(f string) bool { return f == "gone" }))
	e.Key = s.key(item)
	if !gone {
		e.Item = item
	}
	return e
}

func (s *script) item(fields []string) attr.Map {
	var entries []attr.Entry
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		entry := attr.Entry{Name: name, Value: attr.String(value)}
		if value != "" && value[0] >= '0' && value[0] <= '9' {
			n, fault := attr.ParseNumber(value)
			if fault != "" {
				s.t.Fatal(fault)
			}
			entry.Value = attr.NumberValue(n)
		}
		entries = append(entries, entry)
	}
	return attr.NewMap(entries)
}

// key is an item's key suffix in the adopted table; that of the hidden table the scripts feed has the same names.
func (s *script) key(item attr.Map) []byte {
	description := s.part.Table
	if description == nil {
		description = &table.Table{Key: table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}}}
	}
	hash, rng, ok := description.Key.Values(item)
	if !ok {
		s.t.Fatalf("no key in %s", item.AppendJSON(nil))
	}
	return keys.Suffix(hash, rng)
}

func (s *script) splitCommand(d *datadriven.TestData) *command.Command {
	c := &command.Command{Generation: s.part.Descriptor.Generation, Child: 11}
	if d.HasArg("generation") {
		d.ScanArgs(s.t, "generation", &c.Generation)
	}
	if d.HasArg("at") {
		var at string
		d.ScanArgs(s.t, "at", &at)
		c.At = s.key(s.item(strings.Split(at, "/")))
	}
	return c
}

// description reads a table: "version=2", then lines "key pk:S sk:S", "ttl ends", "stream 500 [ended]", "local 1 byColor pk:S
// color:S" and "global 200 byCountry country:S [deleting]", of which the projections are all of the item.
func (s *script) description(d *datadriven.TestData) *table.Table {
	t := &table.Table{ID: 100, Name: "things", State: table.Active}
	d.ScanArgs(s.t, "version", &t.Version)
	if d.HasArg("table") {
		d.ScanArgs(s.t, "table", &t.ID)
	}
	for line := range strings.SplitSeq(d.Input, "\n") {
		fields := strings.Fields(line)
		switch fields[0] {
		case "key":
			t.Key = keyOf(fields[1:])
			continue
		case "stream":
			t.Streams = append(t.Streams, table.Stream{CreatedMillis: s.signed(fields[1]), View: table.ViewBoth})
			if len(fields) > 2 {
				t.Streams[len(t.Streams)-1].EndedMillis = s.millis
			}
			continue
		case "ttl":
			t.TimeToLive = fields[1]
			continue
		case "deleting":
			t.State = table.Deleting
			continue
		}
		ix := table.Index{ID: s.number(fields[1]), Name: fields[2], Status: table.IndexActive, Projection: table.Projection{Kind: table.All}}
		names := fields[3:]
		if last := len(names) - 1; names[last] == "deleting" {
			ix.Status, names = table.IndexDeleting, names[:last]
		}
		ix.Key = keyOf(names)
		if fields[0] == "local" {
			t.Local = append(t.Local, ix)
		} else {
			t.Global = append(t.Global, ix)
		}
	}
	return t
}

func keyOf(fields []string) table.Key {
	var attributes []table.KeyAttribute
	for _, f := range fields {
		name, letter, _ := strings.Cut(f, ":")
		kind, _ := table.KeyType(letter)
		attributes = append(attributes, table.KeyAttribute{Name: name, Type: kind})
	}
	return table.Key{Hash: attributes[:1], Range: attributes[1:]}
}

func (s *script) number(text string) uint64 { return uint64(s.signed(text)) }

func (s *script) signed(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	s.must(err)
	return n
}

func (s *script) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
