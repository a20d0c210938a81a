//go:build !chaos

package main

import (
	"testing"

	"stator/internal/base/clock"
)

// Nobody sets the clock of a release.
func TestReleaseHasTheMachinesClock(t *testing.T) {
	if c, verbs := timeOfDay(); c != (clock.System{}) || len(verbs) > 0 {
		t.Errorf("the clock is a %T, with verbs %v", c, verbs)
	}
}
