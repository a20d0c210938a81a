package command_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// message is one kind of message: how its values are written and read. Values are pointers.
type message struct {
	name  string
	empty func() any
	write func(value any) []byte
	read  func(b []byte) (any, error)
}

func messageOf[T any](name string, write func([]byte, *T) []byte, read func([]byte) (T, error)) message {
	return message{
		name: name, empty: func() any { return new(T) }, write: func(value any) []byte { return write(nil, value.(*T)) },
		read: func(b []byte) (any, error) {
			value, err := read(b)
			return &value, err
		},
	}
}

var commands = message{
	name: "command", empty: func() any { return new(command.Command) },
	write: func(value any) []byte { return command.AppendCommand(nil, value.(*command.Command)) },
	read:  func(b []byte) (any, error) { return command.ParseCommand(b) },
}

// messages are all kinds.
var messages = []message{
	commands,
	messageOf("result", command.AppendResult, command.ParseResult),
	messageOf("get", command.AppendGet, command.ParseGet),
	messageOf("get result", command.AppendGetResult, command.ParseGetResult),
	messageOf("multi get", command.AppendMultiGet, command.ParseMultiGet),
	messageOf("seen", func(dst []byte, s *[]command.Seen) []byte { return command.AppendSeen(dst, *s) }, command.ParseSeen),
	messageOf("plan", command.AppendPlan, command.ParsePlan),
	messageOf("page", command.AppendPage, command.ParsePage),
	messageOf("shard list", command.AppendShardList, command.ParseShardList),
	messageOf("shard place", command.AppendShardPlace, command.ParseShardPlace),
	messageOf("log plan", command.AppendLogPlan, command.ParseLogPlan),
	messageOf("log page", command.AppendLogPage, command.ParseLogPage),
	messageOf("changes plan", command.AppendChangesPlan, command.ParseChangesPlan),
	messageOf("report", command.AppendReport, command.ParseReport),
}

// readsBack holds that a value is what is read from its bytes, and leaves the bytes of what was read the same.
func (m message) readsBack(t failer, value any) {
	t.Helper()
	b := m.write(value)
	back, err := m.read(b)
	if err != nil {
		t.Fatalf("%s %+v: %v", m.name, value, err)
	}
	if again := m.write(back); !bytes.Equal(again, b) {
		t.Fatalf("%s %x is written again as %x", m.name, b, again)
	}
	want, got := compiled(reflect.ValueOf(value)), compiled(reflect.ValueOf(back))
	if !reflect.DeepEqual(back, value) || !reflect.DeepEqual(want, got) {
		t.Fatalf("%s %+v with %x reads back as %+v with %x", m.name, value, want, back, got)
	}
}

// failer is a *testing.T or a *rapid.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Every field of every message goes along: one that is new is missed here.
func TestEveryFieldReadsBack(t *testing.T) {
	for _, m := range messages {
		value := m.empty()
		m.readsBack(t, value)
		fill(value, whole{})
		m.readsBack(t, value)
	}
}

func TestAnyMessageReadsBack(t *testing.T) {
	for _, m := range messages {
		t.Run(m.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				value := m.empty()
				fill(value, random{t})
				m.readsBack(t, value)
			})
		})
	}
}

// TestGolden pins the bytes that nodes of two releases exchange: a change here is a new format.
func TestGolden(t *testing.T) {
	datadriven.RunTest(t, "testdata/messages", func(t *testing.T, d *datadriven.TestData) string {
		name := strings.TrimSpace(d.Input)
		for _, m := range messages {
			value := m.empty()
			switch name {
			case m.name:
				fill(value, whole{})
			case "empty " + m.name:
			default:
				continue
			}
			return lines(m.write(value))
		}
		value, ok := map[string]any{"put": put(small), "put result": &command.Result{Sequence: 300, Before: small, After: small, Version: 1 << 60}}[name]
		if !ok {
			t.Fatalf("no message %q", name)
		}
		if p, ok := value.(*command.Command); ok {
			return lines(command.AppendCommand(nil, p))
		}
		return lines(command.AppendResult(nil, value.(*command.Result)))
	})
}

func lines(b []byte) string {
	var text strings.Builder
	for ; len(b) > 0; b = b[min(len(b), 48):] {
		fmt.Fprintf(&text, "% x\n", b[:min(len(b), 48)])
	}
	return text.String()
}

// Half a message, one with more behind it, and one of a later format are no messages.
func TestParseRefuses(t *testing.T) {
	for _, m := range messages {
		value := m.empty()
		fill(value, whole{})
		b := m.write(value)
		for end := range b {
			if _, err := m.read(b[:end]); !errors.Is(err, command.ErrMalformed) {
				t.Errorf("%d of %d bytes of a %s: %v", end, len(b), m.name, err)
			}
		}
		if _, err := m.read(append(bytes.Clone(b), 0)); !errors.Is(err, command.ErrMalformed) {
			t.Errorf("a %s with more behind it: %v", m.name, err)
		}
		b[0]++
		if _, err := m.read(b); !errors.Is(err, command.ErrMalformed) {
			t.Errorf("a %s of a later format: %v", m.name, err)
		}
	}
}

