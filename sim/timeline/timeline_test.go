package timeline_test

import (
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"stator/sim/timeline"
)

// A panic is found, whoever panics, and nothing happens after it.
func TestPanicIsFound(t *testing.T) {
	for name, plan := range map[string]func(*timeline.Timeline, func()){
		"an event":  func(world *timeline.Timeline, do func()) { world.After(time.Second, do) },
		"a routine": func(world *timeline.Timeline, do func()) { world.Start("routine", do) },
	} {
		t.Run(name, func(t *testing.T) {
			world := timeline.New(rand.New(rand.NewPCG(1, 1)), io.Discard)
			plan(world, func() { panic("lost") })
			world.After(2*time.Second, func() { t.Error("the world goes on") })
			world.Run(func() bool { return false }, time.Minute)
			if world.Failed() == nil {
				t.Error("it is not found")
			}
		})
	}
}
