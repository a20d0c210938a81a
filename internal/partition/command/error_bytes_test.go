package command_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"stator/internal/partition/command"
)

func throughError(t *testing.T, b []byte) error {
	t.Helper()
	back, failed := command.ParseError(b)
	if failed != nil {
		t.Fatalf("% x: %v", b, failed)
	}
	return back
}

// What a router asks of an error is the same on the other node, whatever the error was wrapped in.
func TestErrorsReadBack(t *testing.T) {
	route := &command.StaleRoute{Partition: 7, Generation: 300, Have: command.Bounds{Lower: []byte("a"), Upper: []byte("b")}}
	fault := &command.Fault{Text: "it broke"}
	for _, err := range []error{
		route, &command.StaleRoute{}, &command.StaleTable{Have: 9}, &command.NotLeader{Hint: 3}, &command.Trimmed{First: 8}, &command.Rejected{},
		&command.Rejected{Cause: fault}, &command.Rejected{Cause: &command.StaleTable{Have: 9}}, &command.Ambiguous{Cause: fault},
		context.Canceled, context.DeadlineExceeded,
	} {
		if back := throughError(t, command.AppendError(nil, err)); !reflect.DeepEqual(back, err) {
			t.Errorf("%#v reads back as %#v", err, back)
		}
		if back := throughError(t, command.AppendError(nil, fmt.Errorf("doing this: %w", err))); !reflect.DeepEqual(back, err) {
			t.Errorf("%#v, wrapped, reads back as %#v", err, back)
		}
	}
	if back := throughError(t, command.AppendError(nil, fmt.Errorf("doing this: %w", fault))); !reflect.DeepEqual(back, &command.Fault{Text: "doing this: it broke"}) {
		t.Errorf("a fault reads back as %#v", back)
	}
	if back := throughError(t, command.AppendError(nil, nil)); back != nil {
		t.Errorf("no error reads back as %#v", back)
	}
}

// A write is told apart from one that did not happen unless that is certain.
func TestWriteErrorsAreAmbiguous(t *testing.T) {
	rejected := &command.Rejected{Cause: errors.New("no")}
	for _, c := range []struct {
		err     error
		certain bool
	}{
		{rejected, true}, {&command.NotLeader{}, true}, {&command.StaleRoute{}, true}, {&command.StaleTable{}, true}, {fmt.Errorf("doing this: %w", rejected), true},
		{errors.New("the disk is gone"), false}, {&command.Trimmed{}, false}, {context.Canceled, false}, {context.DeadlineExceeded, false},
		{&command.Ambiguous{Cause: errors.New("lost")}, false}, {&command.Ambiguous{Cause: rejected}, false}, {errors.Join(rejected, &command.Ambiguous{}), false},
		{&command.Rejected{Cause: &command.Ambiguous{}}, false},
	} {
		back := throughError(t, command.AppendWriteError(nil, c.err))
		_, ambiguous := errors.AsType[*command.Ambiguous](back)
		if ambiguous == c.certain {
			t.Errorf("%v reads back as %#v", c.err, back)
		}
		if _, found := errors.AsType[*command.Rejected](back); ambiguous && found {
			t.Errorf("%v says, where it is ambiguous, that it did not happen", c.err)
		}
	}
	if back := throughError(t, command.AppendWriteError(nil, nil)); back != nil {
		t.Errorf("no error reads back as %v", back)
	}
}

// Words and causes have an end.
func TestLongErrors(t *testing.T) {
	back := throughError(t, command.AppendError(nil, errors.New(strings.Repeat("word ", 10_000))))
	if n := len(back.Error()); n != 4096 {
		t.Errorf("%d bytes of words", n)
	}
	err := error(&command.StaleTable{Have: 1})
	for range 1000 {
		err = &command.Rejected{Cause: err}
	}
	if _, ok := errors.AsType[*command.Rejected](throughError(t, command.AppendError(nil, err))); !ok {
		t.Error("an error of many causes is not what it was")
	}
}

func TestErrorBytes(t *testing.T) {
	for want, err := range map[string]error{
		"0100": nil, "0101026e6f": errors.New("no"), "010201026e6f": &command.Rejected{Cause: errors.New("no")}, "0103026e6f": &command.Ambiguous{Cause: errors.New("no")},
		"010407ac0201610162": &command.StaleRoute{Partition: 7, Generation: 300, Have: command.Bounds{Lower: []byte("a"), Upper: []byte("b")}},
		"01050a":             &command.StaleTable{Have: 10}, "010603": &command.NotLeader{Hint: 3}, "010708": &command.Trimmed{First: 8},
		"0108": context.Canceled, "0109": context.DeadlineExceeded,
	} {
		if got := fmt.Sprintf("%x", command.AppendError(nil, err)); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
	for _, b := range [][]byte{nil, {2, 0}, {1}, {1, 10}, {1, 1, 5, 'a'}, {1, 0, 0}, {1, 2}, {1, 2, 3, 1, 'a'}} {
		if _, failed := command.ParseError(b); !errors.Is(failed, command.ErrMalformed) {
			t.Errorf("% x: %v", b, failed)
		}
	}
}

func FuzzParseError(f *testing.F) {
	f.Add([]byte{1, 2, 1, 1, 'a'})
	f.Add([]byte{1, 4, 1, 1, 1, 'a', 1, 'b'})
	f.Fuzz(func(t *testing.T, b []byte) {
		err, failed := command.ParseError(b)
		if failed != nil {
			return
		}
		again := command.AppendError(nil, err)
		back, failed := command.ParseError(again)
		if failed != nil || !reflect.DeepEqual(back, err) {
			t.Errorf("% x reads as %#v, which reads back as %#v", b, err, back)
		}
	})
}