// What a release has not heard of it does not perform in part.
func TestParseRefusesWhatIsUnknown(t *testing.T) {
	for name, b := range map[string][]byte{
		"command": {1, 1, 1, 1, 0x80, 0x80, 0x20}, "result": {1, 0, 0x80, 0x08}, "plan": {1, 0x80, 1, 1, 0, 0, 0, 0, 0},
		"shard list": {1, 0, 1, 4, 1, 1, 1, 1}, "get": {1, 2, 1, 1, 0}, "page": {1, 0, 0, 0, 0, 0, 0, 0, 0, 3},
		"seen": {1, 1, 2, 0, 0, 0, 0},
	} {
		for _, m := range messages {
			if m.name != name {
				continue
			}
			if _, err := m.read(b); !errors.Is(err, command.ErrMalformed) {
				t.Errorf("%s % x: %v", name, b, err)
			}
		}
	}
}

// A malformed item, or a transaction in one, is refused before a copy takes it for granted.
func TestParseRefusesWhatWouldBreak(t *testing.T) {
	malformed := put(small)
	malformed.Item = []byte{9, 9, 9}
	action := &command.Command{Action: command.Put, Table: 7, Transaction: &command.Transaction{}}
	for name, c := range map[string]*command.Command{
		"an item": malformed, "an entry": {Action: command.Feed, Entries: []command.Entry{{Key: []byte("k"), Item: []byte{1}}}},
		"an action": {Action: command.Transact, Transaction: &command.Transaction{Actions: []*command.Command{action}}},
		"very many actions": {Action: command.Transact, Transaction: &command.Transaction{Actions: func() (many []*command.Command) {
			for range 1001 {
				many = append(many, put(small))
			}
			return many
		}()}},
	} {
		if _, err := command.ParseCommand(command.AppendCommand(nil, c)); !errors.Is(err, command.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is parsed points into the message.
func TestNothingIsCopied(t *testing.T) {
	b := command.AppendCommand(nil, put(small))
	c, err := command.ParseCommand(b)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, small)
	if &c.Item[0] != &b[at] || cap(c.Item) != len(small) {
		t.Error("the item is a copy, or may grow over what follows it")
	}
}

func FuzzParseCommand(f *testing.F) { fuzz(f, commands) }

// FuzzParse is of all other messages: the first byte chooses.
func FuzzParse(f *testing.F) { fuzz(f, messages[1:]...) }

// fuzz holds that any bytes are read or refused, for little memory, and that what was read is written as what reads alike.
func fuzz(f *testing.F, all ...message) {
	for i, m := range all {
		value := m.empty()
		f.Add(append([]byte{byte(i)}, m.write(value)...))
		fill(value, whole{})
		f.Add(append([]byte{byte(i)}, m.write(value)...))
	}
	f.Add(append([]byte{0}, command.AppendCommand(nil, put(small))...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || int(b[0]) >= len(all) {
			return
		}
		m := all[b[0]]
		before := allocated()
		value, err := m.read(b[1:])
		// The parts of a transaction are bounded by their number, all else by what stands for it.
		if after := allocated(); after-before > uint64(1<<20+100*len(b)) {
			t.Errorf("%d bytes for %d", after-before, len(b))
		}
		if err != nil {
			return
		}
		again := m.write(value)
		back, err := m.read(again)
		if err != nil || !bytes.Equal(m.write(back), again) {
			t.Errorf("%s % x reads back as % x, %v", m.name, b[1:], again, err)
		}
	})
}

func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

func BenchmarkPut1KB(b *testing.B) {
	benchmark(b, put(large), command.AppendCommand, func(b []byte) error { _, err := command.ParseCommand(b); return err })
}

func BenchmarkPutResult(b *testing.B) {
	result := &command.Result{Sequence: 1 << 40, Version: 1 << 60}
	benchmark(b, result, command.AppendResult, func(b []byte) error { _, err := command.ParseResult(b); return err })
}

func BenchmarkPutResult1KB(b *testing.B) {
	result := &command.Result{Sequence: 1 << 40, Version: 1 << 60, Before: large}
	benchmark(b, result, command.AppendResult, func(b []byte) error { _, err := command.ParseResult(b); return err })
}

func BenchmarkGet(b *testing.B) {
	get := &command.Get{Table: 7, TableVersion: 3, Key: put(small).Key, Strong: true}
	benchmark(b, get, command.AppendGet, func(b []byte) error { _, err := command.ParseGet(b); return err })
}

func BenchmarkGetResult1KB(b *testing.B) {
	result := &command.GetResult{Item: large, Size: 1000}
	benchmark(b, result, command.AppendGetResult, func(b []byte) error { _, err := command.ParseGetResult(b); return err })
}

func benchmark[T any](b *testing.B, value *T, write func([]byte, *T) []byte, read func([]byte) error) {
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			write(nil, value)
		}
	})
	bytes := write(nil, value)
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := read(bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Of the parsing of a put this is what it costs to look at the item.
func BenchmarkCheckItem1KB(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := attr.CheckMap(large); err != nil {
			b.Fatal(err)
		}
	}
}
