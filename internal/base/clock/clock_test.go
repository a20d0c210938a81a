package clock_test

import (
	"testing"
	"time"

	"stator/internal/base/clock"
)

func TestManualStandsStillUntilAdvanced(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := clock.NewManual(start)
	if got := m.Now(); !got.Equal(start) {
		t.Fatalf("Now() = %v, want %v", got, start)
	}
	m.Advance(90 * time.Second)
	if got, want := m.Now(), start.Add(90*time.Second); !got.Equal(want) {
		t.Fatalf("Now() = %v after Advance, want %v", got, want)
	}
}

func TestSystemMovesForward(t *testing.T) {
	var c clock.Clock = clock.System{}
	before := time.Now()
	if now := c.Now(); now.Before(before) {
		t.Fatalf("Now() = %v lies before %v", now, before)
	}
}
