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
	back := command.ParseError(b)
	if errors.Is(back, command.ErrMalformed) {
		t.Fatalf("% x: %v", b, back)
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
		context.Canceled, context.DeadlineExceeded, &command.BeyondBound{}, &command.Unfit{Text: "it is one key"},
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
}

// What may have happened is nowhere taken for what certainly did not, before its bytes and after.
func TestCertain(t *testing.T) {
	rejected := &command.Rejected{Cause: errors.New("no")}
	for _, c := range []struct {
		err     error
		certain bool
	}{
		{rejected, true}, {&command.NotLeader{}, true}, {&command.StaleRoute{}, true}, {&command.StaleTable{}, true}, {&command.Unfit{}, true}, {fmt.Errorf("doing this: %w", rejected), true},
		{errors.New("the disk is gone"), false}, {&command.Trimmed{}, false}, {context.Canceled, false}, {context.DeadlineExceeded, false},
		{&command.Ambiguous{Cause: errors.New("lost")}, false}, {&command.Ambiguous{Cause: rejected}, false}, {errors.Join(rejected, &command.Ambiguous{}), false},
		{&command.Rejected{Cause: &command.Ambiguous{}}, false}, {command.ErrMalformed, false},
	} {
		back := throughError(t, command.AppendError(nil, c.err))
		if command.Certain(c.err) != c.certain || command.Certain(back) != c.certain {
			t.Errorf("%v, which reads back as %#v: certain %t, %t", c.err, back, command.Certain(c.err), command.Certain(back))
		}
		if _, found := errors.AsType[*command.Rejected](back); found && !c.certain {
			t.Errorf("%v reads back as %#v", c.err, back)
		}
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
		"0101026e6f": errors.New("no"), "010201026e6f": &command.Rejected{Cause: errors.New("no")}, "0103026e6f": &command.Ambiguous{Cause: errors.New("no")},
		"010407ac0201610162": &command.StaleRoute{Partition: 7, Generation: 300, Have: command.Bounds{Lower: []byte("a"), Upper: []byte("b")}},
		"01050a":             &command.StaleTable{Have: 10}, "010603": &command.NotLeader{Hint: 3}, "010708": &command.Trimmed{First: 8},
		"0108": context.Canceled, "0109": context.DeadlineExceeded, "010a": &command.BeyondBound{},
		"010b0d6974206973206f6e65206b6579": &command.Unfit{Text: "it is one key"},
	} {
		if got := fmt.Sprintf("%x", command.AppendError(nil, err)); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
	for _, b := range [][]byte{nil, {2, 0}, {1}, {1, 11}, {1, 1, 5, 'a'}, {1, 0}, {1, 0, 0}, {1, 2}, {1, 2, 3, 1, 'a'}} {
		if err := command.ParseError(b); !errors.Is(err, command.ErrMalformed) {
			t.Errorf("% x: %v", b, err)
		}
	}
}

func FuzzParseError(f *testing.F) {
	f.Add([]byte{1, 2, 1, 1, 'a'})
	f.Add([]byte{1, 4, 1, 1, 1, 'a', 1, 'b'})
	f.Fuzz(func(t *testing.T, b []byte) {
		err := command.ParseError(b)
		again := command.AppendError(nil, err)
		if back := command.ParseError(again); !errors.Is(err, command.ErrMalformed) && !reflect.DeepEqual(back, err) {
			t.Errorf("% x reads as %#v, which reads back as %#v", b, err, back)
		}
	})
}
