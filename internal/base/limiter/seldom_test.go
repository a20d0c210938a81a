package limiter_test

import (
	"testing"
	"time"

	"stator/internal/base/limiter"
)

func TestATroubleIsToldOfOnceAMinute(t *testing.T) {
	var trouble limiter.Seldom
	for _, step := range []struct {
		now    time.Duration
		told   bool
		untold int
	}{
		{0, true, 0}, {time.Second, false, 0}, {time.Minute - 1, false, 0}, {time.Minute, true, 2}, {time.Minute + 1, false, 0}, {time.Hour, true, 1},
	} {
		if told, untold := trouble.May(step.now); told != step.told || untold != step.untold {
			t.Errorf("after %v: told %v, %d untold, want %v and %d", step.now, told, untold, step.told, step.untold)
		}
	}
}
