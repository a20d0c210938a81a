package must_test

import (
	"errors"
	"testing"

	"stator/internal/base/must"
)

func TestThatIsSilentWhenTheConditionHolds(t *testing.T) {
	must.That(true, "never seen")
}

func TestThatPanicsWithBroken(t *testing.T) {
	defer func() {
		err, ok := recover().(error)
		var broken *must.Broken
		if !ok || !errors.As(err, &broken) {
			t.Fatalf("recovered %v, want a *must.Broken", err)
		}
		if want := "sequence 7 after 9"; broken.Text != want {
			t.Fatalf("text %q, want %q", broken.Text, want)
		}
	}()
	must.That(false, "sequence %d after %d", 7, 9)
	t.Fatal("no panic")
}
